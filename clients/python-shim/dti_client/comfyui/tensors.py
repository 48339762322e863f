"""ComfyUI's tensors; the only place that knows torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy

from ..pictures import to_uint8

if TYPE_CHECKING:
    import torch


def image_batch(pictures: Iterable[numpy.ndarray]) -> torch.Tensor:
    """(H, W, 3) of 0 to 255 each, all of one size: an IMAGE, (B, H, W, 3) of 0 to 1."""
    import torch

    return torch.from_numpy(numpy.stack(list(pictures)).astype(numpy.float32) / 255)


def pictures(images: torch.Tensor) -> list[numpy.ndarray]:
    """An IMAGE as arrays (H, W, 3) of 0 to 255."""
    return [to_uint8(picture) for picture in images.cpu().numpy()[..., :3]]


def rows(vectors: numpy.ndarray) -> list[torch.Tensor]:
    """(n, d) as n tensors (d,): what CLIP's tokens may be."""
    import torch

    return list(torch.from_numpy(vectors.astype(numpy.float32)))
