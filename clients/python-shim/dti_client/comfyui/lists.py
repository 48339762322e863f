"""The lists in dropdowns: names of concepts and models on the server that was last used.

ComfyUI asks for the schema of every node when its page loads, when R is pressed there, and many times while a prompt runs. So a list is read at
most every few seconds, by a thread, and ComfyUI waits for it only a moment: a server that is away must not hold up the page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..client import DtiClient
from ..errors import DtiError
from .values import Server, recent

DEFAULT = "(default)"

_TTL_SECONDS = 2.0
_PATIENCE_SECONDS = 0.4
_TIMEOUT_SECONDS = 3.0


class _List:
    """What one question was last answered with, by one server."""

    def __init__(self, ask: Callable[[DtiClient], list[str]]):
        self._ask = ask
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._known: list[str] = []
        self._problem = ""
        self._asked = -_TTL_SECONDS

    def get(self) -> tuple[list[str], str]:
        """The names, and a sentence where there is no fresh answer."""
        with self._lock:
            server, now = recent(), time.monotonic()
            if server != self._server:
                self._server, self._known, self._asked = server, [], -_TTL_SECONDS
                self._problem = "the Dti server has not answered yet; press R to read the list again"
            if now - self._asked >= _TTL_SECONDS:
                self._asked = now
                thread = threading.Thread(target=self._read, args=(server,), name="dti-list", daemon=True)
                thread.start()
            else:
                thread = None
        if thread:
            thread.join(_PATIENCE_SECONDS)
        with self._lock:
            return list(self._known), self._problem

    def _read(self, server: Server) -> None:
        try:
            names, problem = self._ask(server.client()), ""
        except DtiError as error:
            names, problem = None, str(error)
        with self._lock:
            if server == self._server:
                self._known, self._problem = self._known if names is None else names, problem

    def expire(self) -> None:
        """The next question goes to the server."""
        with self._lock:
            self._asked = -_TTL_SECONDS


_concepts = _List(lambda client: [concept.name for concept in client.list_concepts(timeout=_TIMEOUT_SECONDS)])
_models = _List(lambda client: [model.name for model in client.list_models(timeout=_TIMEOUT_SECONDS) if not model.problem])


def concept_names() -> list[str]:
    """The names in the library; where there are none, one sentence in parentheses that says why."""
    names, problem = _concepts.get()
    return names or [f"({problem or 'the library is empty: train a concept, then press R'})"]


def model_names() -> list[str]:
    """`(default)`, and the models that can be used."""
    return [DEFAULT, *_models.get()[0]]


def expire() -> None:
    """After a node changed the library: the lists are read again when they are next asked for."""
    _concepts.expire()
    _models.expire()
