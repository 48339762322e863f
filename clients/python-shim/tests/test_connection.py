"""Connections that drop, tokens and TLS, against a stand-in server."""

import asyncio
import shutil
import subprocess
import threading

import grpc
import pytest
from stand_in_server import EVENTS, IMAGES, Gate, StandIn, serving

from dti_client import AsyncDtiClient, ConnectionLost, DtiClient, DtiError, GenerationAccepted, GenerationOptions, convert
from dti_client.channels import Endpoint

WHOLE = [convert.read_event(answer) for _, answer in EVENTS]
WHOLE_GENERATION = [convert.read_event(answer) for answer in IMAGES]


def events(updates):
    """What a job gave, without a generation's first event, and without the waits, whose number is up to the machine."""
    return [update for update in updates if not isinstance(update, (ConnectionLost, GenerationAccepted))]


@pytest.mark.parametrize("cut", range(1, len(EVENTS)))
def test_train_cut_at_any_event_has_neither_gap_nor_duplicate(cut):
    stand_in = StandIn([cut])
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client:
        assert events(client.train("cat", [b"photo"])) == WHOLE
    assert stand_in.calls == ["Train", "Watch"]


@pytest.mark.parametrize("cut", range(1, len(EVENTS)))
def test_async_train_cut_at_any_event_has_neither_gap_nor_duplicate(cut):
    async def scenario(port):
        async with AsyncDtiClient(f"http://localhost:{port}") as client:
            return [update async for update in client.train("cat", [b"photo"])]

    with serving(StandIn([cut])) as port:
        assert events(asyncio.run(scenario(port))) == WHOLE


def test_train_cut_again_and_again_is_whole():
    with serving(StandIn([2, 1, 3, 6, 5])) as port, DtiClient(f"http://localhost:{port}") as client:
        assert events(client.train("cat", [b"photo"])) == WHOLE


def test_train_gives_up_when_its_time_is_up():
    stand_in = StandIn([1, *[0] * 1000])
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}", reconnect_timeout=3) as client:
        with pytest.raises(DtiError) as lost:
            list(client.train("cat", [b"photo"]))
    assert lost.value.status == "UNAVAILABLE" and stand_in.calls.count("Watch") > 1


def test_train_with_no_time_to_wait_is_not_picked_up():
    stand_in = StandIn([1])
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}", reconnect_timeout=0) as client, pytest.raises(DtiError):
        list(client.train("cat", [b"photo"]))
    assert stand_in.calls == ["Train"]


def silence(gate, seconds):
    """Closes a gate, and opens it after so many seconds."""
    def close():
        gate.close()
        threading.Timer(seconds, gate.open).start()

    return close


@pytest.fixture
def patient(monkeypatch):
    """A try over a connection that says nothing ends after the test: only a further one can find the server."""
    monkeypatch.setattr("dti_client.client.ANSWER_SECONDS", 1000)
    monkeypatch.setattr("dti_client.aio.ANSWER_SECONDS", 1000)
    options = Endpoint._options.fget
    monkeypatch.setattr(Endpoint, "_options", property(lambda self: [*options(self), ("grpc.min_reconnect_backoff_ms", 1_000_000)]))


def test_train_waits_for_a_server_that_accepts_and_stays_silent(patient):
    stand_in = StandIn()
    with serving(stand_in) as port, Gate(port) as gate, DtiClient(f"http://127.0.0.1:{gate.port}") as client:
        stand_in.cuts.append(silence(gate, 4))
        updates = list(client.train("cat", [b"photo"]))
    lost, = [update for update in updates if isinstance(update, ConnectionLost)]
    assert [update for update in updates if update is not lost] == WHOLE
    assert (lost.until - lost.since).total_seconds() == 600 and gate.silent_connections > 2


def test_async_train_waits_for_a_server_that_accepts_and_stays_silent(patient):
    async def scenario(port):
        async with AsyncDtiClient(f"http://127.0.0.1:{port}") as client:
            return [update async for update in client.train("cat", [b"photo"])]

    stand_in = StandIn()
    with serving(stand_in) as port, Gate(port) as gate:
        stand_in.cuts.append(silence(gate, 4))
        updates = asyncio.run(scenario(gate.port))
    assert [type(update) for update in updates].count(ConnectionLost) == 1
    assert [update for update in updates if not isinstance(update, ConnectionLost)] == WHOLE


