"""DTI Generate."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from ..records import GenerationOptions
from . import inputs, tensors
from .inputs import CATEGORY, DtiConcept, asked
from .lists import DEFAULT
from .prompts import ensure_connected, replace_concepts
from .running import generate_images
from .values import Concept, Server, names_on, use


class DtiGenerate(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiGenerate", display_name="DTI Generate", category=CATEGORY, hidden=[io.Hidden.unique_id],
            description="Generates images with a model of the Dti server. To use your own checkpoint and ComfyUI's samplers, use DTI Encode with Concepts.",
            inputs=[
                io.String.Input("prompt", default="a photo of {concept}", multiline=True, dynamic_prompts=False,
                                tooltip="{concept} stands for the connected concept, <name> for any concept of the library. Weights are written as in ComfyUI: (word:1.2)."),
                io.String.Input("negative_prompt", default="", multiline=True, dynamic_prompts=False, tooltip="What the images should not show."),
                *inputs.sampling(),
                io.Int.Input("num_images", display_name="batch_size", default=1, min=1, max=64, optional=True,
                             tooltip="Number of images in the batch; each starts from different noise."),
                inputs.model(optional=True),
                DtiConcept.Input("concept", optional=True, tooltip="The concept that {concept} stands for."),
                inputs.server(),
                *(DtiConcept.Input(f"concept_{i}", optional=True, tooltip="A further concept, which the prompt names as <name>.") for i in (2, 3, 4)),
            ],
            outputs=[io.Image.Output("images", display_name="images")])

    @classmethod
    def validate_inputs(cls, model: str = DEFAULT, scheduler: str = "normal") -> bool | str:
        return inputs.validate_scheduler(scheduler)  # the server knows which models there are

    @classmethod
    def execute(
        cls, prompt: str, negative_prompt: str, seed: int = 0, steps: int = 0, guidance_scale: float = 0, sampler_name: str = DEFAULT, scheduler: str = "normal",
        width: int = 0, height: int = 0, num_images: int = 1, model: str = DEFAULT, concept: Concept | None = None, server: Server | None = None,
        concept_2: Concept | None = None, concept_3: Concept | None = None, concept_4: Concept | None = None,
    ) -> io.NodeOutput:
        server = use(server)
        client, concepts = server.client(), [given for given in (concept, concept_2, concept_3, concept_4) if given is not None]
        ensure_connected(prompt + negative_prompt, concepts)
        with names_on(server, concepts) as names:
            options = GenerationOptions(
                prompt=replace_concepts(prompt, concepts, lambda i: concepts[i].weighted(f"<{names[i]}>")),
                negative_prompt=replace_concepts(negative_prompt, concepts, lambda i: concepts[i].weighted(f"<{names[i]}>")), model=asked(model), width=asked(width),
                height=asked(height), steps=asked(steps), guidance_scale=asked(guidance_scale), scheduler=inputs.sampler(sampler_name, scheduler), seed=seed,
                num_images=num_images, preview_every=1)
            images = generate_images(client, client.generate(options), cls.hidden.unique_id)
        return io.NodeOutput(tensors.image_batch(image.numpy() for image in images))
