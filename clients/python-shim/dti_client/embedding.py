"""The vectors of a concept, e = m·v, and what lies between two of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import DtiError

if TYPE_CHECKING:
    import numpy

_SDXL_KEYS = ("clip_l", "clip_g")  # in the order of SDXL's text encoders
_MAX_HEADER_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class ConceptEmbedding:
    """A concept's vectors for each text encoder of its model family."""

    name: str
    placeholder: str
    """What stands for it in prompts: `<my-cat>`."""
    family: str
    """sd1, sd2 or sdxl; empty if unknown."""
    encoders: tuple[numpy.ndarray, ...]
    """One array (vectors, width) a text encoder, float32; for SDXL of widths 768 and 1280."""

    @property
    def num_vectors(self) -> int:
        """How many tokens it takes in a prompt."""
        return len(self.encoders[0])

    @property
    def widths(self) -> tuple[int, ...]:
        """The width of its vectors for each text encoder."""
        return tuple(vectors.shape[1] for vectors in self.encoders)

    @classmethod
    def from_file(cls, data: bytes, name: str, placeholder: str, family: str = "") -> ConceptEmbedding:
        """Reads a safetensors file of ComfyUI's and A1111's layout.

        Raises DtiError: it is no such file.
        """
        try:
            tensors = _read_safetensors(data)
        except (ValueError, KeyError, TypeError) as error:
            raise DtiError(f"The file of concept '{name}' is no embedding file: {error}.", "FAILED_PRECONDITION") from error
        keys = _SDXL_KEYS if len(tensors) == len(_SDXL_KEYS) and all(key in tensors for key in _SDXL_KEYS) else tuple(tensors)[:1]
        return cls(name, placeholder, family, tuple(tensors[key] for key in keys))

    def to_file(self) -> bytes:
        """A safetensors file that ComfyUI, A1111 and Dti load: `emb_params`, for SDXL `clip_l` and `clip_g`."""
        keys = _SDXL_KEYS if len(self.encoders) == len(_SDXL_KEYS) else ("emb_params",)
        return _write_safetensors(dict(zip(keys, self.encoders)))


def spell(widths: Iterable[int]) -> str:
    """Widths as errors name them: `768 + 1280`."""
    return " + ".join(map(str, widths))


def slerp(a: ConceptEmbedding, b: ConceptEmbedding, t: float, name: str | None = None) -> ConceptEmbedding:
    """The concept at `t` on the great circle from a (0) to b (1), per vector; magnitudes go linearly.

    Antipodal directions have no unique great circle: the path leaves a toward the coordinate axis that is closest to being
    perpendicular to it, as in the server.

    Raises DtiError: they have different numbers of vectors, widths or encoders.
    """
    if a.widths != b.widths:
        raise DtiError(
            f"{a.placeholder} has vectors of width {spell(a.widths)} and {b.placeholder} of width {spell(b.widths)}: they belong to different kinds of models and "
            "cannot be blended.", "FAILED_PRECONDITION")
    if a.num_vectors != b.num_vectors:
        raise DtiError(
            f"{a.placeholder} has {a.num_vectors} vectors and {b.placeholder} has {b.num_vectors}; train them with the same number to blend them.",
            "FAILED_PRECONDITION")
    name = name or f"{a.name}-{b.name}-{t:.2f}".replace(".", "")
    return ConceptEmbedding(name, f"<{name}>", a.family or b.family, tuple(_slerp(p, q, t) for p, q in zip(a.encoders, b.encoders)))


def _slerp(a: numpy.ndarray, b: numpy.ndarray, t: float) -> numpy.ndarray:
    """Row by row, in double precision: m_t (cos tθ p + sin tθ q), with q the unit tangent at p toward the other direction."""
    import numpy

    norms = [numpy.linalg.norm(rows.astype(numpy.float64), axis=1, keepdims=True) for rows in (a, b)]
    p, to = a / norms[0], b / norms[1]
    angle = 2 * numpy.arctan2(numpy.linalg.norm(p - to, axis=1), numpy.linalg.norm(p + to, axis=1))[:, None]  # exact near 0 and π too
    axis = numpy.eye(p.shape[1])[numpy.abs(p).argmin(axis=1)]
    q = numpy.where(numpy.pi - angle > 1e-6, to, axis)
    q = q - (q * p).sum(axis=1, keepdims=True) * p
    length = numpy.linalg.norm(q, axis=1, keepdims=True)
    q = numpy.divide(q, length, out=numpy.zeros_like(q), where=angle >= 1e-12)
    direction = numpy.cos(t * angle) * p + numpy.sin(t * angle) * q
    return (((1 - t) * norms[0] + t * norms[1]) * direction).astype(numpy.float32)


def _read_safetensors(data: bytes) -> dict[str, numpy.ndarray]:
    import numpy

    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, _MAX_HEADER_BYTES):
        raise ValueError("its header is cut off")
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    tensors = {}
    for key, entry in header.items():
        if key != "__metadata__":
            start, end = entry["data_offsets"]
            if entry["dtype"] != "F32" or len(entry["shape"]) != 2 or not 0 <= start <= end <= len(body):
                raise ValueError(f"'{key}' is {entry['dtype']} {entry['shape']}; expected F32 (vectors, width)")
            tensors[key] = numpy.frombuffer(body[start:end], "<f4").reshape(entry["shape"])
    if not tensors:
        raise ValueError("it holds no tensor")
    return tensors


def _write_safetensors(tensors: dict[str, numpy.ndarray]) -> bytes:
    header, body = {"__metadata__": {"format": "pt"}}, b""  # "format" is what loaders look for
    for key, values in tensors.items():
        raw = values.astype("<f4").tobytes()
        header[key] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body
