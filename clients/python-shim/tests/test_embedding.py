"""Vectors, their files, and what lies between two of them."""

import json
import pathlib

import numpy
import pytest

from dti_client import ConceptEmbedding, DtiError, slerp

FIXTURE = pathlib.Path(__file__).resolve().parents[3] / "tests/fixtures/common/slerp"


def tensors(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    return {key: numpy.frombuffer(data[8 + length:][slice(*entry["data_offsets"])], {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]).reshape(entry["shape"])
            for key, entry in header.items() if key != "__metadata__"}


def concept(*rows, name="x", family="sd1"):
    return ConceptEmbedding(name, f"<{name}>", family, tuple(numpy.atleast_2d(numpy.array(row, "float32")) for row in rows))


RECORDED = tensors(FIXTURE.with_suffix(".safetensors"))
PAIRS = [key.split("/")[0] for key in RECORDED if key.endswith("/exact_lerp_norm")]


@pytest.mark.parametrize("pair", PAIRS)
def test_slerp_is_the_great_circle(pair):
    a, b = concept(RECORDED[pair + "/a"]), concept(RECORDED[pair + "/b"])
    found = numpy.concatenate([slerp(a, b, t).encoders[0] for t in RECORDED["t"]])
    assert found == pytest.approx(RECORDED[pair + "/exact_lerp_norm"], abs=1e-6)


def test_slerp_of_antipodes_keeps_its_length():
    a, b = concept(RECORDED["antipodal/a"]), concept(RECORDED["antipodal/b"])
    assert numpy.linalg.norm(slerp(a, b, 0.5).encoders[0]) == pytest.approx(numpy.linalg.norm(a.encoders[0]), rel=1e-5)


def test_slerp_of_different_families_is_refused():
    with pytest.raises(DtiError, match="<x> has vectors of width 2 and <x> of width 3"):
        slerp(concept([1, 0]), concept([1, 0, 0]), 0.5)


def test_slerp_of_different_numbers_of_vectors_is_refused():
    with pytest.raises(DtiError, match="<x> has 1 vectors and <x> has 2"):
        slerp(concept([1, 0]), concept([[1, 0], [0, 1]]), 0.5)


@pytest.mark.parametrize("rows", [([[1, 2, 3]],), ([[1, 2], [3, 4]], [[5, 6, 7], [8, 9, 10]])])
def test_file_gives_back_the_vectors(rows):
    written = concept(*rows)
    read = ConceptEmbedding.from_file(written.to_file(), "x", "<x>")
    assert [a.tolist() for a in read.encoders] == [a.tolist() for a in written.encoders]


@pytest.mark.parametrize("data", [b"", b"\xff" * 16, (2).to_bytes(8, "little") + b"{}", concept([1, 2]).to_file()[:-1]])
def test_file_that_is_none_is_refused(data):
    with pytest.raises(DtiError, match="no embedding file"):
        ConceptEmbedding.from_file(data, "x", "<x>")
