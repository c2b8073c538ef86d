"""What every table shares: keys, names of constraints, and how Python types are stored."""

import enum
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Enum,
    MetaData,
    Text,
    Uuid,
    any_,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, mapped_column
from uuid_utils.compat import uuid7

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def new_id() -> UUID:
    """Make a UUIDv7: unique, and sorted by the time of its making."""
    return uuid7()


def utc_now() -> datetime:
    return datetime.now(UTC)


def is_any_of(column: InstrumentedAttribute[str], values: Collection[str]) -> ColumnElement[bool]:
    """Say that a column is one of these, however many; of parameters there may be 65,535."""
    return column == any_(literal([*values], ARRAY(Text)))


def _values(members: type[enum.Enum]) -> list[str]:
    return [str(member.value) for member in members]


def stored_as_text(members: type[enum.StrEnum]) -> Enum:
    """Keep an enum as text with a CHECK: adding a member needs no ALTER TYPE."""
    return Enum(
        members,
        native_enum=False,
        create_constraint=True,
        values_callable=_values,
        length=32,
        name=members.__name__.lower(),
    )


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: dict[Any, Any] = {  # noqa: RUF012  # the name SQLAlchemy looks for
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        UUID: Uuid,
    }


# What the sentence of a code names: micro-dollars as `…_micros`, counts, texts.
Details = Annotated[dict[str, Any], mapped_column(JSONB, default=dict, server_default="{}")]
PrimaryKey = Annotated[UUID, mapped_column(Uuid, primary_key=True, default=new_id)]
Created = Annotated[
    datetime,
    mapped_column(DateTime(timezone=True), default=utc_now, server_default=func.now()),
]
