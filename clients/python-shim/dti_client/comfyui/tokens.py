"""Concepts in the tokens of ComfyUI's CLIP.

ComfyUI's tokens are windows of (token, weight) for each text encoder, where a token is an id or a vector. So a concept of n vectors is
written into the prompt as n times a word that is one token and is nowhere else in it; ComfyUI tokenises that as it does any
prompt, with weights and windows; then the vectors take the place of that word's ids.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ..embedding import spell
from ..errors import DtiError
from .prompts import concepts_in, replace_concepts
from .tensors import rows
from .values import Concept

# The widths of CLIP's text encoders by ComfyUI's names, in the order in which a concept has them.
_WIDTHS = {"l": 768, "h": 1024, "g": 1280}
_TITLES = {(768,): "Stable Diffusion 1.x", (1024,): "Stable Diffusion 2.x", (768, 1280): "SDXL"}

# Words that are one token each in CLIP's vocabulary; which one is used does not matter.
_STAND_INS = ("zebra", "volcano", "penguin", "trumpet", "umbrella", "cactus", "helicopter", "pyramid")


def tokenize(clip: Any, prompt: str, concepts: Sequence[Concept]) -> dict[str, list[list[tuple]]]:
    """The tokens of a prompt, with the concepts' vectors in them.

    Raises DtiError: a concept does not fit this CLIP, or the prompt does not name it.
    """
    places = concepts_in(prompt, concepts)
    for i, concept in enumerate(concepts):
        check_fit(clip, concept)
        if i not in places:
            raise DtiError(f"The prompt does not name {concept.placeholder}; write it where the concept belongs.", "INVALID_ARGUMENT")

    count = sum(concepts[i].embedding.num_vectors for i in places)
    for word in (word for word in _STAND_INS if word not in prompt.lower()):
        ids = _ids_of(clip, word)
        tokens = clip.tokenize(replace_concepts(prompt, concepts, lambda i: concepts[i].weighted(f" {' '.join([word] * concepts[i].embedding.num_vectors)} ")))
        if all(sum(_is(token, ids[key]) for window in windows for token, *_ in window) == count for key, windows in tokens.items()):
            order = list(_encoders(clip))
            return {key: _put(windows, ids[key], _vectors(order.index(key), places, concepts)) for key, windows in tokens.items()}
    raise DtiError("The concepts could not be put into this prompt; shorten it.", "INVALID_ARGUMENT")


def check_fit(clip: Any, concept: Concept) -> None:
    """Compares a concept with a CLIP. ComfyUI would ignore vectors of another width, and say so in its log alone.

    Raises DtiError: it does not fit.
    """
    has, takes = concept.embedding.widths, tuple(_encoders(clip).values())
    if has != takes:
        raise DtiError(
            f"{concept.placeholder} has vectors of width {spell(has)} and this CLIP needs {spell(takes)}{of(takes)}: the concept was trained with another kind of model. "
            "Load a checkpoint of the kind it was trained with, or train the concept with a model like this one (dti serve --models adds your own).",
            "FAILED_PRECONDITION")


def of(widths: tuple[int, ...]) -> str:
    """Which published models have such widths, in parentheses; empty: none."""
    return f" ({_TITLES[widths]})" if widths in _TITLES else ""


def _encoders(clip: Any) -> dict[str, int]:
    """The width of each text encoder of a CLIP, by ComfyUI's name, in the order in which a concept has them."""
    parts = vars(clip.tokenizer).values() if hasattr(clip, "tokenizer") else ()
    told = {part.embedding_key.removeprefix("clip_"): part.embedding_size for part in parts if hasattr(part, "embedding_size") and hasattr(part, "embedding_key")}
    keys = list(clip.tokenize(""))
    return {key: told.get(key, _WIDTHS.get(key, 0)) for key in sorted(keys, key=lambda key: [*_WIDTHS, key].index(key))}


def _ids_of(clip: Any, word: str) -> dict[str, Any]:
    """A word's id for each text encoder; after the start, in an otherwise empty prompt."""
    return {key: windows[0][1][0] for key, windows in clip.tokenize(word).items()}


def _vectors(encoder: int, places: Sequence[int], concepts: Sequence[Concept]) -> list[Any]:
    """The vectors for one text encoder, in the order of the prompt."""
    of_each = [rows(concept.embedding.encoders[encoder]) for concept in concepts]
    return [vector for i in places for vector in of_each[i]]


def _put(windows: list[list[tuple]], word_id: Any, vectors: list[Any]) -> list[list[tuple]]:
    remaining = iter(vectors)
    return [[(next(remaining), *rest) if _is(token, word_id) else (token, *rest) for token, *rest in window] for window in windows]


def _is(token: Any, word_id: Any) -> bool:
    return isinstance(token, numbers.Integral) and token == word_id  # tokens may be vectors already
