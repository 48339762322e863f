"""A client of Dti: train a concept on a few photos, generate images with it by name, interpolate between two."""

from .aio import AsyncDtiClient
from .client import DtiClient
from .embedding import ConceptEmbedding, slerp
from .errors import DtiError, FieldViolation
from .pictures import Photo, TrainingPhoto
from .records import (
    Concept, ConnectionLost, DtiWarning, GenerationAccepted, GenerationOptions, GenerationResult, GenerationSettings, GenerationUpdate,
    InterpolationAccepted, Job, Model, Picture, Queued, SamplingProgress, ServerInfo, TrainingAccepted, TrainingCheck, TrainingOptions, TrainingPreview,
    TrainingProgress, TrainingResult, TrainingSettings, TrainingUpdate)

__version__ = "0.1.0"

__all__ = [
    "AsyncDtiClient", "Concept", "ConceptEmbedding", "ConnectionLost", "DtiClient", "DtiError", "DtiWarning", "FieldViolation", "GenerationAccepted",
    "GenerationOptions", "GenerationResult", "GenerationSettings", "GenerationUpdate", "InterpolationAccepted", "Job", "Model",
    "Photo", "Picture", "Queued", "SamplingProgress", "ServerInfo", "TrainingAccepted", "TrainingCheck", "TrainingOptions", "TrainingPhoto", "TrainingPreview", "TrainingProgress",
    "TrainingResult", "TrainingSettings", "TrainingUpdate", "slerp",
]
