"""Inputs that several nodes have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, get_args

from comfy_api.v0_0_2 import io

from .. import records
from ..errors import invalid
from .lists import DEFAULT, model_names

DtiServer = io.Custom("DTI_SERVER")
DtiConcept = io.Custom("DTI_CONCEPT")
DtiPhotos = io.Custom("DTI_PHOTOS")

CATEGORY = "Dti"
SAMPLERS = [DEFAULT, "euler", "euler_ancestral", "dpmpp_2m", "ddim", "pndm"]
SCHEDULERS = ["normal", "karras"]
_WITH_KARRAS = ("euler", "dpmpp_2m")
_FORMER_SCHEDULERS = [*SAMPLERS, *(f"{sampler}_karras" for sampler in _WITH_KARRAS)]
"""What workflows of earlier versions of the nodes have as their scheduler: the sampler and the schedule in one word."""

Input = TypeVar("Input")


def advanced(made: Input) -> Input:
    """Hides an input until advanced inputs are asked for."""
    made.extra_dict = {**made.extra_dict, "advanced": True}
    return made


def declared(name: str):
    """An advanced input of a training setting, as the contract declares it; left at its default, the setting is not sent."""
    kind, tooltip, setting = records.declaration(name)
    if words := get_args(kind):
        return advanced(io.Combo.Input(name, options=[DEFAULT, *words], default=DEFAULT, optional=True, tooltip=tooltip))
    bounds = {"min": kind(setting.min), "max": kind(setting.max)} if kind in (int, float) else {}
    step = {"step": 0.01, "round": False} if kind is float else {}
    made = {bool: io.Boolean, int: io.Int, float: io.Float}[kind].Input(
        name, default=default(name), optional=True, tooltip=tooltip, **bounds, **step)
    return advanced(made)


def default(name: str):
    """What a declared input is set to where nothing is chosen."""
    kind, _, setting = records.declaration(name)
    if get_args(kind):
        return DEFAULT
    return setting.default == "true" if kind is bool else kind(float(setting.default))


def server():
    return DtiServer.Input(
        "server", optional=True,
        tooltip="A DTI Server node. Unconnected: the server of the environment variable DTI_SERVER, else http://localhost:5171.")


def model(optional: bool = False):
    return io.Combo.Input(
        "model", options=model_names(), default=DEFAULT, optional=optional,
        tooltip="The model on the Dti server; dti serve --models adds your own. (default): the server's default model. Press R to read the list again.")


# The largest number of 64 bits that the page's floating-point numbers can hold.
MAX_SEED = 2**64 - 2**11


def seed(tooltip: str, control_after_generate: bool, optional: bool = False):
    return io.Int.Input("seed", default=0, min=0, max=MAX_SEED, control_after_generate=control_after_generate, optional=optional, tooltip=tooltip)


def sampling():
    """How the server samples, in the order and the words of KSampler. Optional, as workflows that were saved before there was a sampler_name lack it."""
    return [
        seed("Seed of the initial noise. The same seed and settings give the same images.", True, optional=True),
        io.Int.Input("steps", default=0, min=0, max=1000, optional=True,
                     tooltip="Number of sampling steps. More steps take longer and add detail. 0: the server's default."),
        io.Float.Input("guidance_scale", display_name="cfg", default=0, min=0, max=100, step=0.1, round=0.01, optional=True,
                       tooltip="Scale of classifier-free guidance: how closely the images follow the prompt. 1: no guidance. 0: the server's default."),
        io.Combo.Input("sampler_name", options=SAMPLERS, default=DEFAULT, optional=True, tooltip="The sampling algorithm. (default): the model's own."),
        io.Combo.Input("scheduler", options=SCHEDULERS, default="normal", optional=True,
                       tooltip="How the noise levels are spread over the steps. normal: as the model was trained. karras: for euler and dpmpp_2m."),
        io.Int.Input("width", default=0, min=0, max=2048, step=8, optional=True, tooltip="Width of the images in pixels. 0: the resolution of the model."),
        io.Int.Input("height", default=0, min=0, max=2048, step=8, optional=True, tooltip="Height of the images in pixels. 0: the resolution of the model."),
    ]


def sampler(sampler_name: str, scheduler: str) -> str | None:
    """The server's name of a sampler and its schedule, which it has in one word; None: the model's own.

    Raises DtiError: the sampler has no such schedule.
    """
    if scheduler not in SCHEDULERS:
        return asked(scheduler)
    if scheduler == "normal":
        return asked(sampler_name)
    if sampler_name not in _WITH_KARRAS:
        raise invalid(
            "scheduler", f"The scheduler karras works with the samplers {' and '.join(_WITH_KARRAS)}, and sampler_name is {sampler_name}; choose one of these, or normal.")
    return f"{sampler_name}_karras"


def validate_scheduler(scheduler: str) -> bool | str:
    """True, or why a node cannot run with a scheduler."""
    return scheduler in SCHEDULERS or scheduler in _FORMER_SCHEDULERS or f"scheduler is {scheduler}; it must be one of {', '.join(SCHEDULERS)}."


def choice(name: str, options: Sequence[str], none: str, tooltip: str):
    """A dropdown of what there is; where there is nothing, of one sentence in parentheses that says what to do."""
    return io.Combo.Input(name, options=list(options) or [f"({none})"], tooltip=f"{tooltip} Press R to read the list again.")


def validate_choice(value: str, none: str) -> bool | str:
    """True, or the sentence of a dropdown without choices."""
    return none if value == f"({none})" else True


def asked(value):
    """What a widget asks for; None where it stands for the default, which the server knows."""
    return None if value in (DEFAULT, "", 0) else value


def asked_from_zero(value):
    """The same for a widget where 0 is a value: below it is the default."""
    return None if value < 0 else value
