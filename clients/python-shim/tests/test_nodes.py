"""The ComfyUI nodes, against a real server and a stand-in for ComfyUI."""

import asyncio
import dataclasses
import importlib.util
import io
import json
import pathlib
import re
import socket
import sys
import threading
import time
import types

import comfyui_stand_in
import numpy
import pytest
from PIL import Image
from comfyui_stand_in import Clip, ExecutionBlocker, InterruptProcessingException, run
from stand_in_server import Gate, StandIn, serving

from dti_client import ConceptEmbedding, DtiError, GenerationOptions, Picture

PACK = pathlib.Path(__file__).resolve().parents[1]
TRAINING = {"steps": 3, "batch_size": 1, "resolution": 64, "preview_every": 0, "initializer": "cat", "overwrite": True}
DRAWING = {"width": 64, "height": 64, "steps": 2}
EMBEDDING = ConceptEmbedding("cat", "<cat>", "sd1", (numpy.arange(6, dtype="float32").reshape(2, 3),))


@pytest.fixture
def comfyui(monkeypatch, tmp_path, address):
    """ComfyUI, with the server of the tests where none is connected."""
    monkeypatch.setenv("DTI_SERVER", address)
    return comfyui_stand_in.install(monkeypatch, tmp_path)


@pytest.fixture
def nodes(comfyui):
    """The pack's nodes by id."""
    from dti_client.comfyui import comfy_entrypoint

    return {node.define_schema().node_id: node for node in asyncio.run(comfy_entrypoint().get_node_list())}


@pytest.fixture(scope="session")
def photos():
    """Two photos as an IMAGE."""
    return numpy.random.default_rng(0).random((2, 80, 96, 3)).astype("float32").view(comfyui_stand_in.Tensor)


@pytest.fixture
def cat(nodes, photos):
    """A trained concept."""
    return run(nodes["DtiTrainConcept"], images=photos, name="node-cat", **TRAINING)[0]


def concept_of(embedding):
    from dti_client.comfyui.values import Concept

    return Concept(embedding, None)


def jobs(client, name):
    return [job for job in client.list_jobs(limit=1000) if job.name == name]


def test_pack_loads_as_a_folder_as_comfyui_loads_it(comfyui, monkeypatch):
    spec = importlib.util.spec_from_file_location("/custom_nodes/dti", PACK / "__init__.py")
    pack = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "/custom_nodes/dti", pack)
    spec.loader.exec_module(pack)
    assert len(asyncio.run(pack.comfy_entrypoint().get_node_list())) == 11
    for name in [name for name in sys.modules if name.startswith("/custom_nodes/dti.")]:
        del sys.modules[name]


def test_node_ids_stay_as_saved_workflows_have_them(nodes):
    assert list(nodes) == [
        "DtiServer", "DtiTrainConcept", "DtiLoadConcept", "DtiInterpolateConcepts", "DtiGenerate", "DtiEncodeWithConcepts", "DtiSaveEmbedding",
        "DtiLoadPhotos", "DtiPickEmbedding", "DtiConceptStrength", "DtiCompareConcepts"]


def test_every_node_and_every_input_says_what_it_is(nodes):
    for node in nodes.values():
        schema = node.define_schema()
        assert schema.description and schema.display_name.startswith("DTI ")
        for port in schema.inputs:
            assert port.options.get("tooltip"), (schema.node_id, port.id)
        for text in (schema.description, *(port.options.get("tooltip", "") for port in [*schema.inputs, *schema.outputs])):
            assert not re.search(r"\b(anew|beside|draws?|drawn|drawing|learns?|learnt|likeness)\b", text), (schema.node_id, text)


def test_server_tells_version_device_and_models(nodes, comfyui, address):
    server, info = run(nodes["DtiServer"], address=address)
    assert " on cpu in fp32" in info and "tiny-sd15 (default)" in info and comfyui.texts == [info]
    assert server.address == address


def test_server_that_is_away_is_one_sentence(nodes):
    with pytest.raises(DtiError, match="There is no Dti server at http://127.0.0.1:1"):
        run(nodes["DtiServer"], address="http://127.0.0.1:1")


def test_token_is_not_in_what_error_reports_show(nodes):
    from dti_client.comfyui.values import Server

    assert "secret" not in repr(Server("http://localhost", "secret"))


def test_train_gives_concept_curve_and_name(nodes, comfyui, photos):
    concept, curve, name, settings = run(nodes["DtiTrainConcept"], images=photos, name="node-train", **{**TRAINING, "preview_every": 2})
    assert (concept.placeholder, concept.embedding.encoders[0].shape, name) == ("<node-train>", (1, 32), "embedding:node-train")
    assert curve.shape == (1, 384, 768, 3) and curve.dtype == numpy.float32 and 0 <= curve.min() < curve.max() <= 1
    assert [value for value, _ in comfyui.progress if value] == [1, 2, 2, 3, 3] and len(comfyui.previews) == 2
    assert comfyui.texts[-2].startswith("step 3 of 3, loss ") and comfyui.texts[-1] == settings
    assert settings == "dti on tiny-sd15: 3 steps of 1 at 64², η 0.01, κ 0.0001, β 0, 1 vector(s) from 'cat', seed 0"


def test_train_of_unchanged_inputs_trains_nothing_again(nodes, client, cat, photos):
    again = run(nodes["DtiTrainConcept"], images=photos, name="node-cat", **TRAINING)[0]
    assert len(jobs(client, "node-cat")) == 1
    assert (again.embedding.encoders[0] == cat.embedding.encoders[0]).all()


