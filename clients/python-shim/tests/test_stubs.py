"""The committed stubs."""

import importlib.util
import pathlib

PACK = pathlib.Path(__file__).resolve().parents[1]


def test_stubs_are_those_of_the_contract(tmp_path):
    spec = importlib.util.spec_from_file_location("generate", PACK / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    generate.generate(tmp_path)
    committed = {file.name: file.read_text() for file in (PACK / "dti_client/_proto").glob("*.py")}
    assert {file.name: file.read_text() for file in tmp_path.glob("*.py")} == committed, "run generate.py"


def test_stubs_ask_for_no_particular_runtime():
    """Stubs of newer compilers refuse protobuf and grpcio older than themselves."""
    for file in (PACK / "dti_client/_proto").glob("*.py"):
        assert "runtime_version" not in file.read_text() and "GRPC_GENERATED_VERSION" not in file.read_text()
