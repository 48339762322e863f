"""What goes from node to node."""

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
    """Where the Dti server is. What is empty is the client's default. The token stays out of error reports."""

    address: str = ""
    token: str = field(default="", repr=False)
    ca_certificate: str = ""

    def client(self) -> DtiClient:
        """A client of it; the same one each time."""
        return _client(self)


@dataclass(frozen=True)
class Concept:
    """A concept, and the server that has it in its library; None where it was only just blended."""

    embedding: ConceptEmbedding = field(repr=False)
    server: Server | None
    strength: float = 1.0
    """What the weights of its vectors in prompts are multiplied by."""

    def weighted(self, text: str) -> str:
        """The text that stands for it, with its strength."""
        return text if self.strength == 1 else f"({text}:{self.strength:g})"

    @property
    def placeholder(self) -> str:
        """What stands for it in prompts."""
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
    """The names of concepts in a server's library; those that are not in it are lent to it until the end."""
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
