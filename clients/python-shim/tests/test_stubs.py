"""The committed stubs, and the types that stand for their messages."""

import dataclasses
import importlib.util
import pathlib
import shutil
import typing

import pytest

from dti_client import convert, records
from dti_client._proto import concept_service_pb2, generation_pb2, job_service_pb2, training_pb2

PACK = pathlib.Path(__file__).resolve().parents[1]
TYPES = {training_pb2.TrainingOptions: records.TrainingOptions, generation_pb2.GenerationOptions: records.GenerationOptions, **convert.TYPES}


def test_stubs_are_those_of_the_contract(tmp_path):
    if shutil.which("protoc") is None or shutil.which("grpc_python_plugin") is None:
        pytest.skip("needs protoc with gRPC's plugin for Python, install with apt-get install protobuf-compiler protobuf-compiler-grpc libprotobuf-dev")
    spec = importlib.util.spec_from_file_location("generate", PACK / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    if generate.compiler() != generate.COMPILER:
        pytest.skip(f"the committed stubs are made by {generate.COMPILER}; this is {generate.compiler()}")
    generate.generate(tmp_path)
    committed = {file.name: file.read_text() for file in (PACK / "dti_client/_proto").glob("*.py")}
    assert {file.name: file.read_text() for file in tmp_path.glob("*.py")} == committed, "run generate.py"


def test_stubs_ask_for_no_particular_runtime():
    """Stubs of newer compilers refuse protobuf and grpcio older than themselves."""
    for file in (PACK / "dti_client/_proto").glob("*.py"):
        assert "runtime_version" not in file.read_text() and "GRPC_GENERATED_VERSION" not in file.read_text()


@pytest.mark.parametrize("message", TYPES, ids=lambda message: message.DESCRIPTOR.name)
def test_types_have_the_fields_of_their_messages(message):
    fields = {field.name for field in dataclasses.fields(TYPES[message])}
    replaced = {"dti.v1.Concept": {"dimension"}}  # by dimensions, which has all text encoders
    assert fields == {field.name for field in message.DESCRIPTOR.fields} - replaced.get(message.DESCRIPTOR.full_name, set())


@pytest.mark.parametrize("words, enumeration", [
    (records.ConceptKind, training_pb2.ConceptKind), (records.TrainingMethod, training_pb2.TrainingMethod), (records.Magnitude, training_pb2.Magnitude),
    (records.KappaSchedule, training_pb2.KappaSchedule), (records.LearningRateSchedule, training_pb2.LearningRateSchedule), (records.TrainingStart, training_pb2.TrainingStart), (records.PromptSyntax, generation_pb2.PromptSyntax), (records.LongPrompts, generation_pb2.LongPrompts), (records.Easing, generation_pb2.Easing),
    (records.ConceptFormat, concept_service_pb2.ConceptFormat), (records.JobKind, job_service_pb2.JobKind), (records.JobState, job_service_pb2.JobState)])
def test_words_are_those_of_their_enumerations(words, enumeration):
    assert sorted(convert.number(enumeration.DESCRIPTOR, word, "") for word in typing.get_args(words)) == sorted(number for number in enumeration.values() if number)
