"""Concepts in the tokens of ComfyUI's CLIP.

ComfyUI's tokens are windows of (token, weight) for each text encoder, where a token is an id or a vector. So a concept of n vectors is
written into the prompt as n times a word that is one token and is nowhere else in it; ComfyUI tokenises that as it does any
prompt, with weights and windows; then the vectors take the place of that word's ids.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ..errors import DtiError
from .prompts import concepts_in, replace_concepts
from .tensors import rows
from .values import Concept

# ComfyUI's names of the text encoders of a family, in the order in which a concept has them.
_ENCODERS = {"sd1": ("l",), "sd2": ("h",), "sdxl": ("l", "g")}
_FAMILIES = {(768,): "sd1", (1024,): "sd2", (768, 1280): "sdxl"}
_TITLES = {"sd1": "Stable Diffusion 1.x", "sd2": "Stable Diffusion 2.x", "sdxl": "SDXL"}

# Words that are one token each in CLIP's vocabulary; which one is used does not matter.
_STAND_INS = ("zebra", "volcano", "penguin", "trumpet", "umbrella", "cactus", "helicopter", "pyramid")


def tokenize(clip: Any, prompt: str, concepts: Sequence[Concept]) -> dict[str, list[list[tuple]]]:
    """The tokens of a prompt, with the concepts' vectors in them.

    Raises DtiError: a concept does not fit this CLIP, or the prompt does not name it.
    """
    places = concepts_in(prompt, concepts)
    for i, concept in enumerate(concepts):
        _check_fit(clip, concept)
        if i not in places:
            raise DtiError(f"The prompt does not name {concept.placeholder}; write it where the concept belongs.", "INVALID_ARGUMENT")

    count = sum(concepts[i].embedding.num_vectors for i in places)
    for word in (word for word in _STAND_INS if word not in prompt.lower()):
        ids = _ids_of(clip, word)
        tokens = clip.tokenize(replace_concepts(prompt, concepts, lambda i: f" {' '.join([word] * concepts[i].embedding.num_vectors)} "))
        if all(sum(_is(token, ids[key]) for window in windows for token, *_ in window) == count for key, windows in tokens.items()):
            return {key: _put(windows, ids[key], _vectors(key, places, concepts)) for key, windows in tokens.items()}
    raise DtiError("The concepts could not be put into this prompt; shorten it.", "INVALID_ARGUMENT")


def _check_fit(clip: Any, concept: Concept) -> None:
    family = _family(concept)
    if family not in _ENCODERS or set(clip.tokenize("")) != set(_ENCODERS[family]):
        raise DtiError(
            f"{concept.placeholder} was learnt for {_TITLES.get(family, 'another kind of model')} and does not fit this CLIP; load a checkpoint of that family.",
            "FAILED_PRECONDITION")


def _family(concept: Concept) -> str:
    embedding = concept.embedding
    return embedding.family or _FAMILIES.get(tuple(vectors.shape[1] for vectors in embedding.encoders), "")


def _ids_of(clip: Any, word: str) -> dict[str, Any]:
    """A word's id for each text encoder; after the start, in an otherwise empty prompt."""
    return {key: windows[0][1][0] for key, windows in clip.tokenize(word).items()}


def _vectors(key: str, places: Sequence[int], concepts: Sequence[Concept]) -> list[Any]:
    """The vectors for one text encoder, in the order of the prompt."""
    encoder = _ENCODERS[_family(concepts[0])].index(key)
    of_each = [rows(concept.embedding.encoders[encoder]) for concept in concepts]
    return [vector for i in places for vector in of_each[i]]


def _put(windows: list[list[tuple]], word_id: Any, vectors: list[Any]) -> list[list[tuple]]:
    remaining = iter(vectors)
    return [[(next(remaining), *rest) if _is(token, word_id) else (token, *rest) for token, *rest in window] for window in windows]


def _is(token: Any, word_id: Any) -> bool:
    return isinstance(token, numbers.Integral) and token == word_id  # tokens may be vectors already
