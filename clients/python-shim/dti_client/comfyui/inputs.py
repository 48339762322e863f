"""Inputs that several nodes have."""

from __future__ import annotations

from typing import TypeVar

from comfy_api.v0_0_2 import io

from .lists import DEFAULT, model_names

DtiServer = io.Custom("DTI_SERVER")
DtiConcept = io.Custom("DTI_CONCEPT")
DtiPhotos = io.Custom("DTI_PHOTOS")

CATEGORY = "Dti"
SCHEDULERS = [DEFAULT, "ddim", "dpmpp_2m", "dpmpp_2m_karras", "euler", "euler_ancestral", "euler_karras", "pndm"]

Input = TypeVar("Input")


def advanced(made: Input) -> Input:
    """Folds an input away until advanced inputs are asked for."""
    made.extra_dict = {**made.extra_dict, "advanced": True}
    return made


def server():
    return DtiServer.Input(
        "server", optional=True,
        tooltip="A DTI Server node. Empty: the server of the environment variable DTI_SERVER, else http://localhost:5171.")


def model():
    return io.Combo.Input(
        "model", options=model_names(), default=DEFAULT,
        tooltip="The model on the Dti server. (default): the one it uses where none is named. Press R to read the list again.")


# The largest number of 64 bits that the page's floating-point numbers can hold.
MAX_SEED = 2**64 - 2**11


def seed(tooltip: str, control_after_generate: bool):
    return io.Int.Input("seed", default=0, min=0, max=MAX_SEED, control_after_generate=control_after_generate, tooltip=tooltip)


def sampling():
    """How the server draws."""
    return [
        io.Int.Input("width", default=0, min=0, max=2048, step=8, tooltip="Width in pixels, 64 to 2048. 0: the size that the model was made for."),
        io.Int.Input("height", default=0, min=0, max=2048, step=8, tooltip="Height in pixels, 64 to 2048. 0: the size that the model was made for."),
        io.Int.Input("steps", default=0, min=0, max=1000, tooltip="Sampling steps. More take longer and add detail. 0: as many as the server uses."),
        io.Float.Input("guidance_scale", display_name="cfg", default=0, min=0, max=100, step=0.1, round=0.01,
                       tooltip="Scale of classifier-free guidance: how strongly the prompt is followed. 1: no guidance. 0: the server's own."),
        io.Combo.Input("scheduler", display_name="sampler_name", options=SCHEDULERS, default=DEFAULT,
                       tooltip="The sampler, and _karras for Karras noise levels. (default): the model's own."),
        seed("Seed of the noise: with the same settings, the same picture again.", True),
        model(),
    ]


def asked(value):
    """What a widget asks for; None where it stands for the default, which the server knows."""
    return None if value in (DEFAULT, "", 0) else value


def asked_from_zero(value):
    """The same for a widget where 0 is a value: below it is the default."""
    return None if value < 0 else value
