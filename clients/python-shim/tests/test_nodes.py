"""The ComfyUI nodes, against a real server and a stand-in for ComfyUI."""

import asyncio
import importlib.util
import pathlib
import socket
import sys
import threading
import time

import comfyui_stand_in
import numpy
import pytest
from comfyui_stand_in import Clip, ExecutionBlocker, InterruptProcessingException, run

from dti_client import ConceptEmbedding, DtiError

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
    assert len(asyncio.run(pack.comfy_entrypoint().get_node_list())) == 7
    for name in [name for name in sys.modules if name.startswith("/custom_nodes/dti.")]:
        del sys.modules[name]


def test_node_ids_stay_as_saved_workflows_have_them(nodes):
    assert list(nodes) == [
        "DtiServer", "DtiTrainConcept", "DtiLoadConcept", "DtiInterpolateConcepts", "DtiGenerate", "DtiEncodeWithConcepts", "DtiSaveEmbedding"]


def test_every_node_and_every_input_says_what_it_is(nodes):
    for node in nodes.values():
        schema = node.define_schema()
        assert schema.description and schema.display_name.startswith("DTI ")
        for port in schema.inputs:
            assert port.options.get("tooltip"), (schema.node_id, port.id)


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
    concept, curve, name = run(nodes["DtiTrainConcept"], images=photos, name="node-train", **{**TRAINING, "preview_every": 2})
    assert (concept.placeholder, concept.embedding.encoders[0].shape, name) == ("<node-train>", (1, 32), "embedding:node-train")
    assert curve.shape == (1, 384, 768, 3) and curve.dtype == numpy.float32 and 0 <= curve.min() < curve.max() <= 1
    assert [value for value, _ in comfyui.progress if value] == [1, 2, 2, 3, 3] and len(comfyui.previews) == 2
    assert comfyui.texts[-1].startswith("step 3 of 3, loss ")


def test_train_of_unchanged_inputs_trains_nothing_again(nodes, client, cat, photos):
    again = run(nodes["DtiTrainConcept"], images=photos, name="node-cat", **TRAINING)[0]
    assert len(jobs(client, "node-cat")) == 1
    assert (again.embedding.encoders[0] == cat.embedding.encoders[0]).all()


def test_train_with_another_seed_trains_again(nodes, client, cat, photos):
    before = len(jobs(client, "node-cat"))
    run(nodes["DtiTrainConcept"], images=photos, name="node-cat", seed=2, **TRAINING)
    assert len(jobs(client, "node-cat")) == before + 1
    # and the first one is not taken for what is in the library now
    run(nodes["DtiTrainConcept"], images=photos, name="node-cat", **TRAINING)
    assert len(jobs(client, "node-cat")) == before + 2


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


def test_train_without_the_later_inputs_asks_what_it_asked_before_there_were_any(nodes, client, cat, photos):
    """Workflows that were saved then find their trainings again."""
    before = len(jobs(client, "node-cat"))
    run(nodes["DtiTrainConcept"], images=photos, name="node-later", **TRAINING)
    run(nodes["DtiTrainConcept"], images=photos, name="node-later", preset="(own settings)", obedience=0.9, stop_early=False, gradient_accumulation=1, **TRAINING)
    assert len(jobs(client, "node-later")) == 1 and len(jobs(client, "node-cat")) == before


def test_train_of_a_concept_whose_job_is_forgotten_trains_nothing(nodes, cat, photos, monkeypatch):
    monkeypatch.setattr("dti_client.client.DtiClient.list_jobs", lambda *_, **__: [])
    monkeypatch.setattr("dti_client.client.DtiClient.train", None)
    concept, curve, _ = run(nodes["DtiTrainConcept"], images=photos, name="node-cat", **TRAINING)
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

        def cancel_job(self, job_id, timeout):
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


def test_interpolate_without_frames_draws_nothing(nodes, cat):
    images, blend = run(nodes["DtiInterpolateConcepts"], from_concept=cat, to_concept=cat, frames=0, save_as="node-blend")
    assert isinstance(images, ExecutionBlocker)
    assert run(nodes["DtiLoadConcept"], name="node-blend")[1] == blend.placeholder == "<node-blend>"


@pytest.mark.parametrize("prompt", ["a photo of <cat> there", "a photo of embedding:cat there", "a photo of {concept} there", "a photo of <CAT> there"])
def test_encode_puts_the_vectors_into_the_tokens(nodes, prompt):
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip("l"), prompt=prompt, concept=concept_of(EMBEDDING))[0]
    window, = tokens["l"]
    assert len(window) == 77 and [isinstance(token, comfyui_stand_in.Tensor) for token, _ in window[:8]] == [False, False, False, False, True, True, False, False]
    assert [token.tolist() for token, _ in window[4:6]] == [[0, 1, 2], [3, 4, 5]]


def test_encode_leaves_the_rest_of_the_prompt_as_it_is(nodes):
    clip = Clip("l")
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=clip, prompt="a zebra, a <cat> and a volcano", concept=concept_of(EMBEDDING))[0]
    assert [token for token, _ in tokens["l"][0] if isinstance(token, int)][:8] == [token for token, _ in clip.tokenize("a zebra, a and a volcano")["l"][0]][:8]


def test_encode_keeps_weights(nodes):
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip("l"), prompt="a (<cat>:1.3) here", concept=concept_of(EMBEDDING))[0]
    assert [weight for _, weight in tokens["l"][0][:5]] == [1, 1, 1.3, 1.3, 1]


def test_encode_gives_each_encoder_of_sdxl_its_own_vectors(nodes):
    embedding = ConceptEmbedding("cat", "<cat>", "sdxl", (numpy.ones((1, 3), "float32"), numpy.full((1, 5), 2, "float32")))
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip("g", "l"), prompt="<cat>", concept=concept_of(embedding))[0]
    assert (tokens["l"][0][1][0].tolist(), tokens["g"][0][1][0].tolist()) == ([1, 1, 1], [2, 2, 2, 2, 2])


def test_encode_puts_several_concepts_where_the_prompt_has_them(nodes):
    dog = ConceptEmbedding("dog", "<dog>", "sd1", (numpy.full((1, 3), 9, "float32"),))
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip("l"), prompt="<dog> <cat> <dog>", concept=concept_of(EMBEDDING), concept_2=concept_of(dog))[0]
    assert [token.tolist() for token, _ in tokens["l"][0][1:5]] == [[9, 9, 9], [0, 1, 2], [3, 4, 5], [9, 9, 9]]


def test_encode_of_a_long_prompt_puts_vectors_into_every_window(nodes):
    (tokens, _), = run(nodes["DtiEncodeWithConcepts"], clip=Clip("l"), prompt="<cat> " + "word " * 74 + "<cat>", concept=concept_of(EMBEDDING))[0]
    assert [sum(isinstance(token, comfyui_stand_in.Tensor) for token, _ in window) for window in tokens["l"]] == [2, 2]


def test_encode_for_another_family_is_one_sentence(nodes):
    with pytest.raises(DtiError, match="<cat> was learnt for Stable Diffusion 1.x and does not fit this CLIP"):
        run(nodes["DtiEncodeWithConcepts"], clip=Clip("g", "l"), prompt="<cat>", concept=concept_of(EMBEDDING))


def test_encode_of_a_prompt_without_the_concept_is_one_sentence(nodes):
    with pytest.raises(DtiError, match="The prompt does not name <cat>"):
        run(nodes["DtiEncodeWithConcepts"], clip=Clip("l"), prompt="a photo", concept=concept_of(EMBEDDING))


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
