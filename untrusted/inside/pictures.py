"""Pictures: decoded once to see that they are whole, and made as small as models take them."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import pi_heif
from PIL import AvifImagePlugin, Image, ImageOps, MpoImagePlugin, WebPImagePlugin

# What models take, by Pillow's name; other formats are converted.
WEBP = str(WebPImagePlugin.WebPImageFile.format)
TAKEN = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", WEBP: "image/webp"}
# What Pillow calls a phone's JPEG with a second picture in it.
MPO = MpoImagePlugin.MpoImageFile.format
FORMATS = [*TAKEN, "HEIF", "AVIF"]
# Models shrink longer sides themselves, and OpenClaw leaves out pictures of very many pixels.
MOST_SIDE = 2_000
# Five of them fit into one message to the model with room to spare.
MOST_BYTES = 1_500_000
# Beyond this a picture is not decoded at all. A JPEG may be larger: it is decoded at a fraction.
DECODED_PIXELS = 50_000_000
JPEG_PIXELS = 250_000_000
QUALITIES = (88, 75, 60)
# Sharp on a phone where it is shown at a third of that.
THUMBNAIL_SIDE = 480

Fault = Literal["broken", "too_large"]


class BadPicture(Exception):
    """A picture that cannot be shown; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass(frozen=True)
class Fitted:
    """A picture that every model takes. Without `data` it is the one that was given."""

    media_type: str
    data: bytes = b""


@dataclass(frozen=True)
class Thumbnail:
    """A small picture without anything beside its pixels, and the media type it was made of."""

    media_type: str
    data: bytes
    made_of: str


def fit(data: bytes) -> Fitted:
    """Return a picture as it is if it is small and whole, or made so. Raises BadPicture."""
    with _refusing():
        image = _loaded(data, MOST_SIDE)
        return Fitted(TAKEN[str(image.format)]) if _is_fine(image, data) else _shrunk(image)


def thumbnail(data: bytes) -> Thumbnail:
    """Return a picture of at most `THUMBNAIL_SIDE` pixels a side. Raises BadPicture."""
    with _refusing():
        given = _loaded(data, THUMBNAIL_SIDE)
        made_of = "image/jpeg" if given.format == MPO else f"image/{str(given.format).lower()}"
        image = ImageOps.exif_transpose(given)
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
        name = WEBP if image.mode == "RGBA" else "JPEG"
        return Thumbnail(TAKEN[name], _saved(image, name, QUALITIES[1]), made_of)


@contextmanager
def _refusing() -> Generator[None]:
    """Let whatever a damaged picture raises be a BadPicture."""
    try:
        yield
    except MemoryError as error:
        raise BadPicture("too_large") from error
    except BadPicture:
        raise
    # Its parsers let errors of all kinds through when a file is damaged.
    except Exception as error:
        raise BadPicture("broken") from error


def _loaded(data: bytes, side: int) -> Image.Image:
    """Decode a picture; a JPEG at a fraction, if that is at least `side` pixels still."""
    image = _opened(data)
    if image.format in {"JPEG", MPO}:
        image.draft(None, (side, side))
    _refuse_beyond(DECODED_PIXELS, image)
    image.load()
    return image


def _opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    _refuse_beyond(JPEG_PIXELS if image.format in {"JPEG", MPO} else DECODED_PIXELS, image)
    if image.format == "PNG":
        # Pillow shows what it can of a PNG whose checksums are wrong; models refuse it.
        image.verify()
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    return image


def _refuse_beyond(most_pixels: int, image: Image.Image) -> None:
    if image.width * image.height > most_pixels:
        raise BadPicture("too_large")


def _is_fine(image: Image.Image, data: bytes) -> bool:
    is_small = len(data) <= MOST_BYTES and max(image.size) <= MOST_SIDE
    return image.format in TAKEN and is_small


def _shrunk(given: Image.Image) -> Fitted:
    """Turn a picture as its camera said, drop what is not to be seen, and save it small enough."""
    image = ImageOps.exif_transpose(given)
    is_drawn = given.format not in {"JPEG", MPO, "HEIF", "AVIF"}
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if is_drawn and len(made := _saved(image, "PNG", 0)) <= MOST_BYTES:
        # Screenshots and drawings stay sharp.
        return Fitted("image/png", made)
    name = WEBP if image.mode == "RGBA" else "JPEG"
    while True:
        for quality in QUALITIES:
            made = _saved(image, name, quality)
            if len(made) <= MOST_BYTES:
                return Fitted(TAKEN[name], made)
        image = image.reduce(2)


def _saved(image: Image.Image, name: str, quality: int) -> bytes:
    made = io.BytesIO()
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    clean.save(made, name, **({"quality": quality} if quality else {"compress_level": 6}))
    return made.getvalue()


def _prepare() -> None:
    """Load the decoders that are in use, none of them with threads, and no others."""
    Image.preinit()
    # Ours are below; Pillow's own would only warn.
    Image.MAX_IMAGE_PIXELS = None
    pi_heif.options.DECODE_THREADS = 1
    pi_heif.register_heif_opener()  # pyright: ignore[reportUnknownMemberType]  # it has no types
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


_prepare()