def test_train_with_inputs_left_alone_asks_for_nothing(nodes, photos, monkeypatch):
    """What suits a model is the server's to know: a widget that nobody touched is not on the wire."""
    asked = []

    def train(client, name, photos, options, **_):
        asked.append(options)
        raise DtiError("enough")

    monkeypatch.setattr("dti_client.client.DtiClient.train", train)
    with pytest.raises(DtiError, match="enough"):
        run(nodes["DtiTrainConcept"], images=photos, name="node-defaults")
    told = {field.name: getattr(asked[0], field.name) for field in dataclasses.fields(asked[0]) if getattr(asked[0], field.name) not in (None, ())}
    assert told == {"kind": "object", "method": "dti", "seed": 0}


def test_train_shows_what_the_server_resolved_for_the_model(nodes, comfyui, photos):
    comfyui.interrupt_after = 1
    with pytest.raises(InterruptProcessingException):
        run(nodes["DtiTrainConcept"], images=photos, name="node-mini", model="dti-mini", initializer="cat", preview_every=0)
    assert "dti on dti-mini: 100 steps of 4 at 128², η 0.08, κ 0.01" in comfyui.texts[-1]


def test_train_with_other_settings_replaces_the_concept_and_keeps_what_it_was(nodes, comfyui, client, photos):
    """Whoever changes a setting and presses Run again wants that concept, under that name."""
    inputs = {"images": photos, "name": "node-anew", **TRAINING, "overwrite": False}
    first = run(nodes["DtiTrainConcept"], **inputs)[0]
    assert "retrained" not in comfyui.texts[-1]
    second = run(nodes["DtiTrainConcept"], **{**inputs, "seed": 2})[0]
    assert (first.embedding.encoders[0] != second.embedding.encoders[0]).any()
    assert "<node-anew> was retrained" in comfyui.texts[-1] and "dti concepts restore node-anew" in comfyui.texts[-1]
    loaded = run(nodes["DtiLoadConcept"], name="node-anew", earlier=1)[0]
    assert (loaded.embedding.encoders[0] == first.embedding.encoders[0]).all()
    with pytest.raises(DtiError, match="has 1 earlier versions"):
        run(nodes["DtiLoadConcept"], name="node-anew", earlier=2)
    client.restore_concept("node-anew")
    assert (client.load_embedding("node-anew").encoders[0] == first.embedding.encoders[0]).all()
    before = len(jobs(client, "node-anew"))
    assert (run(nodes["DtiTrainConcept"], **inputs)[0].embedding.encoders[0] == first.embedding.encoders[0]).all()
    assert len(jobs(client, "node-anew")) == before  # what was restored is not trained again


def test_train_back_at_the_default_is_not_taken_for_what_was_learnt_otherwise(nodes, client, photos):
    inputs = {"images": photos, "name": "node-back", **TRAINING}
    run(nodes["DtiTrainConcept"], **{**inputs, "learning_rate": 0.5})
    run(nodes["DtiTrainConcept"], **inputs)
    assert client.get_concept("node-back").settings.learning_rate == pytest.approx(0.01)
    run(nodes["DtiTrainConcept"], **{**inputs, "learning_rate": 0.5})
    run(nodes["DtiTrainConcept"], **inputs)
    assert client.get_concept("node-back").settings.learning_rate == pytest.approx(0.01)


def test_train_with_other_previews_trains_nothing_again(nodes, client, cat, photos):
    before = len(jobs(client, "node-cat"))
    run(nodes["DtiTrainConcept"], images=photos, name="node-cat", **{**TRAINING, "preview_every": 1, "preview_prompt": "{concept}"})
    assert len(jobs(client, "node-cat")) == before


def test_train_with_another_seed_trains_again(nodes, client, cat, photos):
    before = len(jobs(client, "node-cat"))
    run(nodes["DtiTrainConcept"], images=photos, name="node-cat", seed=2, **TRAINING)
    assert len(jobs(client, "node-cat")) == before + 1
    # and the first one is not taken for what is in the library now
    run(nodes["DtiTrainConcept"], images=photos, name="node-cat", **TRAINING)
    assert len(jobs(client, "node-cat")) == before + 2


def test_train_with_the_mask_of_a_photo_without_transparency_learns_from_all_of_it(nodes, client, cat, photos):
    """Load Image gives 64 x 64 zeros then."""
    before = len(jobs(client, "node-cat"))
    run(nodes["DtiTrainConcept"], images=photos, name="node-cat", masks=numpy.zeros((1, 64, 64), "float32").view(comfyui_stand_in.Tensor), **TRAINING)
    assert len(jobs(client, "node-cat")) == before


def test_train_with_masks_learns_what_is_white(nodes, client, cat, photos):
    def mask(*levels):
        return numpy.stack([numpy.full((80, 96), level) * (numpy.arange(96) < 48) for level in levels]).astype("float32").view(comfyui_stand_in.Tensor)

    before = len(jobs(client, "node-cat"))
    masked = run(nodes["DtiTrainConcept"], images=photos, name="node-cat", masks=mask(1), **TRAINING)[0]
    assert (masked.embedding.encoders[0] != cat.embedding.encoders[0]).any()
    run(nodes["DtiTrainConcept"], images=photos, name="node-cat", masks=mask(1), **TRAINING)
    assert len(jobs(client, "node-cat")) == before + 1
    run(nodes["DtiTrainConcept"], images=photos, name="node-cat", masks=mask(1, 0.9), **TRAINING)
    assert len(jobs(client, "node-cat")) == before + 2
    with pytest.raises(DtiError, match="3 masks for 2 photos"):
        run(nodes["DtiTrainConcept"], images=photos, name="node-cat", masks=mask(1, 1, 1), **TRAINING)


