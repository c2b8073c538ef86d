"""What owners switch, checked against the models that there are."""

from sqlalchemy.orm import Session

from agent import catalogue
from models.errors import Refused
from models.ops import switch_changes
from models.ops.admin_actions import Order
from models.ops.switches import Switches
from settings import get_settings


class NoSuchModel(Refused):
    """A model that is to be the default is not there, or is switched off."""

    code = "no_such_model"


class NoModelLeft(Refused):
    """All models would be switched off."""

    code = "no_model_left"


def change(db: Session, order: Order, wanted: Switches, *, shown_version: int) -> None:
    """Set all switches but the pauses, as `switch_changes.change` does. The caller commits.

    Refuses to leave no model, and a default that is not among those that are left.
    """
    left = {model.id for model in catalogue.models(get_settings())} - set(wanted.models_off)
    if not left:
        raise NoModelLeft
    if wanted.default_model is not None and wanted.default_model not in left:
        raise NoSuchModel
    switch_changes.change(db, order, wanted, shown_version=shown_version)
