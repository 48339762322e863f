"""What is asked and what is answered. The comments in protos/dti/v1 are the full reference: fields have the same names here.

Enumerations are words ("object", "dti", "mean", …), durations seconds, points in time aware datetimes; what is unset is None.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Union

if TYPE_CHECKING:
    import numpy
    import PIL.Image

ConceptKind = Literal["object", "style"]
TrainingMethod = Literal["dti", "ti", "ti_renormalized", "ti_rescaled", "ti_softly_renormalized", "cross_init"]
KappaSchedule = Literal["constant", "linear", "cosine"]
TrainingPreset = Literal["fast", "balanced", "faithful"]
LearntEncoders = Literal["all", "first", "second"]
Magnitude = Literal["mean", "min", "max", "value", "median", "initializer"]
PredictionType = Literal["epsilon", "v_prediction"]
PictureFormat = Literal["png", "jpeg", "webp"]
PromptSyntax = Literal["weighted", "plain"]
LongPrompts = Literal["chunks", "cut"]
Easing = Literal["linear", "smooth"]
ConceptFormat = Literal["diffusers", "webui"]
JobKind = Literal["train", "generate", "interpolate"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True)
class TrainingOptions:
    """The options of a training. A field that is None takes the default of the model family."""

    model: str | None = None
    kind: ConceptKind | None = None
    placeholder: str | None = None
    initializer: str | None = None
    num_vectors: int | None = None
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    kappa: float | None = None
    beta: float | None = None
    magnitude: Magnitude | None = None
    magnitude_value: float | None = None
    resolution: int | None = None
    center_crop: bool | None = None
    random_flip: bool | None = None
    seed: int | None = None
    preview_every: int | None = None
    preview_prompts: tuple[str, ...] = ()
    preview_steps: int | None = None
    dtype: str | None = None
    method: TrainingMethod | None = None
    kappa_schedule: KappaSchedule | None = None
    regularization: float | None = None
    vae: str | None = None
    prediction_type: PredictionType | None = None
    snapshot_every: int | None = None
    start_concept: str | None = None
    templates: tuple[str, ...] = ()
    use_alpha: bool | None = None
    text_encoders: LearntEncoders | None = None
    stop_early: bool | None = None
    check_every: int | None = None
    preview_baseline: bool | None = None
    preset: TrainingPreset | None = None
    obedience: float | None = None
    gradient_accumulation: int | None = None


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training, with every default filled in."""

    model: str
    kind: ConceptKind
    placeholder: str
    initializer: str
    initializer_tokens: tuple[str, ...]
    num_vectors: int
    steps: int
    batch_size: int
    learning_rate: float
    kappa: float
    beta: float
    magnitude: Magnitude
    magnitude_value: float
    resolution: int
    center_crop: bool
    random_flip: bool
    seed: int
    preview_every: int
    preview_prompts: tuple[str, ...]
    preview_steps: int
    dtype: str
    device: str
    method: TrainingMethod
    magnitude_values: tuple[float, ...]
    kappa_schedule: KappaSchedule | None
    regularization: float
    vae: str
    prediction_type: PredictionType
    snapshot_every: int
    start_concept: str
    templates: tuple[str, ...]
    use_alpha: bool
    text_encoders: LearntEncoders | None
    stop_early: bool
    check_every: int
    preview_baseline: bool
    gradient_accumulation: int


@dataclass(frozen=True)
class GenerationOptions:
    """The options of a generation. A field that is None takes its default."""

    prompt: str = ""
    negative_prompt: str | None = None
    model: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str | None = None
    seed: int | None = None
    num_images: int | None = None
    format: PictureFormat | None = None
    quality: int | None = None
    dtype: str | None = None
    prompt_syntax: PromptSyntax | None = None
    guidance_rescale: float | None = None
    clip_skip: int | None = None
    vae: str | None = None
    prediction_type: PredictionType | None = None
    preview_every: int | None = None
    long_prompts: LongPrompts | None = None
    """What becomes of a prompt of more than 77 tokens: chunks of 75, as in ComfyUI, or cut, as in diffusers."""


@dataclass(frozen=True)
class GenerationSettings:
    """The settings of a generation, with every default filled in."""

    prompt: str
    negative_prompt: str
    model: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    scheduler: str
    seed: int
    num_images: int
    format: PictureFormat
    quality: int
    dtype: str
    device: str
    concepts: tuple[str, ...]
    prompt_syntax: PromptSyntax
    guidance_rescale: float
    clip_skip: int
    vae: str
    prediction_type: PredictionType
    preview_every: int
    long_prompts: LongPrompts


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
