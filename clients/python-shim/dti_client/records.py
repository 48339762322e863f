"""What is asked and what is answered. The comments in protos/dti/v1 are the full reference: fields have the same names here.

Enumerations are words ("object", "dti", "mean", …), durations seconds, points in time aware datetimes; what is unset is None.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_type_hints

from ._proto.settings import (  # noqa: F401
    ConceptKind, GenerationOptions, GenerationSettings, KappaSchedule, LearningRateSchedule, LearntEncoders, LongPrompts, Magnitude, PictureFormat, PromptSyntax, TrainingMethod,
    TrainingOptions, TrainingPreset, TrainingSettings, TrainingStart)

if TYPE_CHECKING:
    import numpy
    import PIL.Image

Easing = Literal["linear", "smooth"]
ConceptFormat = Literal["diffusers", "webui"]
JobKind = Literal["train", "generate", "interpolate"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True)
class Picture:
    """An encoded picture from the server."""

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    index: int
    prompt: str
    seed: int
    t: float | None
    """Interpolation only: position between the two concepts, 0 to 1."""

    def pil(self) -> PIL.Image.Image:
        """The picture as a PIL image, RGB."""
        import PIL.Image

        return PIL.Image.open(io.BytesIO(self.data)).convert("RGB")

    def numpy(self) -> numpy.ndarray:
        """The picture as (height, width, 3), 0 to 255, uint8."""
        import numpy

        return numpy.array(self.pil())


@dataclass(frozen=True)
class Queued:
    """Place in the queue."""

    position: int
    expected_start: datetime | None = None
    """When the job may start, going by what steps took lately; None: nothing is known of that yet."""


@dataclass(frozen=True)
class ConnectionLost:
    """The client waits for a server that went away, to continue with the job. Told once for each wait longer than a second."""

    since: datetime
    """When the connection was lost."""
    until: datetime
    """When the client gives up."""


@dataclass(frozen=True)
class DtiWarning:
    """Something the user should know."""

    code: str
    message: str


@dataclass(frozen=True)
class TrainingAccepted:
    """First event of a training."""

    job_id: str
    request_id: str
    name: str
    settings: TrainingSettings
    photo_count: int
    attached: bool
    """An earlier call with the same request id started the job."""
    steps_done: int
    """Steps that were done before, where this training goes on with an earlier one."""


@dataclass(frozen=True)
class TrainingProgress:
    """The state after a training step."""

    step: int
    total_steps: int
    loss: float
    loss_average: float
    norm: float
    angle_degrees: float
    kappa_over_gradient: float
    learning_rate: float
    steps_per_second: float
    time_left: float | None


@dataclass(frozen=True)
class TrainingCheck:
    """A deterministic measurement of the concept at a step, which can be compared between steps."""

    step: int
    held_out_loss: float
    """Denoising loss at noise and timesteps that training never samples, the same at each check."""
    drift: float
    """How far the concept moves the words after it in a few prompts: 1 − cosine of their hidden states to what they were at the start, 0 to 2."""


@dataclass(frozen=True)
class TrainingPreview:
    """An image generated with the concept as it is at this step."""

    step: int
    picture: Picture


@dataclass(frozen=True)
class TrainingResult:
    """Last event of a training: the concept is in the library."""

    name: str
    placeholder: str
    steps: int
    loss_average: float
    norm: float
    angle_degrees: float
    elapsed: float | None
    concept_step: int
    """The step that the concept is of: the last one, unless training stopped by itself."""
    stopped: str
    """Why training stopped by itself, in one sentence; empty: all steps were done."""


@dataclass(frozen=True)
class GenerationAccepted:
    """First event of a generation; comes again, with another job, where the request had to be sent again after a lost connection."""

    job_id: str
    settings: GenerationSettings


@dataclass(frozen=True)
class InterpolationAccepted:
    """First event of an interpolation; comes again as `GenerationAccepted` does."""

    job_id: str
    from_concept: str
    to_concept: str
    frames: int
    easing: Easing
    angles_degrees: tuple[float, ...]
    settings: GenerationSettings


@dataclass(frozen=True)
class SamplingProgress:
    """A sampling step was done."""

    step: int
    total_steps: int
    time_left: float | None
    preview: Picture | None = None
    """Every preview_every steps: the image as the model predicts it after this step, at an eighth of its width and height."""


@dataclass(frozen=True)
class GenerationResult:
    """Last event of a generation or interpolation."""

    pictures: int
    elapsed: float | None


TrainingUpdate = Union[TrainingAccepted, Queued, TrainingProgress, TrainingCheck, TrainingPreview, DtiWarning, ConnectionLost, TrainingResult]
GenerationUpdate = Union[GenerationAccepted, InterpolationAccepted, Queued, SamplingProgress, DtiWarning, Picture, ConnectionLost, GenerationResult]


@dataclass(frozen=True)
class Concept:
    """A concept in the library."""

    name: str
    placeholder: str
    num_vectors: int
    dimensions: tuple[int, ...]
    norms: tuple[float, ...]
    family: str
    model: str
    settings: TrainingSettings | None
    created: datetime | None
    thumbnail_png: bytes = field(repr=False)
    photo_sha256: tuple[str, ...]
    summary_png: bytes = field(repr=False)
    """A PNG of its training, curves and previews; empty if it was not trained there, and in lists."""
    owner: str = ""
    """Whose it is: the caller that its token stands for, or `local`."""
    version: str = ""
    """Which earlier version it is, in `list_versions`; empty: the current one."""
    ignored_tensors: tuple[str, ...] = ()
    """Tensors of the imported file that were passed over; the first 20 names."""
    text_encoders: tuple[str, ...] = ()
    """The text encoders it was learnt with, their width, and how each computed where that is a choice."""


@dataclass(frozen=True)
class Model:
    """A model that the server knows."""

    name: str
    family: str
    resolution: int
    embedding_dimension: int
    is_default: bool
    problem: str
    size_bytes: int
    loaded: bool
    dtype: str
    path: str
    memory_bytes: int
    fits: bool


@dataclass(frozen=True)
class ServerInfo:
    """A server: what it is and what it computes with."""

    version: str
    device: str
    dtype: str
    memory: str
    torch_version: str
    caller: str = ""
    """Who asks: the caller that the token stands for, `certificate:` and the name in a certificate, or `local`."""
    scopes: tuple[str, ...] = ()
    """What the caller may do: `read`, `generate`, `train`, `admin`."""
    studio_address: str = ""
    """Address of the page Dti Studio on the server's machine, empty if it has no such page."""


@dataclass(frozen=True)
class Job:
    """A job: queued, running or finished."""

    job_id: str
    request_id: str
    kind: JobKind
    state: JobState
    name: str
    step: int
    total_steps: int
    created: datetime | None
    started: datetime | None
    ended: datetime | None
    error: str


def declaration(name: str) -> tuple[type, str, Any]:
    """The type of a training option, what the contract says of it, and its Setting (protos/dti/v1/setting.proto)."""
    from ._proto import setting_pb2, training_pb2

    kind, said = get_args(get_type_hints(TrainingOptions, include_extras=True)[name])
    options = training_pb2.TrainingOptions.DESCRIPTOR.fields_by_name[name].GetOptions()
    return get_args(kind)[0], said, options.Extensions[setting_pb2.setting]
