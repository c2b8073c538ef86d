"""What the product writes by mail: one description a letter, drawn as plain text and as HTML."""

from models.letters.letter import Action, Fact, Letter, LetterKind
from models.letters.money import alert, receipt, top_up_off

__all__ = ["Action", "Fact", "Letter", "LetterKind", "alert", "receipt", "top_up_off"]
