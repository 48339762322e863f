"""ComfyUI's tensors; the only place that knows torch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy

from ..errors import invalid
from ..pictures import encode_png, to_uint8

if TYPE_CHECKING:
    import PIL.Image
    import torch


def image_batch(pictures: Iterable[numpy.ndarray]) -> torch.Tensor:
    """(H, W, 3) of 0 to 255 each, all of one size: an IMAGE, (B, H, W, 3) of 0 to 1."""
    import torch

    return torch.from_numpy(numpy.stack(list(pictures)).astype(numpy.float32) / 255)


def array(image: PIL.Image.Image) -> numpy.ndarray:
    """An RGB image as (H, W, 3) of 0 to 255."""
    return numpy.array(image.convert("RGB"))


def thumbnail(path: str | None) -> numpy.ndarray:
    """The image in a file, (H, W, 3) of 0 to 255; plain grey where there is none, or none that can be read."""
    import PIL.Image

    if path:
        with contextlib.suppress(OSError), PIL.Image.open(path) as image:
            return array(image)
    return numpy.full((128, 128, 3), 96, numpy.uint8)


def pictures(images: torch.Tensor) -> list[numpy.ndarray]:
    """An IMAGE as arrays (H, W, 3) of 0 to 255."""
    return [to_uint8(picture) for picture in images.cpu().numpy()[..., :3]]


def masks(masks: torch.Tensor | None, count: int) -> list[bytes | None]:
    """A MASK, (1 or B, H, W) of 0 to 1, as a PNG for each of so many photos; None: none.

    One without any white is none: Load Image gives such a mask, of 64×64, for a photo without transparency.
    """
    if masks is None:
        return [None] * count
    levels = masks.cpu().numpy()
    if len(levels) not in (1, count):
        raise invalid("masks", f"There are {len(levels)} masks for {count} photos; connect one for each, or one for all.")
    files = [encode_png(to_uint8(level[..., None].repeat(3, axis=-1))) if level.any() else None for level in levels]
    return files * count if len(files) == 1 else files


def rows(vectors: numpy.ndarray) -> list[torch.Tensor]:
    """(n, d) as n tensors (d,): what CLIP's tokens may be."""
    import torch

    return list(torch.from_numpy(vectors.astype(numpy.float32)))
