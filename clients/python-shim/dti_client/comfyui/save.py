"""DTI Save Embedding."""

from __future__ import annotations

import contextlib
import os
import re

import folder_paths
from comfy_api.v0_0_2 import io

from ..embedding import spell
from ..errors import DtiError
from .inputs import CATEGORY, DtiConcept
from .running import show
from .tokens import check_fit, of
from .values import Concept


class DtiSaveEmbedding(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiSaveEmbedding", display_name="DTI Save Embedding", category=CATEGORY, is_output_node=True, hidden=[io.Hidden.unique_id],
            description="Saves a concept in ComfyUI's embeddings folder. Prompts of every workflow can then use it as embedding:name.",
            inputs=[
                DtiConcept.Input("concept", tooltip="The concept to save."),
                io.String.Input("name", default="", tooltip="Name of the file without extension: letters, digits, - _ and dots. Empty: the name of the concept."),
                io.Boolean.Input("overwrite", default=True, tooltip="Whether a file of the same name is replaced."),
                io.Clip.Input("clip", optional=True, tooltip="The CLIP that the embedding is for. A concept whose vectors have other widths is rejected; without this check ComfyUI would ignore the file."),
            ],
            outputs=[io.String.Output("embedding_name", display_name="embedding name", tooltip="The text for prompts: embedding:name.")])

    @classmethod
    def execute(cls, concept: Concept, name: str, overwrite: bool, clip=None) -> io.NodeOutput:
        if clip is not None:
            check_fit(clip, concept)
        name = name.strip().removesuffix(".safetensors") or concept.embedding.name
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
            raise DtiError(f"'{name}' is no name for an embedding; use letters, digits, '-', '_' and dots.", "INVALID_ARGUMENT")
        folder = folder_paths.get_folder_paths("embeddings")[0]
        path = os.path.join(folder, name + ".safetensors")
        if os.path.exists(path) and not overwrite:
            raise DtiError(f"There is an embedding '{name}' already; choose another name, or turn overwrite on.", "ALREADY_EXISTS")
        try:
            _write(folder, path, concept.embedding.to_file())
            if thumbnail := _thumbnail(concept):
                _write(folder, path.removesuffix(".safetensors") + ".preview.png", thumbnail)  # which ComfyUI shows for the file
        except OSError as error:
            raise DtiError(f"{path} cannot be written: {error.strerror}.", "FAILED_PRECONDITION") from error
        widths = concept.embedding.widths
        known = of(widths) or f": no Stable Diffusion checkpoint has vectors of width {spell(widths)}; only the model that it was trained with can use it"
        show(f"embedding:{name}{known}", cls.hidden.unique_id)
        return io.NodeOutput(f"embedding:{name}")


def _thumbnail(concept: Concept) -> bytes:
    """A small PNG of the concept; empty if there is none."""
    if concept.server is None:
        return b""
    try:
        return concept.server.client().get_concept(concept.embedding.name, timeout=10).thumbnail_png
    except DtiError:
        return b""


def _write(folder: str, path: str, data: bytes) -> None:
    """The file appears whole or not at all."""
    os.makedirs(folder, exist_ok=True)
    draft = path + ".part"
    try:
        with open(draft, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
