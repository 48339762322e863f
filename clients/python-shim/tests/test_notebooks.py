"""The notebooks in examples: their cells run in order, and their recorded outputs are what they give."""

import base64
import importlib.util
import io
import json
import pathlib

import pytest
from PIL import Image

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"


def kinds(outputs):
    return [sorted(output.get("data", {"stream": output.get("name")})) for output in outputs]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_runs_in_order_and_gives_what_is_recorded(path, address, monkeypatch):
    monkeypatch.setenv("DTI_SERVER", address)
    monkeypatch.chdir(path.parent)
    spec = importlib.util.spec_from_file_location("record", EXAMPLES / "record.py")
    record = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(record)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]

    for cell in cells:  # what takes minutes with a real model, a few steps show
        cell["source"] = [line.replace("steps=200", "steps=2").replace("steps=20", "steps=2").replace("preview_steps=12", "preview_steps=1") for line in cell["source"]]
    outputs = record.run(notebook)

    assert (notebook["nbformat"], len({cell["id"] for cell in notebook["cells"]})) == (4, len(notebook["cells"]))
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert [kinds(cell["outputs"]) for cell in cells] == [kinds(given) for given in outputs]
    images = [output["data"]["image/jpeg"] for cell in cells for output in cell["outputs"] if "image/jpeg" in output.get("data", {})]
    assert images and all(Image.open(io.BytesIO(base64.b64decode(image))).width > 100 for image in images)
