"""The client for threads, against a real server."""

import dataclasses
import importlib.util
import io
import json
import pathlib
import re
import sys

import numpy
import pytest
from PIL import Image

import dti_client
from dti_client import DtiClient, DtiError, GenerationOptions, TrainingOptions

SAMPLES = sorted((pathlib.Path(__file__).resolve().parents[3] / "samples" / "clay-cat").glob("*.*"))
SUBJECT = sorted((pathlib.Path(__file__).resolve().parents[3] / "samples" / "chess-jug").glob("*.*"))
TINY = TrainingOptions(steps=3, batch_size=1, resolution=64, preview_every=2, preview_steps=1, seed=1, initializer="cat")
DRAWING = GenerationOptions(width=64, height=64, steps=2, seed=1)


@pytest.fixture(scope="module", autouse=True)
def updates(client):
    """What a training said; its concept is client-cat."""
    return list(client.train("client-cat", SAMPLES[:2], TINY, overwrite=True))


def kinds(updates):
    return [type(update).__name__ for update in updates if not isinstance(update, dti_client.Queued)]


def test_train_gives_settings_steps_previews_and_result(updates):
    assert kinds(updates) == ["TrainingAccepted", "TrainingProgress", "TrainingProgress", "TrainingPreview", "TrainingProgress", "TrainingPreview",
                              "TrainingResult"]
    settings = updates[0].settings
    assert (settings.kind, settings.method, settings.kappa, settings.initializer_tokens) == ("object", "dti", 1e-4, ("cat",))


@pytest.mark.parametrize("photo", [
    pytest.param(str, id="path"), pytest.param(lambda path: path.read_bytes(), id="bytes"), pytest.param(Image.open, id="PIL"),
    pytest.param(lambda path: numpy.array(Image.open(path).convert("RGB")), id="uint8"),
    pytest.param(lambda path: numpy.array(Image.open(path).convert("RGB")) / 255, id="float")])
def test_train_takes_any_picture(client, photo):
    assert kinds(client.train("any", [photo(SAMPLES[0])], TrainingOptions(steps=1, batch_size=1, resolution=64, preview_every=0), overwrite=True))[-1] == "TrainingResult"


def test_train_with_the_same_request_id_attaches(client):
    first, second = (list(client.train("twice", SAMPLES[:1], TINY, request_id="twice", overwrite=True)) for _ in range(2))
    assert second[0].attached and second[0].job_id == first[0].job_id and kinds(second) == kinds(first)


def test_import_of_a_checkpoint_is_refused_before_it_is_sent(client):
    with pytest.raises(DtiError, match="data has 64 MiB, and an embedding file has at most 63") as refusal:
        client.import_concept("checkpoint", bytes(64 << 20))
    assert refusal.value.status == "INVALID_ARGUMENT"


def test_resume_trains_further_from_any_kept_step(client):
    list(client.train("further", SAMPLES[:1], dataclasses.replace(TINY, placeholder="<further>", snapshot_every=1), overwrite=True))
    longer = list(client.resume("further", TrainingOptions(steps=5, preview_every=0), from_step=2))
    assert longer[0].steps_done == 2 and longer[0].settings.initializer == "cat"
    assert [update.step for update in longer if isinstance(update, dti_client.TrainingProgress)] == [3, 4, 5]
    with pytest.raises(DtiError, match="kept are 1, 2, 3, 4, 5"):
        list(client.resume("further", TrainingOptions(steps=9), from_step=6))


def test_train_with_masks_and_captions(client):
    mask = numpy.zeros(numpy.array(Image.open(SAMPLES[0])).shape[:2] + (3,), numpy.uint8)
    mask[20:] = 255
    photo = dti_client.TrainingPhoto(SAMPLES[0], mask=mask, caption="my cat in the garden")
    assert kinds(client.train("masked", [photo], TINY, overwrite=True))[-1] == "TrainingResult"
    with pytest.raises(DtiError) as refusal:
        list(client.train("masked", [dti_client.TrainingPhoto(SAMPLES[0], mask=b"no", caption="a garden")], TINY, overwrite=True))
    assert [violation.field for violation in refusal.value.field_violations] == ["photos[0].mask"]


