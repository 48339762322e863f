"""DTI Pick Embedding."""

from __future__ import annotations

import os

import folder_paths
from comfy_api.v0_0_2 import io

from ..errors import DtiError
from . import tensors
from .inputs import CATEGORY, choice, validate_choice

_NONE = "There is no embedding yet: save one with DTI Save Embedding."


class DtiPickEmbedding(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiPickEmbedding", display_name="DTI Pick Embedding", category=CATEGORY,
            description="Picks an embedding of ComfyUI's embeddings folder by name and thumbnail, and gives its trigger text for prompts. Works without a Dti server.",
            inputs=[
                choice("embedding", folder_paths.get_filename_list("embeddings"), _NONE, "A file of the embeddings folder."),
                io.Float.Input("weight", default=1.0, min=-10, max=10, step=0.05, round=0.001,
                               tooltip="Weight of the embedding in the prompt, as in (word:1.2). 1: no weight."),
            ],
            outputs=[
                io.String.Output("text", display_name="trigger text", tooltip="For the text of CLIP Text Encode: embedding:name."),
                io.Image.Output("thumbnail", display_name="thumbnail", tooltip="The preview image of the file, NAME.preview.png; grey if there is none."),
            ])

    @classmethod
    def validate_inputs(cls, embedding: str) -> bool | str:
        return validate_choice(embedding, _NONE)

    @classmethod
    def execute(cls, embedding: str, weight: float) -> io.NodeOutput:
        path = folder_paths.get_full_path("embeddings", embedding)
        if path is None:
            raise DtiError(f"There is no embedding {embedding} in ComfyUI's embeddings folder any more; choose another one.", "NOT_FOUND")
        name = os.path.splitext(embedding)[0].replace("\\", "/")
        text = f"embedding:{name}"
        return io.NodeOutput(text if weight == 1 else f"({text}:{weight:g})", tensors.image_batch([tensors.thumbnail(_preview_of(path))]))


def _preview_of(path: str) -> str | None:
    """The image that ComfyUI shows for a model file."""
    base = os.path.splitext(path)[0]
    return next((base + ending for ending in (".preview.png", ".png", ".preview.jpg", ".jpg", ".webp") if os.path.isfile(base + ending)), None)
