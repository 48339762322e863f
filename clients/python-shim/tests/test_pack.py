"""What comes with the nodes: example workflows, and what the registry reads."""

import asyncio
import json
import os
import pathlib
import re
import subprocess
import sys

import comfyui_stand_in
import pytest
from PIL import Image

PACK = pathlib.Path(__file__).resolve().parents[1]
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}


@pytest.fixture
def schemas(monkeypatch, tmp_path):
    comfyui_stand_in.install(monkeypatch, tmp_path)
    from dti_client.comfyui import comfy_entrypoint

    nodes = asyncio.run(comfy_entrypoint().get_node_list())
    return {schema.node_id: schema for schema in (node.define_schema() for node in nodes)}


@pytest.mark.parametrize("workflow", sorted((PACK / "example_workflows").glob("*.json")), ids=lambda file: file.stem)
def test_example_workflow_fits_the_nodes(workflow, schemas):
    graph = json.loads(workflow.read_text())
    ours = [node for node in graph["nodes"] if node["type"].startswith("Dti")]
    assert ours
    for node in ours:
        schema = schemas[node["type"]]
        values = iter(node["widgets_values"])
        for port in sorted((port for port in schema.inputs if port.io_type in WIDGETS), key=lambda port: port.options.get("optional", False)):
            value = next(values)
            assert type(value) in {"INT": (int,), "FLOAT": (int, float), "BOOLEAN": (bool,)}.get(port.io_type, (str,)), (node["type"], port.id)
            if port.io_type == "COMBO" and port.id not in ("model", "name"):  # which the server knows
                assert value in port.options["options"]
            if port.options.get("control_after_generate"):
                assert next(values) in ("fixed", "randomize")
        assert not list(values)
        sockets = {port.id: port.io_type for port in schema.inputs if port.io_type not in WIDGETS}
        assert {socket["name"]: socket["type"] for socket in node["inputs"]} == sockets
        assert [socket["type"] for socket in node["outputs"]] == [port.io_type for port in schema.outputs]


def test_train_inputs_of_saved_workflows_stay_where_they_were(schemas):
    """The page keeps widgets' values by place: required ones first, then optional ones, each in their order."""
    widgets = [port.id for port in schemas["DtiTrainConcept"].inputs if port.io_type in WIDGETS]
    required = [port.id for port in schemas["DtiTrainConcept"].inputs if port.io_type in WIDGETS and not port.options.get("optional")]
    assert required == widgets[:len(required)] == [
        "name", "kind", "initializer", "steps", "seed", "model", "method", "num_vectors", "batch_size", "learning_rate", "kappa", "beta", "resolution",
        "center_crop", "random_flip", "preview_every", "preview_prompt", "overwrite"]


def test_train_offers_the_words_of_the_start_and_the_default(schemas):
    start = next(port for port in schemas["DtiTrainConcept"].inputs if port.id == "start")
    assert (start.options["options"], start.options["default"], start.options["optional"]) == (["(default)", "word", "photos"], "(default)", True)


@pytest.mark.parametrize("workflow", sorted((PACK / "example_workflows").glob("*.json")), ids=lambda file: file.stem)
def test_example_workflow_links_what_fits(workflow):
    graph = json.loads(workflow.read_text())
    nodes = {node["id"]: node for node in graph["nodes"]}
    for link, source, out, target, into, kind in graph["links"]:
        assert link in nodes[source]["outputs"][out]["links"] and nodes[source]["outputs"][out]["type"] == kind
        assert nodes[target]["inputs"][into]["link"] == link and nodes[target]["inputs"][into]["type"] == kind


@pytest.mark.parametrize("workflow", sorted((PACK / "example_workflows").glob("*.json")), ids=lambda file: file.stem)
def test_example_workflow_has_a_small_thumbnail_and_a_picture_in_the_readme(workflow):
    thumbnail = workflow.with_suffix(".jpg")
    with Image.open(thumbnail) as picture:
        assert picture.format == "JPEG" and max(picture.size) <= 640 and thumbnail.stat().st_size < 60_000
    drawn = f"docs/images/comfyui-{workflow.stem}.webp"
    assert f"(../../{drawn})" in (PACK / "README.md").read_text(encoding="utf-8") and (PACK.parents[1] / drawn).exists()


def test_no_dropdown_is_filled_by_a_route(schemas):
    """The page puts two more widgets behind such a dropdown, and saves their values among the others."""
    assert not [(schema.node_id, port.id) for schema in schemas.values() for port in schema.inputs if "remote" in {**port.options, **port.extra_dict}]


def test_page_gets_the_scripts_of_the_pack():
    text = (PACK / "__init__.py").read_text(encoding="utf-8")
    assert 'WEB_DIRECTORY = "web"' in text and {file.name for file in (PACK / "web").iterdir()} == {"dti.js", "saved-workflows.js"}


def test_requirements_are_those_of_the_package():
    package = re.search(r"^dependencies = (\[.*\])$", (PACK / "pyproject.toml").read_text(), re.MULTILINE)
    required = [line for line in (PACK / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert [name for name in json.loads(package.group(1)) if name not in ("numpy", "pillow")] == required


def test_client_loads_under_the_name_that_comfyui_gives_a_copied_folder():
    """There is no module dti_client then, and errors are still shown under that name."""
    code = f"""
import importlib.util, sys
name = "/ComfyUI/custom_nodes/dti"
spec = importlib.util.spec_from_file_location(name, {str(PACK / "dti_client" / "__init__.py")!r})
sys.modules[name] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
assert "dti_client" not in sys.modules and module.DtiError.__module__ == "dti_client" and str(module.DtiError("no")) == "no"
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd="/", env={**os.environ, "PYTHONPATH": ""})


def test_nodes_keep_torch_in_one_module():
    modules = [file for file in (PACK / "dti_client").rglob("*.py") if re.search(r"^\s*(import|from) torch\b", file.read_text(), re.MULTILINE)]
    assert [file.name for file in modules] == ["tensors.py"]