def test_cancel_of_a_job_whose_server_is_away_is_delivered_when_it_is_back():
    stand_in = StandIn()
    with serving(stand_in) as port, Gate(port) as gate, DtiClient(f"http://127.0.0.1:{gate.port}") as client:
        silence(gate, 2)()
        assert client.cancel_job("job", wait=True).state == "cancelled"
    assert stand_in.calls == ["Cancel"] and gate.silent_connections


def test_async_cancel_of_a_job_whose_server_is_away_is_delivered_when_it_is_back():
    async def scenario(port):
        async with AsyncDtiClient(f"http://127.0.0.1:{port}") as client:
            return await client.cancel_job("job", wait=True)

    stand_in = StandIn()
    with serving(stand_in) as port, Gate(port) as gate:
        silence(gate, 2)()
        assert asyncio.run(scenario(gate.port)).state == "cancelled"
    assert stand_in.calls == ["Cancel"]


def test_job_that_the_server_no_longer_has_is_one_sentence():
    stand_in = StandIn([2])
    stand_in.Get = lambda request, context: context.abort(grpc.StatusCode.NOT_FOUND, "There is no job of that id.")
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client, pytest.raises(DtiError, match="no job of that id"):
        list(client.train("cat", [b"photo"]))


def test_train_that_never_began_is_not_tried_again():
    stand_in = StandIn([0])
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client, pytest.raises(DtiError):
        list(client.train("cat", [b"photo"]))
    assert stand_in.calls == ["Train"]


def test_train_that_is_cancelled_on_disconnect_is_not_picked_up():
    stand_in = StandIn([3])
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client, pytest.raises(DtiError):
        list(client.train("cat", [b"photo"], cancel_on_disconnect=True))
    assert stand_in.calls == ["Train"]


def test_generate_with_no_time_to_wait_is_one_sentence():
    with serving(StandIn([1])) as port, DtiClient(f"http://localhost:{port}", reconnect_timeout=0) as client:
        with pytest.raises(DtiError, match="connection to it was lost"):
            list(client.generate("a cat"))


def test_generate_that_never_began_is_not_sent_again():
    stand_in = StandIn([0])
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client, pytest.raises(DtiError):
        list(client.generate("a cat"))
    assert stand_in.calls == ["Generate"]


@pytest.mark.parametrize("cut", range(1, len(IMAGES) + 1))
def test_generate_cut_at_any_event_is_sent_again_with_the_seed_it_had(cut):
    stand_in = StandIn([cut])
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client:
        updates = list(client.generate("a cat"))
    first, again = [update for update in updates if isinstance(update, GenerationAccepted)]
    assert updates[0] is first and events(updates) == WHOLE_GENERATION
    assert (first.job_id, again.job_id) == ("draw-1", "draw-2") and again.settings == first.settings
    asked, asked_again = stand_in.generations
    assert not asked.HasField("seed") and (asked_again.prompt, asked_again.seed, asked_again.model) == ("a cat", 7, "mini")
    assert stand_in.calls == ["Generate", "Watch", "Generate"]


@pytest.mark.parametrize("cut", range(1, len(IMAGES) + 1))
def test_generate_whose_server_continues_it_is_watched(cut):
    stand_in = StandIn([cut, 2, cut], continues=True)
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client:
        assert events(client.generate("a cat")) == WHOLE_GENERATION
    assert stand_in.calls[0] == "Generate" and set(stand_in.calls[1:]) == {"Watch"}


def test_generate_whose_job_the_server_forgot_is_sent_again():
    stand_in = StandIn([3])
    stand_in.Get = lambda request, context: context.abort(grpc.StatusCode.NOT_FOUND, "There is no job of that id.")
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client:
        assert events(client.generate("a cat")) == WHOLE_GENERATION


def test_generate_that_somebody_cancels_is_not_sent_again():
    stand_in = StandIn()
    stand_in._images = lambda job_id, context: context.abort(grpc.StatusCode.CANCELLED, "Job was cancelled.")
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client, pytest.raises(DtiError, match="cancelled"):
        list(client.generate("a cat"))
    assert stand_in.calls == ["Generate"]


def test_generate_that_is_left_while_it_is_watched_is_cancelled():
    stand_in = StandIn([3], continues=True)
    with serving(stand_in) as port, DtiClient(f"http://localhost:{port}") as client:
        updates = client.generate("a cat")
        for update in updates:
            if getattr(update, "index", None) == 0:
                break
        updates.close()
    assert stand_in.cancelled == ["draw-1"]


