"""Why the stand-in refuses, in the form in which Stripe does."""

from embedded.fake_stripe.forms import Body


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, kind: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body: Body = {"error": {"type": kind, "message": message, **more}}


def invalid(message: str, **more: object) -> Refusal:
    return Refusal(400, "invalid_request_error", message, **more)


def missing(object_id: str) -> Refusal:
    return Refusal(
        404, "invalid_request_error", f"No such object: '{object_id}'", code="resource_missing"
    )


def declined(code: str, message: str, intent: Body) -> Refusal:
    """What a card that does not pay is answered with."""
    return Refusal(402, "card_error", message, code=code, decline_code=code, payment_intent=intent)
