"""A real server on a free port."""

import json
import pathlib
import shutil
import subprocess
import sys

import grpc
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))  # comfyui_stand_in, stand_in_server


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Where `dti serve` listens, with the tiny model of the tests; the address is the first line that it prints."""
    setpriv = shutil.which("setpriv")  # the kernel ends the server together with this process, even if that is killed
    server = subprocess.Popen(
        [*([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []), ROOT / "artifacts/published/Release/dti", "serve", "--port", "0", "--json", "--data", tmp_path_factory.mktemp("library"),
         "--models", ROOT / "tests/fixtures/tiny-sd15"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )
    try:
        yield json.loads(server.stdout.readline())["address"]
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0


@pytest.fixture(scope="session")
def channel(address):
    """A channel to the server."""
    with grpc.insecure_channel(address.removeprefix("http://").rstrip("/")) as opened:
        yield opened


@pytest.fixture(scope="session")
def client(address):
    """A client of the server."""
    from dti_client import DtiClient

    with DtiClient(address) as opened:
        yield opened
