"""Pictures as the server takes them."""

from __future__ import annotations

import io
import os
import pathlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from ._proto import common_pb2

if TYPE_CHECKING:
    import numpy
    import PIL.Image

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


def photo_message(photo: Photo | TrainingPhoto, index: int) -> common_pb2.Photo:
    """The message of a photo; images that are no files yet travel as PNG."""
    if isinstance(photo, TrainingPhoto):
        message = photo_message(photo.photo, index)
        message.caption = photo.caption
        if photo.mask is not None:
            message.mask = photo_message(photo.mask, index).data
        return message
    if isinstance(photo, bytes):
        return common_pb2.Photo(data=photo, file_name=f"photo-{index}")
    if isinstance(photo, (str, os.PathLike)):
        path = pathlib.Path(photo)
        return common_pb2.Photo(data=path.read_bytes(), file_name=path.name)
    return common_pb2.Photo(data=encode_png(photo), file_name=f"photo-{index}.png")


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
