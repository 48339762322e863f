"""DTI Concept Strength."""

from __future__ import annotations

import dataclasses

from comfy_api.v0_0_2 import io

from .inputs import CATEGORY, DtiConcept
from .values import Concept


class DtiConceptStrength(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiConceptStrength", display_name="DTI Concept Strength", category=CATEGORY,
            description="Changes the weight of a concept in every prompt that names it, as (word:1.2) does. The vectors and their norms are not changed.",
            inputs=[
                DtiConcept.Input("concept", tooltip="The concept to weight."),
                io.Float.Input("strength", default=1.0, min=0, max=10, step=0.05, round=0.001, display_mode=io.NumberDisplay.slider,
                               tooltip="Factor of the weight. 1: unchanged. 0: no effect of the concept. Multiplied with a weight in the prompt."),
            ],
            outputs=[DtiConcept.Output("concept_out", display_name="concept")])

    @classmethod
    def execute(cls, concept: Concept, strength: float) -> io.NodeOutput:
        return io.NodeOutput(dataclasses.replace(concept, strength=concept.strength * strength))
