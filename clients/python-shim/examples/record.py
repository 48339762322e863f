"""Runs the cells of a notebook in order and writes what they give into it: python record.py first-concept.ipynb

As Jupyter does, as far as these notebooks need it: a cell gives what it prints and the value of its last line.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import pathlib
import sys

from PIL import Image


def run(notebook: dict) -> list[list[dict]]:
    """The outputs of each code cell."""
    names: dict = {"__name__": "__main__"}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [_outputs("".join(cell["source"]), names, number) for number, cell in enumerate(cells, 1)]


def _outputs(source: str, names: dict, number: int) -> list[dict]:
    tree = ast.parse(source)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), names)
        value = eval(compile(last, f"cell {number}", "eval"), names) if last else None
    outputs = [{"name": "stdout", "output_type": "stream", "text": printed.getvalue().splitlines(keepends=True)}] if printed.getvalue() else []
    if value is not None:
        outputs.append({"data": _data(value), "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    return outputs


def _data(value) -> dict:
    if not isinstance(value, Image.Image):
        return {"text/plain": [repr(value)]}
    file = io.BytesIO()
    value.save(file, "jpeg", quality=85)
    return {"image/jpeg": base64.b64encode(file.getvalue()).decode(), "text/plain": [f"<image of {value.width}x{value.height} pixels>"]}


def record(path: pathlib.Path) -> None:
    """Writes the outputs of a notebook's cells into it."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    outputs = run(notebook)
    for number, (cell, given) in enumerate(zip((cell for cell in notebook["cells"] if cell["cell_type"] == "code"), outputs), 1):
        cell["execution_count"], cell["outputs"] = number, given
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record(pathlib.Path(sys.argv[1]))