def test_train_by_a_preset_leaves_steps_and_kappa_to_it(nodes, client, photos):
    inputs = {**TRAINING, "preset": "fast", "obedience": 1.0, "model": "dti-mini"}
    run(nodes["DtiTrainConcept"], images=photos, name="node-preset", **{**inputs, "steps": 3, "kappa": 0.5, "stop_early": True, "gradient_accumulation": 2})
    settings = client.get_concept("node-preset").settings
    assert (settings.steps, settings.stop_early, settings.gradient_accumulation, settings.batch_size) == (50, True, 2, 1)  # half of its hundred
    assert settings.kappa == pytest.approx(0.1)  # ten times its own
    run(nodes["DtiTrainConcept"], images=photos, name="node-preset", **{**inputs, "steps": 3, "kappa": 0.5, "stop_early": True, "gradient_accumulation": 2})
    assert len(jobs(client, "node-preset")) == 1


def test_train_by_a_preset_with_another_method_asks_for_no_obedience(nodes, client, photos):
    run(nodes["DtiTrainConcept"], images=photos, name="node-preset-ti", **{**TRAINING, "preset": "fast", "method": "ti", "model": "dti-mini", "stop_early": True})
    settings = client.get_concept("node-preset-ti").settings
    assert (settings.method, settings.steps, settings.kappa) == ("ti", 50, 0)


def test_train_from_photos_asks_the_server_for_that_start(nodes, photos):
    with pytest.raises(DtiError, match="has no photo encoder"):
        run(nodes["DtiTrainConcept"], images=photos, name="node-photos", start="photos", **TRAINING)


def test_train_without_the_later_inputs_asks_what_it_asked_before_there_were_any(nodes, client, cat, photos):
    """Workflows that were saved then find their trainings again."""
    before = len(jobs(client, "node-cat"))
    run(nodes["DtiTrainConcept"], images=photos, name="node-later", **TRAINING)
    run(nodes["DtiTrainConcept"], images=photos, name="node-later", preset="(own settings)", obedience=0.9, stop_early=False, gradient_accumulation=1, start="(default)", **TRAINING)
    assert len(jobs(client, "node-later")) == 1 and len(jobs(client, "node-cat")) == before


def test_train_of_a_concept_whose_job_is_forgotten_trains_nothing(nodes, cat, photos, monkeypatch):
    monkeypatch.setattr("dti_client.client.DtiClient.list_jobs", lambda *_, **__: [])
    monkeypatch.setattr("dti_client.client.DtiClient.train", None)
    concept, curve, *_ = run(nodes["DtiTrainConcept"], images=photos, name="node-cat", **TRAINING)
    assert concept.placeholder == "<node-cat>" and curve.shape == (1, 384, 768, 3)


def test_train_is_cancelled_on_the_server_and_can_be_begun_anew(nodes, comfyui, client, photos):
    comfyui.interrupt_after = 2
    with pytest.raises(InterruptProcessingException):
        run(nodes["DtiTrainConcept"], images=photos, name="node-cancelled", **{**TRAINING, "steps": 200})
    cancelled, = jobs(client, "node-cancelled")
    assert wait_until_over(client, cancelled.job_id).state == "cancelled"
    comfyui.interrupt_after = len(comfyui.progress) + 2
    with pytest.raises(InterruptProcessingException):
        run(nodes["DtiTrainConcept"], images=photos, name="node-cancelled", **{**TRAINING, "steps": 200})
    assert len(jobs(client, "node-cancelled")) == 2


def test_train_that_outlived_comfyui_is_found_again(nodes, comfyui, client, photos, monkeypatch):
    """ComfyUI is killed in mid-training, and started again: the same workflow finds the job."""
    inputs = {"images": photos, "name": "node-outlived", **TRAINING, "steps": 20}

    def killed(client, updates):
        yield from (next(updates) for _ in range(3))
        updates.close()
        raise SystemExit

    with monkeypatch.context() as first_time, pytest.raises(SystemExit):
        first_time.setattr(sys.modules[nodes["DtiTrainConcept"].__module__], "interruptible", killed)
        run(nodes["DtiTrainConcept"], **inputs)
    run(nodes["DtiTrainConcept"], **inputs)
    assert [job.state for job in jobs(client, "node-outlived")] == ["succeeded"]
    assert [value for value, _ in comfyui.progress][-1] == 20


def wait_until_over(client, job_id):
    while (job := client.get_job(job_id)).state in ("queued", "running"):
        time.sleep(0.05)
    return job


def test_cancel_before_the_job_was_accepted_cancels_it_then(comfyui):
    from dti_client.comfyui.running import interruptible
    from dti_client.records import GenerationAccepted

    class Client:
        cancelled = []

        def cancel_job(self, job_id, wait):
            self.cancelled.append(job_id)

    def late():
        while comfyui.interrupt_after is not None:  # the button was not seen yet
            time.sleep(0.01)
        time.sleep(0.1)
        yield GenerationAccepted("late", None)

    comfyui.interrupt_after = 0
    with pytest.raises(InterruptProcessingException):
        list(interruptible(Client(), late()))
    for _ in range(500):
        if not Client.cancelled:
            time.sleep(0.01)
    assert Client.cancelled == ["late"]


def test_train_refused_by_the_server_is_one_sentence(nodes, photos):
    with pytest.raises(DtiError, match="name must be 1 to 64 letters"):
        run(nodes["DtiTrainConcept"], images=photos, name="no name", **TRAINING)


def test_load_gives_a_concept_of_the_library(nodes, cat):
    concept, placeholder = run(nodes["DtiLoadConcept"], name="node-cat")
    assert placeholder == "<node-cat>" and (concept.embedding.encoders[0] == cat.embedding.encoders[0]).all()


def test_load_of_an_unknown_concept_names_close_ones(nodes, cat):
    with pytest.raises(DtiError, match="node-cat"):
        run(nodes["DtiLoadConcept"], name="node-cut")


def test_load_is_fingerprinted_by_when_the_concept_was_learnt(nodes, cat, client):
    before = nodes["DtiLoadConcept"].fingerprint_inputs("node-cat")
    assert before and before == nodes["DtiLoadConcept"].fingerprint_inputs("node-cat")
    client.import_concept("node-cat", cat.embedding, overwrite=True)
    assert nodes["DtiLoadConcept"].fingerprint_inputs("node-cat") != before


