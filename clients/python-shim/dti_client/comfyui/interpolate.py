"""DTI Interpolate Concepts."""

from __future__ import annotations

from comfy_api.v0_0_2 import io
from comfy_execution.graph_utils import ExecutionBlocker

from ..embedding import slerp
from ..records import GenerationOptions
from . import inputs, lists, tensors
from .inputs import CATEGORY, DtiConcept, asked
from .running import draw
from .values import Concept, Server, names_on, use


class DtiInterpolateConcepts(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiInterpolateConcepts", display_name="DTI Interpolate Concepts", category=CATEGORY,
            description="What lies between two concepts, along the great circle: one concept at t, and pictures of the way, drawn by the server.",
            inputs=[
                DtiConcept.Input("from_concept", tooltip="The concept at t = 0."),
                DtiConcept.Input("to_concept", tooltip="The concept at t = 1; of the same model family and with as many vectors."),
                io.Float.Input("t", default=0.5, min=0, max=1, step=0.01, display_mode=io.NumberDisplay.slider, tooltip="Where the concept that comes out lies."),
                io.Int.Input("frames", default=8, min=0, max=256, tooltip="Pictures from one end to the other. 1: one picture, at t. 0: none; only the concept comes out."),
                io.String.Input("prompt", default="a photo of {concept}", multiline=True, dynamic_prompts=False, tooltip="{concept} stands for the blend."),
                *inputs.sampling(),
                io.String.Input("save_as", default="", tooltip="Name under which the concept at t goes into the server's library. Empty: it does not."),
                inputs.server(),
            ],
            outputs=[io.Image.Output("images", display_name="images"), DtiConcept.Output("concept", display_name="concept at t")])

    @classmethod
    def validate_inputs(cls, model) -> bool:
        return True  # the server knows which models there are

    @classmethod
    def execute(
        cls, from_concept: Concept, to_concept: Concept, t: float, frames: int, prompt: str, width: int, height: int, steps: int, guidance_scale: float,
        scheduler: str, seed: int, model: str, save_as: str, server: Server | None = None,
    ) -> io.NodeOutput:
        server = use(server)
        client, save_as = server.client(), save_as.strip()
        blend = Concept(slerp(from_concept.embedding, to_concept.embedding, t, save_as or None), server if save_as else None)
        if save_as:
            client.import_concept(save_as, blend.embedding, overwrite=True)
            lists.expire()
        options = GenerationOptions(
            model=asked(model), width=asked(width), height=asked(height), steps=steps, guidance_scale=guidance_scale, scheduler=asked(scheduler), seed=seed,
            preview_every=1)
        with names_on(server, [blend] if frames == 1 else [from_concept, to_concept] if frames else []) as names:
            updates = (
                client.generate(prompt.replace("{concept}", f"<{names[0]}>"), options) if frames == 1
                else client.interpolate(*names, options, frames=frames, prompt=prompt) if frames else iter(()))
            drawn = draw(client, updates)
        return io.NodeOutput(tensors.image_batch(picture.numpy() for picture in drawn) if drawn else ExecutionBlocker(None), blend)
