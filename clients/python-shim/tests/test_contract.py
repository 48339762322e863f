"""The three calls from plain Python, with nothing of ours but the stubs of the contract."""

import io
import pathlib

import grpc
import pytest
from PIL import Image

from dti_client._proto import common_pb2, dti_service_pb2, dti_service_pb2_grpc, generation_pb2, training_pb2

SAMPLES = pathlib.Path(__file__).resolve().parents[3] / "samples" / "clay-cat"


@pytest.fixture(scope="session")
def concepts(channel):
    """Two trained concepts; gives the events of the first."""
    events = [train(channel, name, initializer) for name, initializer in [("cat", "cat"), ("house", "house")]]
    return events[0]


def train(channel, name, initializer):
    photos = [common_pb2.Photo(data=file.read_bytes(), file_name=file.name) for file in sorted(SAMPLES.glob("*.*"))[:2]]
    options = training_pb2.TrainingOptions(steps=3, batch_size=1, resolution=64, preview_every=0, seed=1, initializer=initializer)
    request = dti_service_pb2.TrainRequest(name=name, photos=photos, options=options)
    return list(dti_service_pb2_grpc.DtiServiceStub(channel).Train(request))


def drawing(prompt=""):
    return generation_pb2.GenerationOptions(prompt=prompt, width=64, height=64, steps=2, seed=1)


def test_train_streams_accepted_steps_and_result(concepts):
    assert [event.WhichOneof("event") for event in concepts if event.WhichOneof("event") != "queued"] == [
        "accepted", "progress", "progress", "progress", "result"]
    assert concepts[0].accepted.settings.kappa == 1e-4


def test_generate_gives_a_picture_of_the_concept(channel, concepts):
    events = dti_service_pb2_grpc.DtiServiceStub(channel).Generate(dti_service_pb2.GenerateRequest(options=drawing("a photo of <cat>")))
    pictures = [event.picture for event in events if event.WhichOneof("event") == "picture"]
    assert [Image.open(io.BytesIO(picture.data)).size for picture in pictures] == [(64, 64)]


def test_interpolate_gives_frames_from_one_end_to_the_other(channel, concepts):
    request = dti_service_pb2.InterpolateRequest(from_concept="cat", to_concept="house", frames=3, options=drawing())
    events = dti_service_pb2_grpc.DtiServiceStub(channel).Interpolate(request)
    assert [event.picture.t for event in events if event.WhichOneof("event") == "picture"] == [0, 0.5, 1]


def test_unknown_concept_is_refused_with_close_names(channel, concepts):
    with pytest.raises(grpc.RpcError) as refusal:
        list(dti_service_pb2_grpc.DtiServiceStub(channel).Generate(dti_service_pb2.GenerateRequest(options=drawing("a photo of <cot>"))))
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND
    assert "<cat>" in refusal.value.details()