def test_watch_from_a_step_leaves_earlier_ones_out(client, updates):
    assert [update.step for update in client.watch(updates[0].job_id, 3) if isinstance(update, dti_client.TrainingProgress)] == [3]


def test_cancel_job_stops_a_training(client):
    steps = []
    with pytest.raises(DtiError) as cancelled:
        for update in client.train("cancelled", SAMPLES[:1], TrainingOptions(steps=5000, batch_size=1, resolution=64, preview_every=0)):
            if isinstance(update, dti_client.TrainingAccepted):
                job_id = update.job_id
            elif isinstance(update, dti_client.TrainingProgress):
                steps.append(update.step)
                client.cancel_job(job_id)
    assert (cancelled.value.status, cancelled.value.reason) == ("CANCELLED", "JOB_CANCELLED")
    assert client.get_job(job_id).state == "cancelled" and steps[-1] < 5000


def test_leaving_the_iterator_leaves_the_training(client):
    updates = client.train("left", SAMPLES[:1], TINY, overwrite=True)
    job_id = next(updates).job_id
    updates.close()
    assert kinds(client.watch(job_id))[-1] == "TrainingResult"


def test_timeout_ends_a_call(client):
    with pytest.raises(DtiError, match="deadline") as late:
        list(client.train("late", SAMPLES[:1], TrainingOptions(steps=100_000, batch_size=1, resolution=64, preview_every=0), timeout=2))
    assert late.value.status == "DEADLINE_EXCEEDED"
    for job in client.list_jobs(["queued", "running"]):
        client.cancel_job(job.job_id)


def test_generate_gives_pictures_as_pil_and_numpy(client):
    picture, = (update for update in client.generate("a photo of <client-cat>", DRAWING) if isinstance(update, dti_client.Picture))
    assert picture.pil().size == (64, 64) and picture.numpy().shape == (64, 64, 3)
    assert (picture.numpy() == numpy.array(picture.pil())).all()


def test_generate_shows_the_picture_while_it_is_sampled(client):
    progress = [update for update in client.generate("a photo", dataclasses.replace(DRAWING, steps=20, preview_every=5)) if isinstance(update, dti_client.SamplingProgress)]
    previews = {update.step: update.preview.pil().size for update in progress if update.preview}
    assert [update.step for update in progress] == list(range(1, 21))
    assert previews and set(previews) <= {5, 10, 15, 20} and set(previews.values()) == {(8, 8)}


def test_interpolate_gives_frames_from_one_end_to_the_other(client):
    frames = client.interpolate("client-cat", "client-cat", DRAWING, frames=3, easing="linear")
    assert [update.t for update in frames if isinstance(update, dti_client.Picture)] == [0, 0.5, 1]


def test_refusal_names_every_wrong_field(client):
    with pytest.raises(DtiError) as refusal:
        list(client.generate("", GenerationOptions(width=7, steps=-1)))
    assert {violation.field for violation in refusal.value.field_violations} == {"options.width", "options.steps"}


def test_unknown_concept_lists_close_names(client):
    with pytest.raises(DtiError, match="client-cat") as refusal:
        client.get_concept("client-cot")
    assert (refusal.value.reason, refusal.value.metadata["close"]) == ("CONCEPT_NOT_FOUND", "client-cat")


def test_unknown_word_of_an_enumeration_is_refused(client):
    with pytest.raises(DtiError, match="object, style"):
        client.train("kind", SAMPLES[:1], TrainingOptions(kind="thing"))


def test_load_embedding_gives_the_vectors_that_were_learnt(client, updates):
    embedding = client.load_embedding("client-cat")
    assert (embedding.placeholder, embedding.family) == ("<client-cat>", "sd1")
    assert numpy.linalg.norm(embedding.encoders[0], axis=1) == pytest.approx(updates[-1].norm)


def test_import_concept_takes_vectors(client):
    embedding = client.load_embedding("client-cat")
    client.import_concept("imported", embedding, overwrite=True)
    assert client.load_embedding("imported").encoders[0] == pytest.approx(embedding.encoders[0], rel=1e-6)
    client.delete_concept("imported")
    assert "imported" not in [concept.name for concept in client.list_concepts()]


def test_install_concept_without_a_comfyui_is_one_sentence(client):
    with pytest.raises(DtiError) as refusal:
        client.install_concept("client-cat")
    assert refusal.value.status == "FAILED_PRECONDITION"


