"""Inputs that several nodes have."""

from __future__ import annotations

from typing import TypeVar

from comfy_api.v0_0_2 import io

from .lists import DEFAULT, model_names

DtiServer = io.Custom("DTI_SERVER")
DtiConcept = io.Custom("DTI_CONCEPT")

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


def seed(tooltip: str, control_after_generate: bool):
    return io.Int.Input("seed", default=0, min=0, max=2**53, control_after_generate=control_after_generate, tooltip=tooltip)


def sampling():
    """How the server draws."""
    return [
        io.Int.Input("width", default=0, min=0, max=2048, step=8, tooltip="Pixels, 64 to 2048. 0: what the model was made for."),
        io.Int.Input("height", default=0, min=0, max=2048, step=8, tooltip="Pixels, 64 to 2048. 0: what the model was made for."),
        io.Int.Input("steps", default=30, min=1, max=1000, tooltip="Sampling steps."),
        io.Float.Input("guidance_scale", default=7.5, min=1, max=100, step=0.1, tooltip="How strongly the prompt is followed. 1: no guidance."),
        io.Combo.Input("scheduler", options=SCHEDULERS, default=DEFAULT, tooltip="The sampler. (default): the model's own."),
        seed("Seed of the noise: with the same settings, the same picture again.", True),
        model(),
    ]


def asked(value):
    """What a widget asks for; None where it stands for the default."""
    return None if value in (DEFAULT, "", 0) else value
