"""What a request may consist of: shapes that keep what they know and nothing else.

A shape takes a value out of a request and returns it with only those fields that it names. What a
provider could do without being told of (fetch, run, remember, multiply) is so left out or refused,
whatever it is called next year.
"""

from collections.abc import Callable, Mapping
from typing import cast

from agent.meter.wires.base import Body, Picture

DATA_IMAGE = "data:image/"
BASE64 = ";base64,"
LONGEST_HEAD = 64
LARGEST_NUMBER = 10**12


class NotAllowed(Exception):
    """A request has a part in it that cannot be left out without changing what is said."""


class Cut:
    """Counts what was left out of one request."""

    def __init__(self) -> None:
        self.left_out = 0


Shape = Callable[[object, Cut], object]


def anything(value: object, cut: Cut) -> object:
    """Take a value as it is: what a tool is given or gives back, and how a tool is described."""
    del cut
    return value


def text(value: object, cut: Cut) -> object:
    """Take words."""
    del cut
    if not isinstance(value, str):
        raise NotAllowed("a text")
    return value


def flag(value: object, cut: Cut) -> object:
    """Take true or false."""
    del cut
    if not isinstance(value, bool):
        raise NotAllowed("a flag")
    return value


def number(value: object, cut: Cut) -> object:
    """Take a number of a size that means something."""
    del cut
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise NotAllowed("a number")
    # Asked this way round, because what is no number at all is not larger either.
    if not abs(value) <= LARGEST_NUMBER:
        raise NotAllowed("a number of a usual size")
    return value


def inline_image(value: object, cut: Cut) -> object:
    """Take an image that is written out in its address; any other address would be fetched."""
    address = str(text(value, cut))
    head = address[:LONGEST_HEAD]
    if not head.startswith(DATA_IMAGE) or BASE64 not in head:
        raise NotAllowed("an image by its address")
    return Picture(address)


def picture(value: object, cut: Cut) -> object:
    """Take the bytes of an image, in base64."""
    return Picture(text(value, cut))


def image_type(value: object, cut: Cut) -> object:
    """Take the type of an image; other inline files cost what no hold expects."""
    if not str(text(value, cut)).startswith("image/"):
        raise NotAllowed("a file that is no image")
    return value


def one_of(*words: str) -> Shape:
    """Make a shape that takes any of `words`."""

    def take(value: object, cut: Cut) -> object:
        del cut
        if value not in words:
            raise NotAllowed(f"something other than {', '.join(words)}")
        return value

    return take


def each(shape: Shape) -> Shape:
    """Make a shape that takes a list of what `shape` takes."""

    def take(value: object, cut: Cut) -> object:
        if not isinstance(value, list):
            raise NotAllowed("a list")
        return [shape(one, cut) for one in cast(list[object], value)]

    return take


def text_or(shape: Shape) -> Shape:
    """Make a shape that takes words, or what `shape` takes."""

    def take(value: object, cut: Cut) -> object:
        return value if isinstance(value, str) else shape(value, cut)

    return take


def fields(allowed: Mapping[str, Shape], *, expected: frozenset[str] = frozenset()) -> Shape:
    """Make a shape that takes an object, and leaves out all fields but the `allowed` ones.

    That `expected` ones are left out is nothing to be noted. What is null counts as missing.
    """

    def take(value: object, cut: Cut) -> object:
        holder = as_object(value)
        cut.left_out += sum(name not in allowed and name not in expected for name in holder)
        return {
            name: None if inner is None else allowed[name](inner, cut)
            for name, inner in holder.items()
            if name in allowed
        }

    return take


def whole(allowed: Mapping[str, Shape]) -> Shape:
    """Make a shape that takes an object only if it has no other fields: a part of what is said."""
    trimmed = fields(allowed)

    def take(value: object, cut: Cut) -> object:
        if not as_object(value).keys() <= allowed.keys():
            raise NotAllowed("a part of a kind that is not known")
        return trimmed(value, cut)

    return take


def by_type(kinds: Mapping[str, Mapping[str, Shape]], *, default: str | None = None) -> Shape:
    """Make a shape that takes an object as what its `type` says that it is."""
    shapes = {kind: fields({"type": text, **allowed}) for kind, allowed in kinds.items()}

    def take(value: object, cut: Cut) -> object:
        kind = as_object(value).get("type", default)
        if not isinstance(kind, str) or kind not in shapes:
            raise NotAllowed("a part of a kind that is not known")
        return shapes[kind](value, cut)

    return take


def tools(is_ours: Callable[[Body], bool], shape: Shape) -> Shape:
    """Make a shape that takes tools, and leaves out those that a provider runs itself."""

    def take(value: object, cut: Cut) -> object:
        if not isinstance(value, list):
            raise NotAllowed("a list of tools")
        found = [as_object(one) for one in cast(list[object], value)]
        ours = [one for one in found if is_ours(one)]
        cut.left_out += len(found) - len(ours)
        return [shape(one, cut) for one in ours]

    return take


def as_object(value: object) -> Body:
    """Return an object as one. Raises NotAllowed for anything else."""
    if not isinstance(value, dict):
        raise NotAllowed("an object")
    return cast(Body, value)