def choices(node, name):
    """What a dropdown of a node offers."""
    return next(port.options["options"] for port in node.define_schema().inputs if port.id == name)


def test_lists_are_those_of_the_server(nodes, cat):
    assert "node-cat" in choices(nodes["DtiLoadConcept"], "name")
    assert choices(nodes["DtiTrainConcept"], "model") == ["(default)", "dti-mini", "tiny-sd15"]


def test_lists_of_a_server_that_is_away_are_a_sentence(nodes):
    from dti_client.comfyui.values import Server, use

    use(Server("http://127.0.0.1:1"))
    sentence, = choices(nodes["DtiLoadConcept"], "name")
    assert "There is no Dti server" in sentence
    assert nodes["DtiLoadConcept"].validate_inputs(sentence) == sentence[1:-1] and nodes["DtiLoadConcept"].validate_inputs("saved") is True
    assert choices(nodes["DtiGenerate"], "model") == ["(default)"]


def test_lists_of_a_server_that_is_silent_hold_the_page_up_no_longer_than_a_moment(nodes):
    """ComfyUI asks for the schemas of all nodes while it serves its page."""
    from dti_client.comfyui.values import Server, use

    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(Server(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        asked = []
        answers = threading.Thread(target=lambda: asked.append(choices(nodes["DtiLoadConcept"], "name")), daemon=True)
        answers.start()
        answers.join(20)  # a call to the server has no end of its own before that
        assert asked and asked[0][0].startswith("(the Dti server has not answered yet")


def test_list_is_read_again_after_a_training(nodes, photos):
    choices(nodes["DtiLoadConcept"], "name")
    run(nodes["DtiTrainConcept"], images=photos, name="node-listed", **TRAINING)
    assert "node-listed" in choices(nodes["DtiLoadConcept"], "name")


def test_generate_draws_a_batch_and_shows_it_on_the_way(nodes, comfyui, cat):
    comfyui.previews.clear()
    images, = run(nodes["DtiGenerate"], prompt="a photo of {concept} and <node-cat>", concept=cat, num_images=2, **{**DRAWING, "steps": 20})
    shown = [preview[1].size for preview in comfyui.previews]
    assert images.shape == (2, 64, 64, 3)
    assert shown.count((64, 64)) == 2 and set(shown) == {(64, 64), (8, 8)} and shown[-1] == (64, 64)


def test_generate_is_cancelled_on_the_server(nodes, comfyui, client, cat):
    comfyui.interrupt_after = len(comfyui.progress) + 1
    with pytest.raises(InterruptProcessingException):
        run(nodes["DtiGenerate"], prompt="a photo", num_images=64, **{**DRAWING, "steps": 1000})
    assert wait_until_over(client, client.list_jobs(limit=1)[0].job_id).state == "cancelled"


def test_interpolate_gives_frames_and_the_concept_between(nodes, client, cat):
    other = concept_of(ConceptEmbedding("other", "<other>", "sd1", (-cat.embedding.encoders[0][:, ::-1],)))
    before = {concept.name for concept in client.list_concepts()}
    images, blend = run(nodes["DtiInterpolateConcepts"], from_concept=cat, to_concept=other, t=0.25, frames=3, **DRAWING)
    assert images.shape == (3, 64, 64, 3)
    assert numpy.linalg.norm(blend.embedding.encoders[0]) == pytest.approx(numpy.linalg.norm(cat.embedding.encoders[0]), rel=1e-5)
    assert {concept.name for concept in client.list_concepts()} == before


def test_interpolate_draws_the_blend_as_generate_does(nodes, cat):
    images, blend = run(nodes["DtiInterpolateConcepts"], from_concept=cat, to_concept=cat, frames=1, **DRAWING)
    drawn, = run(nodes["DtiGenerate"], concept=blend, **DRAWING)
    assert (images == drawn).all()


def test_generate_without_the_concept_that_its_prompt_names_is_one_sentence(nodes):
    with pytest.raises(DtiError, match="no concept is connected"):
        run(nodes["DtiGenerate"])


def test_generate_with_inputs_left_alone_asks_for_nothing(nodes, monkeypatch):
    asked = []
    monkeypatch.setattr("dti_client.client.DtiClient.generate", lambda client, options: asked.append(options) or iter(()))
    with pytest.raises(ValueError):  # no image came
        run(nodes["DtiGenerate"], prompt="a cat")
    assert (asked[0].steps, asked[0].guidance_scale, asked[0].scheduler, asked[0].width) == (None, None, None, None)


def test_sampling_inputs_are_those_of_ksampler_in_its_order(nodes):
    """None that the server has no use for: it generates from noise alone, so that there is no denoise."""
    for node in ("DtiGenerate", "DtiInterpolateConcepts", "DtiCompareConcepts"):
        ports = nodes[node].define_schema().inputs
        first = next(i for i, port in enumerate(ports) if port.id == "seed")
        assert ports[first].options["control_after_generate"]
        assert [port.options.get("display_name", port.id) for port in ports[first:first + 7]] == [
            "seed", "steps", "cfg", "sampler_name", "scheduler", "width", "height"]
        assert not [port.id for port in ports if port.id == "denoise"]


@pytest.mark.parametrize("sampler, scheduler, wire", [
    ("(default)", "normal", None), ("euler", "normal", "euler"), ("euler", "karras", "euler_karras"), ("dpmpp_2m", "karras", "dpmpp_2m_karras"),
    ("(default)", "dpmpp_2m_karras", "dpmpp_2m_karras"), ("(default)", "(default)", None), ("(default)", "pndm", "pndm")])
def test_sampler_and_scheduler_are_one_name_on_the_server(nodes, sampler, scheduler, wire):
    """Prompts of earlier versions have both in their scheduler."""
    from dti_client.comfyui.inputs import sampler as of_widgets

    assert of_widgets(sampler, scheduler) == wire
    assert nodes["DtiGenerate"].validate_inputs(scheduler=scheduler) is True


@pytest.mark.parametrize("sampler", ["(default)", "ddim", "euler_ancestral"])
def test_scheduler_that_the_sampler_does_not_have_is_one_sentence(nodes, sampler):
    with pytest.raises(DtiError, match=f"karras works with the samplers euler and dpmpp_2m, and sampler_name is {re.escape(sampler)}"):
        run(nodes["DtiGenerate"], prompt="a cat", sampler_name=sampler, scheduler="karras")
    assert nodes["DtiGenerate"].validate_inputs(scheduler="simple") == "scheduler is simple; it must be one of normal, karras."


def test_generate_of_a_prompt_saved_by_an_earlier_version(nodes):
    """In API format, by name: there was no sampler_name, and the scheduler named both."""
    nodes["DtiGenerate"].hidden = types.SimpleNamespace(unique_id="7")
    old = {"prompt": "a cat", "negative_prompt": "", "num_images": 1, "seed": 3, "guidance_scale": 7.5, "model": "(default)", "scheduler": "euler_karras", **DRAWING}
    images = nodes["DtiGenerate"].execute(**old).args[0]
    assert (images == run(nodes["DtiGenerate"], prompt="a cat", seed=3, guidance_scale=7.5, sampler_name="euler", scheduler="karras", **DRAWING)[0]).all()


def test_generate_with_a_sampler_and_a_scheduler_asks_for_both(nodes, monkeypatch):
    asked = []
    monkeypatch.setattr("dti_client.client.DtiClient.generate", lambda client, options: asked.append(options.scheduler) or iter(()))
    with pytest.raises(ValueError):  # no image came
        run(nodes["DtiGenerate"], prompt="a cat", sampler_name="euler", scheduler="karras")
    assert asked == ["euler_karras"]


def test_seed_may_be_as_large_as_the_page_can_hold(nodes, client):
    for node in ("DtiTrainConcept", "DtiGenerate", "DtiInterpolateConcepts"):
        port = next(port for port in nodes[node].define_schema().inputs if port.id == "seed")
        assert 2**63 < port.options["max"] < 2**64 and int(float(port.options["max"])) == port.options["max"]
    run(nodes["DtiGenerate"], prompt="a cat", seed=port.options["max"], **DRAWING)


def test_interpolate_at_another_t_generates_nothing_again(nodes, client, cat):
    other = concept_of(ConceptEmbedding("other", "<other>", "sd1", (-cat.embedding.encoders[0][:, ::-1],)))
    first, _ = run(nodes["DtiInterpolateConcepts"], from_concept=cat, to_concept=other, t=0.25, frames=3, **DRAWING)
    before = client.list_jobs(limit=1)[0].job_id
    again, _ = run(nodes["DtiInterpolateConcepts"], from_concept=cat, to_concept=other, t=0.75, frames=3, **DRAWING)
    assert client.list_jobs(limit=1)[0].job_id == before and (first == again).all()
    run(nodes["DtiInterpolateConcepts"], from_concept=cat, to_concept=other, t=0.75, frames=3, seed=1, **DRAWING)
    assert client.list_jobs(limit=1)[0].job_id != before


def test_interpolate_saves_over_another_concept_only_when_asked(nodes, client, cat):
    other = concept_of(ConceptEmbedding("other", "<other>", "sd1", (-cat.embedding.encoders[0][:, ::-1],)))
    inputs = {"from_concept": cat, "to_concept": other, "frames": 0, "save_as": "node-saved"}
    run(nodes["DtiInterpolateConcepts"], t=0.25, **inputs)
    run(nodes["DtiInterpolateConcepts"], t=0.25, **inputs)  # as after a restart of ComfyUI
    with pytest.raises(DtiError, match="There is a concept 'node-saved' already"):
        run(nodes["DtiInterpolateConcepts"], t=0.75, **inputs)
    run(nodes["DtiInterpolateConcepts"], t=0.75, overwrite=True, **inputs)
    assert len(client.list_versions("node-saved")) == 1


def test_interpolate_between_concepts_of_different_widths_names_them(nodes, cat):
    with pytest.raises(DtiError, match="<node-cat> has vectors of width 32 and <cat> of width 3"):
        run(nodes["DtiInterpolateConcepts"], from_concept=cat, to_concept=concept_of(EMBEDDING), frames=0)


def test_interpolate_without_frames_draws_nothing(nodes, cat):
    images, blend = run(nodes["DtiInterpolateConcepts"], from_concept=cat, to_concept=cat, frames=0, save_as="node-blend")
    assert isinstance(images, ExecutionBlocker)
    assert run(nodes["DtiLoadConcept"], name="node-blend")[1] == blend.placeholder == "<node-blend>"


@pytest.mark.parametrize("prompt", ["a photo of <cat> there", "a photo of embedding:cat there", "a photo of {concept} there", "a photo of <CAT> there"])
def test_encode_puts_the_vectors_into_the_tokens(nodes, prompt):
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip(l=3), prompt=prompt, concept=concept_of(EMBEDDING))[0]
    window, = tokens["l"]
    assert len(window) == 77 and [isinstance(token, comfyui_stand_in.Tensor) for token, _ in window[:8]] == [False, False, False, False, True, True, False, False]
    assert [token.tolist() for token, _ in window[4:6]] == [[0, 1, 2], [3, 4, 5]]


def test_encode_leaves_the_rest_of_the_prompt_as_it_is(nodes):
    clip = Clip(l=3)
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=clip, prompt="a zebra, a <cat> and a volcano", concept=concept_of(EMBEDDING))[0]
    assert [token for token, _ in tokens["l"][0] if isinstance(token, int)][:8] == [token for token, _ in clip.tokenize("a zebra, a and a volcano")["l"][0]][:8]


