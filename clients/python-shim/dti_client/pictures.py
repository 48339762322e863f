"""Pictures as the server takes them."""

from __future__ import annotations

import io
import os
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, Union

from ._proto import common_pb2
from .errors import invalid

if TYPE_CHECKING:
    import numpy
    import PIL.Image

T = TypeVar("T")

Photo = Union[str, "os.PathLike[str]", bytes, "PIL.Image.Image", "numpy.ndarray"]
"""A photo: a file's path, a file's bytes, a PIL image, or an array (height, width, 3), uint8 0 to 255 or floating-point 0 to 1."""


@dataclass(frozen=True)
class TrainingPhoto:
    """A photo with what is known of it."""

    photo: Photo
    mask: Photo | None = None
    """An image of the same shape, white where the subject is and black elsewhere: only white areas are trained on."""
    caption: str = ""
    """What the photo shows, in place of a template. `{concept}` says where the concept is named; without it, the concept takes the place of the initializer."""


def encoded(photo: Photo | TrainingPhoto | common_pb2.Photo, index: int) -> Photo | TrainingPhoto | common_pb2.Photo:
    """A photo with every image as a file: those that are none yet travel as PNG."""
    if isinstance(photo, common_pb2.Photo):
        return photo
    if isinstance(photo, TrainingPhoto):
        return replace(photo, photo=encoded(photo.photo, index), mask=None if photo.mask is None else _file(photo.mask))
    return photo if isinstance(photo, (bytes, str, os.PathLike)) else common_pb2.Photo(data=encode_png(photo), file_name=f"photo-{index}.png")


def size(photo: Photo | TrainingPhoto | common_pb2.Photo) -> int:
    """Bytes of an encoded photo and its mask; files are not read for that.

    Raises DtiError: there is no such file.
    """
    if isinstance(photo, common_pb2.Photo):
        return len(photo.data) + len(photo.mask)
    if isinstance(photo, TrainingPhoto):
        return size(photo.photo) + (0 if photo.mask is None else size(photo.mask))
    return len(photo) if isinstance(photo, bytes) else _of(photo, lambda path: path.stat().st_size)


@dataclass(frozen=True)
class LoadedPhoto:
    """A photo with the bytes of its files, which are not copied."""

    name: str
    data: bytes
    mask: bytes = b""
    caption: str = ""

    @property
    def size(self) -> int:
        """Bytes of the photo and its mask."""
        return len(self.data) + len(self.mask)

    def message(self) -> common_pb2.Photo:
        """What is sent."""
        return common_pb2.Photo(file_name=self.name, data=self.data, mask=self.mask, caption=self.caption)


def load(photo: Photo | TrainingPhoto | common_pb2.Photo, index: int) -> LoadedPhoto:
    """Reads a photo; images that are no files yet travel as PNG.

    Raises DtiError: a file cannot be read.
    """
    if isinstance(photo, common_pb2.Photo):
        return LoadedPhoto(photo.file_name, photo.data, photo.mask, photo.caption)
    if isinstance(photo, TrainingPhoto):
        return replace(load(photo.photo, index), mask=b"" if photo.mask is None else load(photo.mask, index).data, caption=photo.caption)
    if isinstance(photo, bytes):
        return LoadedPhoto(f"photo-{index}", photo)
    if isinstance(photo, (str, os.PathLike)):
        return LoadedPhoto(pathlib.Path(photo).name, _of(photo, pathlib.Path.read_bytes))
    return LoadedPhoto(f"photo-{index}.png", encode_png(photo))


def _file(photo: Photo) -> Photo:
    return photo if isinstance(photo, (bytes, str, os.PathLike)) else encode_png(photo)


def _of(photo: str | os.PathLike[str], read: Callable[[pathlib.Path], T]) -> T:
    try:
        return read(pathlib.Path(photo))
    except OSError as error:
        raise invalid("photos", f"The photo {os.fspath(photo)} cannot be read: {error.strerror}.") from error


def encode_png(picture: PIL.Image.Image | numpy.ndarray) -> bytes:
    """A PIL image or an array as a PNG file; the same pixels give the same bytes."""
    import PIL.Image

    if not isinstance(picture, PIL.Image.Image):
        picture = PIL.Image.fromarray(to_uint8(picture))
    data = io.BytesIO()
    picture.save(data, "PNG", compress_level=1)
    return data.getvalue()


def to_uint8(pixels: numpy.ndarray) -> numpy.ndarray:
    """Pixels 0 to 1 as 0 to 255; those that are bytes already stay as they are."""
    import numpy

    return pixels if pixels.dtype == numpy.uint8 else (pixels.clip(0, 1) * 255 + 0.5).astype(numpy.uint8)
