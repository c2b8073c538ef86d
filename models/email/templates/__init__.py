"""What the product writes by mail: one description a mail, rendered as plain text and as HTML."""

from models.email.templates.content import Action, EmailContent, Fact
from models.email.templates.money import alert, receipt, top_up_off
from models.email.templates.work import answer_ready, collected, reminder, task_result
from models.schema.emails import EmailKind

__all__ = [
    "Action",
    "EmailContent",
    "EmailKind",
    "Fact",
    "alert",
    "answer_ready",
    "collected",
    "receipt",
    "reminder",
    "task_result",
    "top_up_off",
]