def test_encode_keeps_weights(nodes):
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip(l=3), prompt="a (<cat>:1.3) here", concept=concept_of(EMBEDDING))[0]
    assert [weight for _, weight in tokens["l"][0][:5]] == [1, 1, 1.3, 1.3, 1]


def test_encode_gives_each_encoder_of_sdxl_its_own_vectors(nodes):
    embedding = ConceptEmbedding("cat", "<cat>", "sdxl", (numpy.ones((1, 3), "float32"), numpy.full((1, 5), 2, "float32")))
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip(g=5, l=3), prompt="<cat>", concept=concept_of(embedding))[0]
    assert (tokens["l"][0][1][0].tolist(), tokens["g"][0][1][0].tolist()) == ([1, 1, 1], [2, 2, 2, 2, 2])


def test_encode_puts_several_concepts_where_the_prompt_has_them(nodes):
    dog = ConceptEmbedding("dog", "<dog>", "sd1", (numpy.full((1, 3), 9, "float32"),))
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip(l=3), prompt="<dog> <cat> <dog>", concept=concept_of(EMBEDDING), concept_2=concept_of(dog))[0]
    assert [token.tolist() for token, _ in tokens["l"][0][1:5]] == [[9, 9, 9], [0, 1, 2], [3, 4, 5], [9, 9, 9]]


