"""Concepts in prompts.

A concept is named by its placeholder, `<my-cat>`, or as `embedding:my-cat`; the first one also by `{concept}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..errors import DtiError
from .values import Concept


def concepts_in(prompt: str, concepts: Sequence[Concept]) -> list[int]:
    """Which of the concepts a prompt names, in its order."""
    return [match.lastindex - 1 for match in _pattern(concepts).finditer(prompt)] if concepts else []


def replace_concepts(prompt: str, concepts: Sequence[Concept], text: Callable[[int], str]) -> str:
    """Each place where a prompt names one of the concepts becomes `text(i)`."""
    return _pattern(concepts).sub(lambda match: text(match.lastindex - 1), prompt) if concepts else prompt


def ensure_connected(prompt: str, concepts: Sequence[Concept]) -> None:
    """Refuses a prompt that names `{concept}` where no concept is connected: the text would reach the model as it is.

    Raises DtiError: it does.
    """
    if not concepts and "{concept}" in prompt:
        raise DtiError(
            "The prompt names {concept}, and no concept is connected. Connect one (DTI Train Concept or DTI Load Concept), or write <name> for one of the library.",
            "INVALID_ARGUMENT")


def _pattern(concepts: Sequence[Concept]) -> re.Pattern:
    """One group for each concept."""
    groups = []
    for i, concept in enumerate(concepts):
        ways = [re.escape(concept.placeholder), rf"embedding:{re.escape(concept.embedding.name)}(?:\.safetensors)?(?![\w-])"]
        groups.append("|".join(ways if i else [*ways, r"\{concept\}"]))
    return re.compile("|".join(f"({group})" for group in groups), re.IGNORECASE)
