"""What comes with the nodes: example workflows, and what the registry reads."""

import json
import pathlib
import re

import comfyui_stand_in
import pytest

PACK = pathlib.Path(__file__).resolve().parents[1]
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}


@pytest.fixture
def schemas(monkeypatch, tmp_path):
    comfyui_stand_in.install(monkeypatch, tmp_path)
    from dti_client.comfyui.extension import (
        DtiEncodeWithConcepts, DtiGenerate, DtiInterpolateConcepts, DtiLoadConcept, DtiSaveEmbedding, DtiServerNode, DtiTrainConcept)

    nodes = [DtiServerNode, DtiTrainConcept, DtiLoadConcept, DtiInterpolateConcepts, DtiGenerate, DtiEncodeWithConcepts, DtiSaveEmbedding]
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
            if port.io_type == "COMBO" and "remote" not in port.options:
                assert value in port.options["options"]
            if port.options.get("control_after_generate"):
                assert next(values) in ("fixed", "randomize")
        assert not list(values)
        sockets = {port.id: port.io_type for port in schema.inputs if port.io_type not in WIDGETS}
        assert {socket["name"]: socket["type"] for socket in node["inputs"]} == sockets
        assert [socket["type"] for socket in node["outputs"]] == [port.io_type for port in schema.outputs]


@pytest.mark.parametrize("workflow", sorted((PACK / "example_workflows").glob("*.json")), ids=lambda file: file.stem)
def test_example_workflow_links_what_fits(workflow):
    graph = json.loads(workflow.read_text())
    nodes = {node["id"]: node for node in graph["nodes"]}
    for link, source, out, target, into, kind in graph["links"]:
        assert link in nodes[source]["outputs"][out]["links"] and nodes[source]["outputs"][out]["type"] == kind
        assert nodes[target]["inputs"][into]["link"] == link and nodes[target]["inputs"][into]["type"] == kind


def test_requirements_are_those_of_the_package():
    package = re.search(r"^dependencies = (\[.*\])$", (PACK / "pyproject.toml").read_text(), re.MULTILINE)
    required = [line for line in (PACK / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert [name for name in json.loads(package.group(1)) if name not in ("numpy", "pillow")] == required


def test_nodes_keep_torch_in_one_module():
    modules = [file for file in (PACK / "dti_client").rglob("*.py") if re.search(r"^\s*(import|from) torch\b", file.read_text(), re.MULTILINE)]
    assert [file.name for file in modules] == ["tensors.py"]