def test_encode_of_a_long_prompt_puts_vectors_into_every_window(nodes):
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip(l=3), prompt="<cat> " + "word " * 74 + "<cat>", concept=concept_of(EMBEDDING))[0]
    assert [sum(isinstance(token, comfyui_stand_in.Tensor) for token, _ in window) for window in tokens["l"]] == [2, 2]


@pytest.mark.parametrize("clip, takes", [(Clip(g=1280, l=768), r"768 \+ 1280 \(SDXL\)"), (Clip(l=768), r"768 \(Stable Diffusion 1.x\)"), (Clip(h=5), "5")])
def test_concept_of_another_width_is_refused_with_both_numbers(nodes, comfyui, clip, takes):
    """ComfyUI would ignore it, and say so in its log alone; the family's name is not enough to tell."""
    for node, inputs in (("DtiEncodeWithConcepts", {"prompt": "<cat>"}), ("DtiSaveEmbedding", {})):
        with pytest.raises(DtiError, match=f"<cat> has vectors of width 3 and this CLIP needs {takes}: "):
            run(nodes[node], clip=clip, concept=concept_of(EMBEDDING), **inputs)
    assert not comfyui.embeddings.exists()


def test_save_without_a_clip_says_whose_width_it_is(nodes, comfyui):
    run(nodes["DtiSaveEmbedding"], concept=concept_of(EMBEDDING))
    assert "no Stable Diffusion checkpoint has vectors of width 3" in comfyui.texts[-1]
    run(nodes["DtiSaveEmbedding"], concept=concept_of(ConceptEmbedding("dog", "<dog>", "", (numpy.ones((1, 768), "float32"),))))
    assert comfyui.texts[-1] == "embedding:dog (Stable Diffusion 1.x)"


def test_save_for_a_clip_that_it_fits(nodes, comfyui):
    assert run(nodes["DtiSaveEmbedding"], concept=concept_of(EMBEDDING), clip=Clip(l=3)) == ("embedding:cat",)


def test_encode_of_a_prompt_without_the_concept_is_one_sentence(nodes):
    with pytest.raises(DtiError, match="The prompt does not name <cat>"):
        run(nodes["DtiEncodeWithConcepts"], clip=Clip(l=3), prompt="a photo", concept=concept_of(EMBEDDING))


def test_save_writes_a_file_and_gives_the_text_that_works(nodes, comfyui):
    text, = run(nodes["DtiSaveEmbedding"], concept=concept_of(EMBEDDING))
    assert text == "embedding:cat" and [file.name for file in comfyui.embeddings.iterdir()] == ["cat.safetensors"]
    read = ConceptEmbedding.from_file((comfyui.embeddings / "cat.safetensors").read_bytes(), "cat", "<cat>")
    assert (read.encoders[0] == EMBEDDING.encoders[0]).all()


@pytest.mark.parametrize("name", ["../cat", "a cat", ".cat", "a/b"])
def test_save_under_a_name_that_is_none_is_one_sentence(nodes, comfyui, name):
    with pytest.raises(DtiError, match="is no name for an embedding"):
        run(nodes["DtiSaveEmbedding"], concept=concept_of(EMBEDDING), name=name)
    assert not comfyui.embeddings.exists()


def test_save_keeps_an_older_file_unless_told(nodes, comfyui):
    run(nodes["DtiSaveEmbedding"], concept=concept_of(EMBEDDING))
    with pytest.raises(DtiError, match="already"):
        run(nodes["DtiSaveEmbedding"], concept=concept_of(EMBEDDING), overwrite=False)


def test_save_where_nothing_can_be_written_is_one_sentence(nodes, comfyui):
    comfyui.embeddings.write_text("a file where the folder should be")
    with pytest.raises(DtiError, match="cannot be written"):
        run(nodes["DtiSaveEmbedding"], concept=concept_of(EMBEDDING))


def test_save_puts_the_thumbnail_beside_the_file(nodes, comfyui, cat, client):
    run(nodes["DtiSaveEmbedding"], concept=cat)
    preview = comfyui.embeddings / "node-cat.preview.png"
    assert client.get_concept("node-cat").thumbnail_png == (preview.read_bytes() if preview.exists() else b"")


