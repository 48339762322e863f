"""DTI Load Photos."""

from __future__ import annotations

import hashlib
import os
import pathlib

import folder_paths
from comfy_api.v0_0_2 import io

from ..errors import DtiError, invalid
from ..pictures import TrainingPhoto
from .inputs import CATEGORY, DtiPhotos, choice, validate_choice

_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}
_MASK = "-mask"
_MOST = 50
_NONE = "There is no folder with photos yet: make one in ComfyUI's input folder."


class DtiLoadPhotos(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiLoadPhotos", display_name="DTI Load Photos", category=CATEGORY,
            description="Loads the photos of a folder in ComfyUI's input folder, of any sizes. A photo NAME.jpg may have a mask NAME-mask.png and a caption NAME.txt.",
            inputs=[choice("folder", _folders(), _NONE, "A folder in ComfyUI's input folder.")],
            outputs=[
                DtiPhotos.Output("photos", display_name="photos", tooltip="For DTI Train Concept."),
                io.String.Output("info", display_name="info", tooltip="One line for each photo, with its mask and caption."),
            ])

    @classmethod
    def validate_inputs(cls, folder: str) -> bool | str:
        return validate_choice(folder, _NONE)

    @classmethod
    def fingerprint_inputs(cls, folder: str) -> str:
        try:
            files = sorted((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in _path(folder).iterdir())
        except (OSError, DtiError):
            return ""
        return hashlib.sha256(repr(files).encode()).hexdigest()

    @classmethod
    def execute(cls, folder: str) -> io.NodeOutput:
        images = sorted(file for file in _path(folder).iterdir() if file.suffix.lower() in _ENDINGS)
        names = {file.stem.lower() for file in images}
        masks = {file.stem.lower()[:-len(_MASK)]: file for file in images if file.stem.lower().endswith(_MASK) and file.stem.lower()[:-len(_MASK)] in names}
        photos = [file for file in images if file not in masks.values()]
        if not 1 <= len(photos) <= _MOST:
            raise invalid("folder", f"The folder {folder} has {len(photos)} photos; a training set has 1 to {_MOST} (JPEG, PNG, WebP, BMP or GIF).")
        found, told = [], []
        for photo in photos:
            mask, caption = masks.get(photo.stem.lower()), photo.with_suffix(".txt")
            text = caption.read_text(encoding="utf-8").strip() if caption.is_file() else ""
            found.append(TrainingPhoto(photo.read_bytes(), mask.read_bytes() if mask else None, text))
            told.append(photo.name + (", with a mask" if mask else "") + (f": {text}" if text else ""))
        return io.NodeOutput(tuple(found), "\n".join(told))


def _folders() -> list[str]:
    """The folders in ComfyUI's input folder, and the folders in them."""
    root = pathlib.Path(folder_paths.get_input_directory())
    return [os.path.relpath(folder, root).replace("\\", "/") for folder, *_ in sorted(os.walk(root)) if pathlib.Path(folder) != root][:1000]


def _path(folder: str) -> pathlib.Path:
    """The path of a folder.

    Raises DtiError: it is not in ComfyUI's input folder.
    """
    root = pathlib.Path(folder_paths.get_input_directory()).resolve()
    path = (root / folder).resolve()
    if not path.is_relative_to(root) or path == root or not path.is_dir():
        raise invalid("folder", f"There is no folder {folder} in ComfyUI's input folder {root}.")
    return path
