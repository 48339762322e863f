"""DTI Pick Embedding."""

from __future__ import annotations

import os

import folder_paths
from comfy_api.v0_0_2 import io

from ..errors import DtiError
from . import tensors
from .inputs import CATEGORY

_NONE = "(no embedding yet: DTI Save Embedding writes one)"


class DtiPickEmbedding(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiPickEmbedding", display_name="DTI Pick Embedding", category=CATEGORY,
            description="An embedding of ComfyUI's embeddings folder, by its name and thumbnail, and the text that prompts write for it. Needs no Dti server.",
            inputs=[
                io.Combo.Input("embedding", options=folder_paths.get_filename_list("embeddings") or [_NONE],
                               tooltip="A file of the embeddings folder. Press R to read the list again."),
                io.Float.Input("weight", default=1.0, min=-10, max=10, step=0.05, round=0.001,
                               tooltip="How much the prompt's other words yield to it, as (word:1.2) does. 1: as it is."),
            ],
            outputs=[
                io.String.Output("text", display_name="trigger text", tooltip="For the text of CLIP Text Encode: embedding:name."),
                io.Image.Output("thumbnail", display_name="thumbnail", tooltip="The image beside the file, NAME.preview.png; grey where there is none."),
            ])

    @classmethod
    def validate_inputs(cls, embedding: str) -> bool | str:
        return _NONE[1:-1] if embedding == _NONE else True

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
