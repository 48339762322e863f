"""DTI Encode with Concepts."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from ..errors import DtiError
from .inputs import CATEGORY, DtiConcept
from .tokens import tokenize
from .values import Concept


class DtiEncodeWithConcepts(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiEncodeWithConcepts", display_name="DTI Encode with Concepts", category=CATEGORY,
            description="Encodes a prompt with concepts by ComfyUI's own CLIP, for your own checkpoint and ComfyUI's samplers. No embedding file is needed. "
                        "For SD 1.5, SD 2.1 and SDXL.",
            inputs=[
                io.Clip.Input("clip", tooltip="The CLIP of your checkpoint. Its widths must be those of the concepts."),
                io.String.Input("prompt", default="a photo of {concept}", multiline=True, dynamic_prompts=False,
                                tooltip="<name> stands for a connected concept, {concept} for the first one. The rest is encoded as by CLIP Text Encode."),
                DtiConcept.Input("concept", tooltip="The first concept."),
                *(DtiConcept.Input(f"concept_{i}", optional=True, tooltip="A further concept.") for i in (2, 3, 4)),
            ],
            outputs=[io.Conditioning.Output("conditioning", display_name="conditioning")])

    @classmethod
    def execute(
        cls, clip, prompt: str, concept: Concept, concept_2: Concept | None = None, concept_3: Concept | None = None, concept_4: Concept | None = None,
    ) -> io.NodeOutput:
        if clip is None:
            raise DtiError("This checkpoint has no CLIP; load one with Load CLIP.", "FAILED_PRECONDITION")
        concepts = [given for given in (concept, concept_2, concept_3, concept_4) if given is not None]
        return io.NodeOutput(clip.encode_from_tokens_scheduled(tokenize(clip, prompt, concepts)))