def test_pick_gives_the_text_that_works_and_the_thumbnail(nodes, comfyui):
    run(nodes["DtiSaveEmbedding"], concept=concept_of(EMBEDDING))
    assert choices(nodes["DtiPickEmbedding"], "embedding") == ["cat.safetensors"]
    text, image = run(nodes["DtiPickEmbedding"], embedding="cat.safetensors")
    assert text == "embedding:cat" and image.shape == (1, 128, 128, 3)
    Image.new("RGB", (32, 16), "red").save(comfyui.embeddings / "cat.preview.png")
    text, image = run(nodes["DtiPickEmbedding"], embedding="cat.safetensors", weight=1.2)
    assert text == "(embedding:cat:1.2)" and image.shape == (1, 16, 32, 3) and image[0, 0, 0].tolist() == [1, 0, 0]


def test_pick_of_what_is_not_there_is_one_sentence(nodes):
    sentence, = choices(nodes["DtiPickEmbedding"], "embedding")
    assert nodes["DtiPickEmbedding"].validate_inputs(sentence) == sentence[1:-1] == "There is no embedding yet: save one with DTI Save Embedding."
    with pytest.raises(DtiError, match="no embedding gone.safetensors"):
        run(nodes["DtiPickEmbedding"], embedding="gone.safetensors")


def test_strength_scales_the_weight_and_not_the_vectors(nodes):
    strong, = run(nodes["DtiConceptStrength"], concept=concept_of(EMBEDDING), strength=1.5)
    stronger, = run(nodes["DtiConceptStrength"], concept=strong, strength=2)
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip(l=3), prompt="a <cat> here", concept=stronger)[0]
    assert [weight for _, weight in tokens["l"][0][:5]] == [1, 1, 3, 3, 1]
    assert [token.tolist() for token, _ in tokens["l"][0][2:4]] == [[0, 1, 2], [3, 4, 5]]


def test_strength_reaches_the_server_as_a_weight(nodes, cat, monkeypatch):
    asked = []
    monkeypatch.setattr("dti_client.client.DtiClient.generate", lambda client, options: asked.append(options.prompt) or iter(()))
    with pytest.raises(ValueError):  # no image came
        run(nodes["DtiGenerate"], concept=run(nodes["DtiConceptStrength"], concept=cat, strength=0.7)[0])
    assert asked == ["a photo of (<node-cat>:0.7)"]


def test_generate_takes_several_concepts(nodes, cat):
    other = concept_of(ConceptEmbedding("other", "<other>", "sd1", (-cat.embedding.encoders[0],)))
    images, = run(nodes["DtiGenerate"], prompt="{concept} and <other>", concept=cat, concept_2=other, **DRAWING)
    alone, = run(nodes["DtiGenerate"], prompt="{concept} and", concept=cat, **DRAWING)
    assert images.shape == (1, 64, 64, 3) and (images != alone).any()


def test_compare_gives_a_grid_and_its_images(nodes, cat):
    other = concept_of(ConceptEmbedding("other", "<other>", "sd1", (-cat.embedding.encoders[0],)))
    grid, images = run(nodes["DtiCompareConcepts"], prompts="{concept}\n\n{concept} in the snow", seeds=2, seed=5, concept_1=cat, concept_3=other, **DRAWING)
    assert images.shape == (8, 64, 64, 3) and grid.shape[1] > 2 * 64 and grid.shape[2] == 4 * (64 + 4) + 4
    second, = run(nodes["DtiGenerate"], prompt="{concept} in the snow", concept=other, seed=6, **DRAWING)
    assert (images[7] == second[0]).all()  # the column says seed 6


def test_compare_of_nothing_is_one_sentence(nodes, cat):
    with pytest.raises(DtiError, match="No concept is connected"):
        run(nodes["DtiCompareConcepts"])
    with pytest.raises(DtiError, match="There is no prompt"):
        run(nodes["DtiCompareConcepts"], prompts=" ", concept_1=cat)
    with pytest.raises(DtiError, match="are 800 images"):
        run(nodes["DtiCompareConcepts"], prompts="a\n" * 50, seeds=16, concept_1=cat)


@pytest.fixture
def folder(comfyui):
    """Photos of two sizes below ComfyUI's input folder; the first has a mask and a caption."""
    folder = comfyui.input / "my-cat"
    folder.mkdir(parents=True)
    Image.new("RGB", (96, 80), "red").save(folder / "1.jpg")
    Image.new("L", (96, 80), 255).save(folder / "1-mask.png")
    (folder / "1.txt").write_text("{concept} on red\n")
    Image.new("RGB", (70, 100), "blue").save(folder / "2.PNG")
    return folder


def test_photos_of_a_folder_come_with_masks_and_captions(nodes, client, folder):
    assert choices(nodes["DtiLoadPhotos"], "folder") == ["my-cat"]
    photos, told = run(nodes["DtiLoadPhotos"], folder="my-cat")
    assert [(photo.caption, photo.mask is not None) for photo in photos] == [("{concept} on red", True), ("", False)]
    assert told == "1.jpg, with a mask: {concept} on red\n2.PNG"
    run(nodes["DtiTrainConcept"], photos=photos, name="node-folder", **TRAINING)
    assert len(client.get_concept("node-folder").photo_sha256) == 2


