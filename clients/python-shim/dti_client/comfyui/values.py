"""The values that nodes pass to each other."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from ..client import DtiClient
from ..embedding import ConceptEmbedding
from ..errors import DtiError


@dataclass(frozen=True)
class Server:
    """The address and credentials of a Dti server. Empty fields take the client's defaults. The token is left out of error reports."""

    address: str = ""
    token: str = field(default="", repr=False)
    ca_certificate: str = ""

    def client(self) -> DtiClient:
        """A client of the server; the same one each time."""
        return _client(self)


@dataclass(frozen=True)
class Concept:
    """A concept, and the server that has it in its library; None for an interpolated one that was not saved."""

    embedding: ConceptEmbedding = field(repr=False)
    server: Server | None
    strength: float = 1.0
    """Factor of the weights of its vectors in prompts."""

    def weighted(self, text: str) -> str:
        """The text for prompts with the strength as its weight."""
        return text if self.strength == 1 else f"({text}:{self.strength:g})"

    @property
    def placeholder(self) -> str:
        """The text that stands for the concept in prompts."""
        return self.embedding.placeholder


class _Recent:
    server = Server()


def use(server: Server | None) -> Server:
    """The server of a node's input, which may be empty; lists and fingerprints ask the one that was last used."""
    _Recent.server = server or Server()
    return _Recent.server


def recent() -> Server:
    """The server that was last used."""
    return _Recent.server


@contextlib.contextmanager
def names_on(server: Server, concepts: list[Concept]) -> Iterator[list[str]]:
    """The names of concepts in a server's library; concepts that are not in it are imported until the end."""
    lent: list[str] = []
    try:
        names = []
        for concept in concepts:
            if concept.server == server:
                names.append(concept.embedding.name)
            else:
                lent.append(f"lent-{uuid.uuid4().hex}")
                server.client().import_concept(lent[-1], concept.embedding)
                names.append(lent[-1])
        yield names
    finally:
        for name in lent:
            with contextlib.suppress(DtiError):
                server.client().delete_concept(name)


@lru_cache(maxsize=8)
def _client(server: Server) -> DtiClient:
    return DtiClient(server.address or None, token=server.token or None, ca_certificate=server.ca_certificate or None)
