"""Tokens, scopes and certificates, against a server that other machines could reach."""

import asyncio
import contextlib
import json
import re
import subprocess
from urllib.parse import urlsplit

import comfyui_stand_in
import pytest
from conftest import ROOT

from dti_client import AsyncDtiClient, DtiClient, DtiError

DTI = ROOT / "artifacts/published/Release/dti"
WANTS_A_TOKEN = "This server requires a valid token: set DTI_TOKEN"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An authority (ca.pem), certificates of the server (server.pem) and of a client (anna.pem), each with its key, made as the documentation says."""
    folder = tmp_path_factory.mktemp("doors")
    lines, = re.findall(r"```bash\n(.*?)```", (ROOT / "docs/security.md").read_text(encoding="utf-8"), re.DOTALL)
    subprocess.run(["bash", "-euc", lines.replace("192.168.1.10", "127.0.0.1")], cwd=folder, check=True, capture_output=True)
    return folder


def token(folder, name, *arguments):
    made = subprocess.run([DTI, "tokens", "create", name, "--json", "--data", folder / "library", *arguments], check=True, capture_output=True, text=True)
    return json.loads(made.stdout)["token"]


@contextlib.contextmanager
def serving(folder, library, *arguments):
    """A server on every network, with TLS; gives its address. A library has one server at a time."""
    process = subprocess.Popen(
        [DTI, "serve", "--address", "0.0.0.0", "--port", "0", "--json", "--data", folder / library, "--models", ROOT / "tests/fixtures/tiny-sd15",
         "--tls-cert", folder / "server.pem", "--tls-key", folder / "server.key", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        yield f"https://127.0.0.1:{urlsplit(json.loads(process.stdout.readline())['address']).port}"
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def secret(folder):
    return token(folder, "anna")


@pytest.fixture(scope="module")
def address(folder, secret):
    """A server that wants a token."""
    with serving(folder, "library") as address:
        yield address


def test_right_token_is_let_in_and_told_who_it_is(folder, address, secret):
    with DtiClient(address, token=secret, ca_certificate=folder / "ca.pem") as client:
        about = client.get_server()
    assert (about.caller, about.scopes) == ("anna", ("read", "generate", "train"))


def test_token_and_certificate_of_the_environment_are_used(folder, address, secret, monkeypatch):
    monkeypatch.setenv("DTI_CA", str(folder / "ca.pem"))
    monkeypatch.setenv("DTI_TOKEN", secret)
    with DtiClient(address) as client:
        assert client.list_models()
    (folder / "token").write_text(secret + "\n")
    monkeypatch.setenv("DTI_TOKEN", "wrong")
    monkeypatch.setenv("DTI_TOKEN_FILE", str(folder / "token"))
    with DtiClient(address) as client:
        assert client.list_models()


@pytest.mark.parametrize("wrong", [None, "dti_wrong"])
def test_missing_and_wrong_token_are_the_same_helpful_sentence(folder, address, wrong):
    with DtiClient(address, token=wrong, ca_certificate=folder / "ca.pem") as client:
        for call in (client.list_models, lambda: list(client.generate("a cat")), lambda: list(client.train("x", [b"photo"]))):
            with pytest.raises(DtiError, match=WANTS_A_TOKEN) as refusal:
                call()
            assert (refusal.value.status, refusal.value.reason) == ("UNAUTHENTICATED", "TOKEN_REFUSED") and "dti_wrong" not in str(refusal.value)


def test_async_client_says_the_same(folder, address):
    async def scenario():
        async with AsyncDtiClient(address, token="dti_wrong", ca_certificate=folder / "ca.pem") as client:
            await client.list_models()

    with pytest.raises(DtiError, match=WANTS_A_TOKEN):
        asyncio.run(scenario())


def test_token_without_the_scope_says_which(folder, address):
    with DtiClient(address, token=token(folder, "reader", "--scope", "read"), ca_certificate=folder / "ca.pem") as client:
        assert client.list_models()
        with pytest.raises(DtiError, match="needs the scope generate, which your token does not have") as refusal:
            list(client.generate("a cat"))
    assert (refusal.value.status, refusal.value.reason) == ("PERMISSION_DENIED", "SCOPE_MISSING")


def test_token_that_is_revoked_while_the_server_runs_is_refused(folder, address):
    with DtiClient(address, token=token(folder, "guest"), ca_certificate=folder / "ca.pem") as client:
        assert client.list_models()
        subprocess.run([DTI, "tokens", "revoke", "guest", "--data", folder / "library"], check=True)
        with pytest.raises(DtiError, match=WANTS_A_TOKEN):
            client.list_models()


def test_server_whose_certificate_nobody_vouches_for_is_one_sentence(address, secret):
    with DtiClient(address, token=secret) as client, pytest.raises(DtiError, match="do not trust each other") as refusal:
        client.list_models()
    assert refusal.value.status == "UNAVAILABLE"


def test_node_tells_who_you_are_and_what_is_wrong(folder, address, secret, monkeypatch, tmp_path):
    comfyui_stand_in.install(monkeypatch, tmp_path)
    from dti_client.comfyui import comfy_entrypoint

    node, = (node for node in asyncio.run(comfy_entrypoint().get_node_list()) if node.define_schema().node_id == "DtiServer")
    where = {"address": address, "ca_certificate": str(folder / "ca.pem")}
    assert "You are anna, for read, generate, train" in comfyui_stand_in.run(node, token=secret, **where)[1]
    with pytest.raises(DtiError, match=WANTS_A_TOKEN):
        comfyui_stand_in.run(node, token="dti_wrong", **where)


def test_client_with_a_certificate_is_who_it_says(folder):
    with serving(folder, "other-library", "--client-ca", folder / "ca.pem") as address:
        with DtiClient(address, ca_certificate=folder / "ca.pem", client_certificate=folder / "anna.pem", client_key=folder / "anna.key") as client:
            assert client.get_server().caller == "certificate:anna"
        with DtiClient(address, ca_certificate=folder / "ca.pem") as client, pytest.raises(DtiError) as refusal:
            client.list_models()
        assert refusal.value.status == "UNAVAILABLE" and "certificate of this client" in str(refusal.value)


def test_half_a_client_certificate_is_one_sentence(folder):
    with pytest.raises(DtiError, match="go together"):
        DtiClient("https://localhost", client_certificate=folder / "anna.pem")


def test_token_file_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setenv("DTI_TOKEN_FILE", "nowhere")
    with pytest.raises(DtiError, match="The token file nowhere cannot be read"):
        DtiClient("http://localhost")
