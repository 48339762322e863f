"""Images in rows and columns, with what each row and column is."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy
from PIL import Image, ImageDraw

_GAP = 4
_LINE = 13
_CHARACTER = 6.2  # pixels of Pillow's own font


def grid(rows: Sequence[Sequence[Image.Image]], row_titles: Sequence[str], column_titles: Sequence[str]) -> numpy.ndarray:
    """All images in one, (H, W, 3) of 0 to 255; they are of one size."""
    width, height = rows[0][0].size
    letters = max(8, int((width - _GAP) / _CHARACTER))
    columns = [textwrap.wrap(_plain(title), letters) for title in column_titles]
    titles = [textwrap.wrap(_plain(title), letters * len(column_titles)) for title in row_titles]
    top = _GAP + _LINE * max(map(len, columns))
    sheet = Image.new("RGB", (len(column_titles) * (width + _GAP) + _GAP, top + sum(_LINE * len(title) + height + 2 * _GAP for title in titles) + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for x, lines in enumerate(columns):
        pen.multiline_text((_GAP + x * (width + _GAP), 2), "\n".join(lines), fill="black", spacing=2)
    y = top
    for row, lines in zip(rows, titles):
        pen.multiline_text((_GAP, y), "\n".join(lines), fill="black", spacing=2)
        y += _LINE * len(lines) + _GAP
        for x, image in enumerate(row):
            sheet.paste(image, (_GAP + x * (width + _GAP), y))
        y += height + _GAP
    return numpy.array(sheet)


def _plain(text: str) -> str:
    """Text in the letters that Pillow's own font has."""
    return text.encode("latin-1", "replace").decode("latin-1") or " "
