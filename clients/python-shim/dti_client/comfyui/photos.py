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

_CAPTIONS = (".txt", ".caption")
_MASK = "-mask"
_MOST = 50
_NONE = "There is no folder with photos yet: make one in ComfyUI's input folder."


class DtiLoadPhotos(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiLoadPhotos", display_name="DTI Load Photos", category=CATEGORY,
            description="Loads the photos of a folder in ComfyUI's input folder, of any sizes. A photo NAME.jpg may have a mask NAME-mask.png and a caption NAME.txt or NAME.caption.",
            inputs=[choice("folder", _folders(), _NONE, "A folder in ComfyUI's input folder.")],
            outputs=[
                DtiPhotos.Output("photos", display_name="photos", tooltip="For DTI Train Concept."),
                io.String.Output("info", display_name="info", tooltip="One line for each photo, with its mask and caption, and for each file that is left out."),
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
        files = sorted(file for file in _path(folder).iterdir() if file.is_file() and not file.name.startswith("."))
        heads = {file: _head(file) for file in files}
        images = [file for file in files if _is_photo(heads[file])]
        names = {file.stem.lower() for file in images}
        masks = {file.stem.lower()[:-len(_MASK)]: file for file in images if file.stem.lower().endswith(_MASK) and file.stem.lower()[:-len(_MASK)] in names}
        photos = [file for file in images if file not in masks.values()]
        left_out = [f"{file.name} is left out: it is {_reason(heads[file])}." for file in files if file not in images and file.suffix.lower() not in _CAPTIONS]
        if not 1 <= len(photos) <= _MOST:
            raise invalid("folder", " ".join([f"The folder {folder} has {len(photos)} photos; a training set has 1 to {_MOST} (JPEG, PNG, WebP, BMP or GIF).", *left_out[:5]]))
        found, told = [], []
        for photo in photos:
            mask, text = masks.get(photo.stem.lower()), _caption(photo)
            found.append(TrainingPhoto(photo, mask, text))
            told.append(photo.name + (", with a mask" if mask else "") + (f": {text}" if text else ""))
        return io.NodeOutput(tuple(found), "\n".join([*told, *left_out]))


def _head(file: pathlib.Path) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read(32)
    except OSError as error:
        raise invalid("folder", f"The file {file} cannot be read: {error.strerror}.") from error


def _is_photo(head: bytes) -> bool:
    """Whether it is a JPEG, PNG, WebP, BMP or GIF file, by its first bytes; file names mislead, and many have no extension."""
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"BM", b"GIF8")) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _reason(head: bytes) -> str:
    """Why a file is no photo that can be trained on."""
    if head[4:8] == b"ftyp" and b"avi" in head[8:]:
        return "AVIF, which cannot be decoded; save it as JPEG or PNG"
    if head[4:8] == b"ftyp" and (b"hei" in head[8:] or b"mif1" in head[8:]):
        return "HEIC, which cannot be decoded; save it as JPEG or PNG (phones: camera settings, most compatible)"
    if head.startswith((b"II*\0", b"MM\0*")):
        return "TIFF or a camera's raw format; save it as JPEG or PNG"
    return "not an image" if head else "empty"


def _caption(photo: pathlib.Path) -> str:
    """The text of the caption beside a photo; empty if there is none."""
    caption = next((file for file in (photo.with_suffix(ending) for ending in _CAPTIONS) if file.is_file()), None)
    if caption is None:
        return ""
    try:
        data = caption.read_bytes()
        return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig").strip()
    except OSError as error:
        raise invalid("folder", f"The caption {caption} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise invalid("folder", f"The caption {caption} is neither UTF-8 nor UTF-16; save it as UTF-8.") from None


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