def test_photos_of_a_folder_go_by_content_and_what_is_left_out_is_named(nodes, folder):
    (folder / "2.PNG").rename(folder / "download.jfif")
    (folder / "._1.jpg").write_bytes(b"\0\5\x16\7")
    (folder / "IMG_7.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder / "download.caption").write_bytes("{concept} in a café".encode("utf-16"))
    photos, told = run(nodes["DtiLoadPhotos"], folder="my-cat")
    assert [photo.photo.name for photo in photos] == ["1.jpg", "download.jfif"] and photos[1].caption == "{concept} in a café"
    assert told.splitlines()[-1].startswith("IMG_7.HEIC is left out: it is HEIC") and "._1" not in told


def test_photos_with_a_caption_of_a_windows_code_page_are_refused_by_file(nodes, folder):
    (folder / "1.txt").write_bytes("a café".encode("cp1252"))
    with pytest.raises(DtiError, match=r"The caption .*1\.txt is neither UTF-8 nor UTF-16"):
        run(nodes["DtiLoadPhotos"], folder="my-cat")


def test_train_reduces_photos_of_a_camera_once_and_finds_the_training_again(nodes, client, folder, caplog):
    for file in (folder / "1.jpg", folder / "2.PNG"):
        file.write_bytes(file.read_bytes().ljust(40_000_000, b"\0"))
    photos, _ = run(nodes["DtiLoadPhotos"], folder="my-cat")
    for _ in range(2):
        run(nodes["DtiTrainConcept"], photos=photos, name="node-camera", **TRAINING)
    assert "2 photo(s) were reduced before sending" in caplog.text
    assert [job.name for job in client.list_jobs()].count("node-camera") == 1


def test_photos_of_a_folder_that_changed_are_read_again(nodes, folder):
    before = nodes["DtiLoadPhotos"].fingerprint_inputs("my-cat")
    assert before == nodes["DtiLoadPhotos"].fingerprint_inputs("my-cat")
    (folder / "1.txt").write_text("{concept} on something else")
    assert before != nodes["DtiLoadPhotos"].fingerprint_inputs("my-cat")


@pytest.mark.parametrize("name", ["..", "../embeddings", "/etc", "nowhere", "."])
def test_photos_come_from_comfyuis_input_folder_alone(nodes, folder, comfyui, name):
    comfyui.embeddings.mkdir()
    with pytest.raises(DtiError, match="There is no folder"):
        run(nodes["DtiLoadPhotos"], folder=name)


def test_train_without_photos_is_one_sentence(nodes):
    with pytest.raises(DtiError, match="There are no photos to train on"):
        run(nodes["DtiTrainConcept"], name="node-nothing")


@pytest.fixture
def stand_in(nodes):
    """A server of a few lines, the gate before it, and what a node connects to for it."""
    from dti_client.comfyui.values import Server

    stand_in = StandIn()
    with serving(stand_in) as port, Gate(port) as gate:
        stand_in.gate, stand_in.server = gate, Server(f"http://127.0.0.1:{gate.port}")
        yield stand_in


def away(stand_in, seconds):
    """What a stand-in is cut by: its gate closes, and opens after so many seconds."""
    def close():
        stand_in.gate.close()
        threading.Timer(seconds, stand_in.gate.open).start()

    return close


def test_generate_waits_for_a_server_that_goes_away_and_says_so(nodes, comfyui, stand_in):
    stand_in.cuts.append(away(stand_in, 3))
    images, = run(nodes["DtiGenerate"], prompt="a cat", server=stand_in.server)
    assert images.shape == (2, 8, 8, 3) and images[1].mean() > images[0].mean()  # each once, in their order
    assert [text for text in comfyui.texts if "Waiting for it since" in text and "the rest of the images is generated when it is back" in text]


def test_cancel_of_a_training_whose_server_is_away_is_delivered_when_it_is_back(nodes, comfyui, stand_in, photos, monkeypatch):
    monkeypatch.setattr("dti_client.client.DtiClient.list_jobs", lambda *_, **__: [])
    monkeypatch.setattr(sys.modules["dti_client.comfyui.trainings"], "_concept_from", lambda *_: None)
    stand_in.cuts.append(stand_in.gate.close)
    comfyui.interrupt_after = 1000
    comfyui.show = lambda text: "Waiting for it since" in text and setattr(comfyui, "interrupt_after", 0)
    began = time.monotonic()
    with pytest.raises(InterruptProcessingException):
        run(nodes["DtiTrainConcept"], images=photos, name="cat", server=stand_in.server, **TRAINING)
    assert not stand_in.cancelled and time.monotonic() - began < 30  # the page is free again at once
    stand_in.gate.open()
    for _ in range(600):
        if not stand_in.cancelled:
            time.sleep(0.05)
    assert set(stand_in.cancelled) == {"job"}


def test_cancel_of_a_generation_that_was_sent_again_cancels_the_new_job(nodes, comfyui):
    from dti_client.comfyui.running import interruptible
    from dti_client.records import GenerationAccepted

    class Client:
        cancelled = []

        def cancel_job(self, job_id, wait):
            self.cancelled.append(job_id)

    updates = interruptible(Client(), iter([GenerationAccepted("first", None), GenerationAccepted("second", None), *[None] * 10]))
    next(updates), next(updates), next(updates)
    updates.close()
    assert set(Client.cancelled) == {"second"}


@pytest.mark.parametrize("frames", [None, 3])
def test_the_graph_in_an_image_draws_it_again(nodes, client, cat, frames):
    if frames:
        client.import_concept("node-cot", dataclasses.replace(cat.embedding, encoders=tuple(-rows[:, ::-1] for rows in cat.embedding.encoders)), overwrite=True)
    options = GenerationOptions(prompt="a photo of <node-cat>", seed=3, scheduler="euler_karras", **DRAWING)
    updates = client.interpolate("node-cat", "node-cot", dataclasses.replace(options, prompt=None), frames=frames) if frames else client.generate(options)
    image = [update for update in updates if isinstance(update, Picture)][1 if frames else 0]
    graph = json.loads(Image.open(io.BytesIO(image.data)).text["prompt"])

    def output(id):
        given = {name: output(value[0]) if isinstance(value, list) else value for name, value in graph[id]["inputs"].items()}
        return run(nodes[graph[id]["class_type"]], **given)[0]

    save = next(node for node in graph.values() if node["class_type"] == "SaveImage")
    again = output(save["inputs"]["images"][0])
    difference = numpy.abs(numpy.asarray(numpy.round(again[0] * 255)).astype("int") - image.numpy().astype("int")).max()
    assert difference <= (1 if frames else 0)  # the frames of an interpolation are one batch, which rounds otherwise
