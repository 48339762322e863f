"""The loss curve of a training as an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from PIL import Image, ImageDraw

_SIZE = (768, 384)
_MARGIN = 40


def loss_curve(losses: Sequence[float], averages: Sequence[float]) -> numpy.ndarray:
    """Each step's loss, light, and its moving average, (384, 768, 3) of 0 to 255."""
    chart = Image.new("RGB", _SIZE, "white")
    pen = ImageDraw.Draw(chart)
    (width, height), values = _SIZE, [*losses, *averages]
    if not values:
        pen.text((_MARGIN, height // 2), "trained earlier; the server no longer has the losses", fill="black")
        return numpy.array(chart)

    low, high = min(values), max(values)

    def points(series: Sequence[float]) -> list[tuple[float, float]]:
        across = (width - 2 * _MARGIN) / max(len(series) - 1, 1)
        return [(_MARGIN + i * across, height - _MARGIN - (value - low) / ((high - low) or 1) * (height - 2 * _MARGIN)) for i, value in enumerate(series)]

    pen.rectangle((_MARGIN, _MARGIN, width - _MARGIN, height - _MARGIN), outline="#cccccc")
    pen.line(points(losses), fill="#b8c8e0")
    pen.line(points(averages), fill="#1f4e9e", width=3)
    pen.text((4, _MARGIN - 14), f"{high:.4f}", fill="black")
    pen.text((4, height - _MARGIN + 2), f"{low:.4f}", fill="black")
    pen.text((width // 2 - 60, height - 20), f"loss over {len(losses)} steps", fill="black")
    return numpy.array(chart)
