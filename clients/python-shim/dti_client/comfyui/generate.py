"""DTI Generate."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from ..records import GenerationOptions
from . import inputs, tensors
from .inputs import CATEGORY, DtiConcept, asked
from .prompts import ensure_connected, replace_concepts
from .running import draw
from .values import Concept, Server, names_on, use


class DtiGenerate(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiGenerate", display_name="DTI Generate", category=CATEGORY,
            description="Generates images with the server's model. To use your own checkpoint and ComfyUI's samplers, use DTI Encode with Concepts.",
            inputs=[
                io.String.Input("prompt", default="a photo of {concept}", multiline=True, dynamic_prompts=False,
                                tooltip="{concept} stands for the connected concept; <name> for any one in the library. (word:1.2) weighs, as in ComfyUI."),
                io.String.Input("negative_prompt", default="", multiline=True, dynamic_prompts=False, tooltip="What the images are to be kept away from."),
                io.Int.Input("num_images", display_name="batch_size", default=1, min=1, max=64, tooltip="How many images are generated, each from its own noise."),
                *inputs.sampling(),
                DtiConcept.Input("concept", optional=True, tooltip="The concept that {concept} stands for."),
                inputs.server(),
                *(DtiConcept.Input(f"concept_{i}", optional=True, tooltip="A further concept; the prompt names it <name>.") for i in (2, 3, 4)),
            ],
            outputs=[io.Image.Output("images", display_name="images")])

    @classmethod
    def validate_inputs(cls, model) -> bool:
        return True  # the server knows which models there are

    @classmethod
    def execute(
        cls, prompt: str, negative_prompt: str, num_images: int, width: int, height: int, steps: int, guidance_scale: float, scheduler: str, seed: int,
        model: str, concept: Concept | None = None, server: Server | None = None, concept_2: Concept | None = None, concept_3: Concept | None = None,
        concept_4: Concept | None = None,
    ) -> io.NodeOutput:
        server = use(server)
        client, concepts = server.client(), [given for given in (concept, concept_2, concept_3, concept_4) if given is not None]
        ensure_connected(prompt + negative_prompt, concepts)
        with names_on(server, concepts) as names:
            options = GenerationOptions(
                prompt=replace_concepts(prompt, concepts, lambda i: concepts[i].weighted(f"<{names[i]}>")),
                negative_prompt=replace_concepts(negative_prompt, concepts, lambda i: concepts[i].weighted(f"<{names[i]}>")), model=asked(model), width=asked(width),
                height=asked(height), steps=asked(steps), guidance_scale=asked(guidance_scale), scheduler=asked(scheduler), seed=seed, num_images=num_images,
                preview_every=1)
            drawn = draw(client, client.generate(options))
        return io.NodeOutput(tensors.image_batch(picture.numpy() for picture in drawn))