def test_models_say_which_is_the_default(client):
    assert [model.name for model in client.list_models() if model.is_default] == ["tiny-sd15"]
    assert client.get_model("tiny-sd15").family == "sd1" and client.list_vaes() == []


def test_server_says_what_it_is(client):
    about = client.get_server()
    assert (about.device, about.dtype) == ("cpu", "fp32") and about.version == dti_client.__version__ and about.torch_version.startswith("2.")


def test_the_built_in_model_learns_and_draws(client):
    *_, result = client.train("mini-jug", SUBJECT, TrainingOptions(model="dti-mini", steps=2, preview_every=0, initializer="jug", seed=1), overwrite=True)
    assert (result.steps, result.norm) == (2, pytest.approx(0.715, abs=0.02))  # the mean norm of its vocabulary
    picture, = [update for update in client.generate("a photo of <mini-jug>", GenerationOptions(model="dti-mini", steps=2)) if isinstance(update, dti_client.Picture)]
    assert picture.numpy().shape == (128, 128, 3)


def test_a_second_copy_of_the_package_changes_nothing(client, monkeypatch):
    """Installed by pip, and as a folder of ComfyUI: each copy made message classes of its own, and the other one's answers were unknown."""
    folder = pathlib.Path(dti_client.__file__).parent
    spec = importlib.util.spec_from_file_location("second_copy", folder / "__init__.py", submodule_search_locations=[str(folder)])
    second = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "second_copy", second)
    spec.loader.exec_module(second)
    with second.DtiClient(client.address) as other:
        assert [model.name for model in other.list_models()] == [model.name for model in client.list_models()]
    assert client.list_jobs() and client.get_concept("client-cat").settings
    for name in [name for name in sys.modules if name.startswith("second_copy.")]:
        del sys.modules[name]


def test_a_server_that_is_away_is_one_sentence():
    with DtiClient("http://127.0.0.1:1") as client, pytest.raises(DtiError) as away:
        client.list_models()
    assert away.value.status == "UNAVAILABLE"
    assert str(away.value) == "There is no Dti server at http://127.0.0.1:1, or the connection to it was lost; start one (dti serve), or check the address."


@pytest.mark.parametrize("written", ["ftp://here", "http://", "http://here:port"])
def test_an_address_that_is_none_is_refused(written):
    with pytest.raises(DtiError, match="no server address"):
        DtiClient(written)


@pytest.mark.parametrize("written, right", [
    ("http://127.0.0.1:5171/dti", "http://127.0.0.1:5171"), ("gpu:5171/dti/", "http://gpu:5171"), ("https://gpu?x=1", "https://gpu"),
    ("http://[::1]:5171/x", "http://[::1]:5171"), ("https://me:secret@gpu", "https://gpu")])
def test_an_address_of_more_than_host_and_port_is_refused(written, right):
    with pytest.raises(DtiError, match="has more than a host and a port") as refused:
        DtiClient(written)
    assert str(refused.value).endswith(f"write {right}.")


def test_a_token_never_crosses_the_network_in_the_clear():
    with pytest.raises(DtiError, match="https"):
        DtiClient("http://example.com", token="secret")


def test_images_carry_their_settings_for_pillow(client):
    def image(**options):
        updates = client.generate(dataclasses.replace(DRAWING, prompt="ein Café, 猫", negative_prompt="x", **options))
        return Image.open(io.BytesIO(next(update for update in updates if isinstance(update, dti_client.Picture)).data))

    texts = image().text
    assert sorted(texts) == ["dti", "parameters", "prompt"]
    lines = texts["parameters"].split("\n")
    assert lines[:2] == ["ein Café, 猫", "Negative prompt: x"]
    fields = dict(re.findall(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)', lines[2]))  # as A1111 reads the line
    assert {key: fields[key] for key in ("Steps", "CFG scale", "Seed", "Size", "Model")} == {
        "Steps": "2", "CFG scale": "7.5", "Seed": "1", "Size": "64x64", "Model": "tiny-sd15"}
    assert json.loads(texts["dti"])["options"]["prompt"] == "ein Café, 猫"
    assert image(omit_metadata=True).text == {}
