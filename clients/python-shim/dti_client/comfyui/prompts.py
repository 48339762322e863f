"""Concepts in prompts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .values import Concept


def replace_concepts(prompt: str, concepts: Sequence[Concept], text: Callable[[int], str]) -> str:
    """Each place where a prompt names one of the concepts becomes `text(i)`.

    A concept is named by its placeholder, `<my-cat>`, or as `embedding:my-cat`; the first one also by `{concept}`.
    """
    if not concepts:
        return prompt
    spelt = [
        "|".join([re.escape(concept.placeholder), rf"embedding:{re.escape(concept.embedding.name)}(?:\.safetensors)?(?![\w-])", *([r"\{concept\}"] if i == 0 else [])])
        for i, concept in enumerate(concepts)
    ]
    pattern = "|".join(f"({way})" for way in spelt)
    return re.sub(pattern, lambda match: text(match.lastindex - 1), prompt, flags=re.IGNORECASE)