def test_generate_waits_for_a_server_that_accepts_and_stays_silent(patient):
    stand_in = StandIn()
    with serving(stand_in) as port, Gate(port) as gate, DtiClient(f"http://127.0.0.1:{gate.port}") as client:
        stand_in.cuts.append(silence(gate, 2))
        updates = list(client.generate(GenerationOptions(prompt="a cat", seed=3)))
    assert [type(update) for update in updates].count(ConnectionLost) == 1
    assert events(updates) == WHOLE_GENERATION


def test_async_generate_cut_again_and_again_is_whole():
    async def scenario(port):
        async with AsyncDtiClient(f"http://localhost:{port}") as client:
            return [update async for update in client.generate("a cat")]

    stand_in = StandIn([2, 4, 5])
    with serving(stand_in) as port:
        updates = asyncio.run(scenario(port))
    assert events(updates) == WHOLE_GENERATION
    assert [options.seed for options in stand_in.generations][1:] == [7, 7, 7]


def test_async_generate_that_is_left_while_it_is_watched_is_cancelled():
    async def scenario(port):
        async with AsyncDtiClient(f"http://localhost:{port}") as client:
            updates = client.generate("a cat")
            async for update in updates:
                if getattr(update, "index", None) == 0:
                    break
            await updates.aclose()

    stand_in = StandIn([3], continues=True)
    with serving(stand_in) as port:
        asyncio.run(scenario(port))
    assert stand_in.cancelled == ["draw-1"]


def test_each_event_starts_the_time_to_wait_again():
    from dti_client.following import Following
    from dti_client.records import TrainingAccepted, TrainingProgress

    lost = DtiError("lost", "UNAVAILABLE")
    following = Following(None, 600)
    following.take(TrainingAccepted("job", "", "cat", None, 1, False, 0))
    first = following.reconnect(lost)
    assert following.reconnect(lost) is first
    following.take(TrainingProgress(1, 2, 0, 0, 0, 0, 0, 0, 0, None))
    assert following.reconnect(lost) is not first


def test_token_goes_with_every_call():
    with serving(StandIn(token="right")) as port, DtiClient(f"http://localhost:{port}", token="right") as client:
        assert [model.name for model in client.list_models()] == ["stand-in"]


def test_token_of_the_environment_is_used(monkeypatch):
    monkeypatch.setenv("DTI_TOKEN", "right")
    with serving(StandIn(token="right")) as port, DtiClient(f"http://localhost:{port}") as client:
        assert client.list_models()


def test_wrong_token_is_one_sentence():
    with serving(StandIn(token="right")) as port, DtiClient(f"http://localhost:{port}", token="wrong") as client:
        with pytest.raises(DtiError, match="requires a valid token. The token is not known here.") as refusal:
            client.list_models()
    assert refusal.value.status == "UNAUTHENTICATED"


def test_what_is_no_dti_server_is_one_sentence():
    with serving(StandIn()) as port, DtiClient(f"http://localhost:{port}") as client, pytest.raises(DtiError, match="does not know this call"):
        client.list_concepts()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost that vouches for itself: its file, and the server's credentials."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl, install with apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True)
    pair = ((folder / "key.pem").read_bytes(), (folder / "cert.pem").read_bytes())
    return folder / "cert.pem", grpc.ssl_server_credentials([pair])


def test_tls_with_a_certificate_of_ones_own(certificate):
    file, credentials = certificate
    with serving(StandIn(), credentials) as port, DtiClient(f"https://localhost:{port}", ca_certificate=file) as client:
        assert client.list_models()


def test_tls_with_a_certificate_that_nobody_vouches_for_is_refused(certificate):
    _, credentials = certificate
    with serving(StandIn(), credentials) as port, DtiClient(f"https://localhost:{port}") as client, pytest.raises(DtiError) as refusal:
        client.list_models()
    assert refusal.value.status == "UNAVAILABLE"


def test_certificate_that_is_not_there_is_one_sentence():
    with pytest.raises(DtiError, match="cannot be read"):
        DtiClient("https://localhost", ca_certificate="nowhere.pem")


def test_a_connection_that_took_too_long_is_no_distrust():
    from dti_client.errors import _sentence

    slow = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:5271: tcp handshaker shutdown"
    assert _sentence(grpc.StatusCode.UNAVAILABLE, slow, "http://127.0.0.1:5271").startswith("There is no Dti server at http://127.0.0.1:5271")
