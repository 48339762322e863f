"""DTI Generate."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from ..records import GenerationOptions
from . import inputs, tensors
from .inputs import CATEGORY, DtiConcept, asked
from .prompts import replace_concepts
from .running import draw
from .values import Concept, Server, names_on, use


class DtiGenerate(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiGenerate", display_name="DTI Generate", category=CATEGORY,
            description="Draws with the server's model. To draw with your own checkpoint and ComfyUI's samplers, use DTI Encode with Concepts.",
            inputs=[
                io.String.Input("prompt", default="a photo of {concept}", multiline=True, dynamic_prompts=False,
                                tooltip="{concept} stands for the connected concept; <name> for any one in the library. (word:1.2) weighs, as in ComfyUI."),
                io.String.Input("negative_prompt", default="", multiline=True, dynamic_prompts=False, tooltip="What to keep away from."),
                io.Int.Input("num_images", default=1, min=1, max=64, tooltip="Pictures."),
                *inputs.sampling(),
                DtiConcept.Input("concept", optional=True, tooltip="The concept that {concept} stands for."),
                inputs.server(),
            ],
            outputs=[io.Image.Output("images", display_name="images")])

    @classmethod
    def validate_inputs(cls, model) -> bool:
        return True  # the server knows which models there are

    @classmethod
    def execute(
        cls, prompt: str, negative_prompt: str, num_images: int, width: int, height: int, steps: int, guidance_scale: float, scheduler: str, seed: int,
        model: str, concept: Concept | None = None, server: Server | None = None,
    ) -> io.NodeOutput:
        server = use(server)
        client, concepts = server.client(), [concept] if concept else []
        with names_on(server, concepts) as names:
            options = GenerationOptions(
                prompt=replace_concepts(prompt, concepts, lambda i: f"<{names[i]}>"),
                negative_prompt=replace_concepts(negative_prompt, concepts, lambda i: f"<{names[i]}>"), model=asked(model), width=asked(width),
                height=asked(height), steps=steps, guidance_scale=guidance_scale, scheduler=asked(scheduler), seed=seed, num_images=num_images,
                preview_every=1)
            drawn = draw(client, client.generate(options))
        return io.NodeOutput(tensors.image_batch(picture.numpy() for picture in drawn))
