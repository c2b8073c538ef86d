"""What admins may see and do, by their role."""

import enum
from collections.abc import Mapping

from models.errors import Refused
from models.schema.admins import AdminRole
from models.schema.users import User


class Permission(enum.StrEnum):
    """What a page or an action asks of an admin's role."""

    READ = "read"
    # Revenue, costs, and what an account paid.
    READ_MONEY = "read_money"
    ACT = "act"
    ACT_MONEY = "act_money"
    # Changes the product for everybody.
    SWITCH = "switch"


PERMISSIONS: Mapping[AdminRole, frozenset[Permission]] = {
    AdminRole.OWNER: frozenset(Permission),
    AdminRole.SUPPORT: frozenset({Permission.READ, Permission.ACT}),
    AdminRole.VIEWER: frozenset({Permission.READ, Permission.READ_MONEY}),
}


class NotOfThisRole(Refused):
    """An admin's role does not allow what they ask."""

    code = "not_of_this_role"


def may(person: User, permission: Permission) -> bool:
    """Tell whether an account is an admin's whose role allows this."""
    return person.admin_role is not None and permission in PERMISSIONS[person.admin_role]


def refuse_unless(person: User, permission: Permission) -> None:
    """Raise NotOfThisRole unless the account is an admin's whose role allows this."""
    if not may(person, permission):
        raise NotOfThisRole
