"""Photos that do not fit into one request together are reduced before they are sent, by the same rule as in the C# client and `dti train`."""

from __future__ import annotations

import dataclasses
import io
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from . import pictures
from ._proto import common_pb2
from .errors import invalid
from .pictures import LoadedPhoto, Photo, TrainingPhoto

if TYPE_CHECKING:
    import PIL.Image

LIMIT = 63 * 1024 * 1024
"""Bytes that photos and masks may have together: what a server accepts by default, with room for the other fields."""
REDUCED = "PHOTOS_REDUCED"

_HIGHEST_RESOLUTION = 2048
_USUAL_RESOLUTION = 1024
_LOWEST_RESOLUTION = 64
_MOST_PIXELS = 100_000_000  # as the server
_LONGEST_SIDE = 20_000


def share(sizes: Iterable[int], limit: int = LIMIT) -> float:
    """The bytes of the largest photo that is sent as it is; infinity if all fit.

    Photos below their equal share keep their size, and what they leave is divided among the larger ones.
    """
    ascending, left = sorted(sizes), limit
    for i, size in enumerate(ascending):
        equal = left // (len(ascending) - i)
        if size > equal:
            return equal
        left -= size
    return float("inf")


def fit(photos: Iterable[Photo | TrainingPhoto | common_pb2.Photo], resolution: int | None, limit: int = LIMIT) -> tuple[list[common_pb2.Photo], str]:
    """The messages of photos, of which the largest are reduced until all fit into one request, and a sentence that says which; empty: none was.

    Files are read one by one, so that only one of them is in memory as it is.

    Raises DtiError: a photo is too large and cannot be reduced, or a file cannot be read.
    """
    prepared = [pictures.encoded(photo, i) for i, photo in enumerate(photos)]
    most = share([pictures.size(photo) for photo in prepared], limit)
    needed = min(max(resolution or _USUAL_RESOLUTION, _LOWEST_RESOLUTION), _HIGHEST_RESOLUTION)
    messages, reduced = [], []
    for i, photo in enumerate(prepared):
        loaded = pictures.load(photo, i)
        if loaded.size > most:
            smaller, how = _reduced(loaded, needed, most)
            if smaller is None:
                raise invalid(
                    "photos",
                    f"Photo '{loaded.name}' has {_mebibytes(loaded.size)}{' with its mask' if loaded.mask else ''}. All {len(prepared)} photo(s) have to fit into one "
                    f"request of {_mebibytes(limit)}, which leaves {_mebibytes(most)} for this one. It could not be reduced: {how}. "
                    f"Send fewer photos, or save it as JPEG with a shorter side of {needed} pixels.")
            loaded = smaller
            reduced.append(f"'{loaded.name}' to {how}")
        messages.append(loaded.message())
    if not reduced:
        return messages, ""
    return messages, (f"{len(reduced)} photo(s) were reduced before sending, so that all {len(prepared)} fit into one request of {_mebibytes(limit)}: "
                      f"{', '.join(reduced[:5])}{', …' if len(reduced) > 5 else ''}.")


def _reduced(photo: LoadedPhoto, needed: int, most: float) -> tuple[LoadedPhoto | None, str]:
    """A smaller photo and how it was reduced, or None and why it could not be."""
    import PIL

    try:
        image, mask = _open(photo.data), _open(photo.mask) if photo.mask else None
    except _TooManyPixels as error:
        return None, str(error)
    except (OSError, SyntaxError, ValueError, PIL.UnidentifiedImageError):  # what Pillow raises for damaged files
        return None, "it or its mask is not a JPEG, PNG, WebP, BMP or GIF file that can be decoded"
    if mask is not None and mask.size != image.size:
        return None, f"it has {_spell(image.size)} pixels and its mask {_spell(mask.size)}, which must be equal"
    for side, quality in _steps(needed):
        smaller = dataclasses.replace(photo, data=_encode(image, side, quality), mask=b"" if mask is None else _encode(mask, side, None))
        if smaller.size <= most:
            return smaller, f"a shorter side of at most {side} pixels"
    return None, "it is too large even at the resolution of the training"


def _steps(needed: int) -> Iterator[tuple[int, int]]:
    yield from ((_HIGHEST_RESOLUTION, 95), ((_HIGHEST_RESOLUTION + needed) // 2, 95), (needed, 95), (needed, 85), (needed, 70))


class _TooManyPixels(Exception):
    pass


def _open(data: bytes) -> PIL.Image.Image:
    """A photo, upright; in RGB, or in RGBA where it has transparency."""
    import PIL.Image
    import PIL.ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
        try:
            opened = PIL.Image.open(io.BytesIO(data))
        except PIL.Image.DecompressionBombError:
            raise _TooManyPixels("it has more than the 100 million pixels that are accepted") from None
        with opened as image:
            if image.width * image.height > _MOST_PIXELS or max(image.size) > _LONGEST_SIDE:
                raise _TooManyPixels(f"it has {_spell(image.size)} pixels, and at most 100 million and 20,000 a side are accepted")
            upright = PIL.ImageOps.exif_transpose(image)
            profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
            if upright.mode.startswith("I"):  # 16 bits
                upright = upright.point(lambda level: level / 256).convert("L")
            clear = upright.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            upright = upright.convert("RGBA" if clear else "RGB")
            if clear and upright.getchannel("A").getextrema() == (255, 255):
                upright = upright.convert("RGB")
            upright.info = {"icc_profile": profile} if profile else {}
            return upright


def _encode(image: PIL.Image.Image, side: int, quality: int | None) -> bytes:
    """A smaller copy: JPEG, WebP where it has transparency, PNG without a quality."""
    import PIL.Image

    scale, profile, data = min(1, side / min(image.size)), image.info.get("icc_profile"), io.BytesIO()
    smaller = image if scale == 1 else image.resize((round(image.width * scale), round(image.height * scale)), PIL.Image.Resampling.LANCZOS, reducing_gap=3)
    if quality is None:
        smaller.convert("L").save(data, "PNG")
    else:
        smaller.save(data, "WEBP" if smaller.mode == "RGBA" else "JPEG", quality=quality, icc_profile=profile)
    return data.getvalue()


def _spell(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"


def _mebibytes(count: float) -> str:
    return f"{count / (1 << 20):.2f}".rstrip("0").rstrip(".") + " MiB"
