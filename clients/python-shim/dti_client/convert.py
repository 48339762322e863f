"""Messages of the contract to the types of this package and back. Fields have the same names on both sides."""

from __future__ import annotations

import dataclasses
from datetime import timezone
from typing import Any

from . import records
from ._proto import common_pb2, concept_service_pb2, generation_pb2, job_service_pb2, model_service_pb2, server_service_pb2, training_pb2
from .errors import invalid

TYPES = {
    training_pb2.TrainingSettings: records.TrainingSettings,
    training_pb2.TrainAccepted: records.TrainingAccepted,
    training_pb2.TrainProgress: records.TrainingProgress,
    training_pb2.TrainCheck: records.TrainingCheck,
    training_pb2.TrainPreview: records.TrainingPreview,
    training_pb2.TrainResult: records.TrainingResult,
    generation_pb2.GenerationSettings: records.GenerationSettings,
    generation_pb2.GenerateAccepted: records.GenerationAccepted,
    generation_pb2.InterpolateAccepted: records.InterpolationAccepted,
    generation_pb2.SamplingProgress: records.SamplingProgress,
    generation_pb2.GenerateResult: records.GenerationResult,
    generation_pb2.InterpolateResult: records.GenerationResult,
    common_pb2.Picture: records.Picture,
    common_pb2.Queued: records.Queued,
    common_pb2.Warning: records.DtiWarning,
    concept_service_pb2.Concept: records.Concept,
    model_service_pb2.Model: records.Model,
    server_service_pb2.ServerInfo: records.ServerInfo,
    job_service_pb2.Job: records.Job,
}
"""The type of each message that is read."""

# By name: where this package is there twice, installed and as a node pack, each copy has classes of its own for the same messages.
_BY_NAME = {message.DESCRIPTOR.full_name: cls for message, cls in TYPES.items()}


def fill(message: Any, value: Any) -> Any:
    """Sets the fields of a message from those of a dataclass that are not None; gives the message."""
    for field in dataclasses.fields(value):
        given = getattr(value, field.name)
        if given is None:
            continue
        descriptor = message.DESCRIPTOR.fields_by_name[field.name]
        if isinstance(given, (tuple, list)):
            getattr(message, field.name).extend(given)
        else:
            setattr(message, field.name, number(descriptor.enum_type, given, field.name) if descriptor.enum_type else given)
    return message


def number(enum_type: Any, word: str, name: str) -> int:
    """The number of an enumeration's word."""
    words = {_word(enum_type, value.name): value.number for value in enum_type.values if value.number}
    if word not in words:
        raise invalid(name, f"{name} is '{word}'; it must be one of {', '.join(words)}.")
    return words[word]


def read(message: Any) -> Any:
    """The dataclass of a message."""
    cls = _BY_NAME[message.DESCRIPTOR.full_name]
    return cls(**{field.name: _value(message, field.name) for field in dataclasses.fields(cls)})


def read_event(message: Any) -> Any:
    """The dataclass of the event that a stream's message holds; None for one that this version does not know."""
    case = message.WhichOneof("event")
    return read(getattr(message, case)) if case else None


def _value(message: Any, name: str) -> Any:
    descriptor = message.DESCRIPTOR.fields_by_name[name]
    value = getattr(message, name)
    if hasattr(value, "extend"):  # repeated
        return tuple(value)
    if (descriptor.message_type or descriptor.containing_oneof) and not message.HasField(name):
        return None
    if descriptor.enum_type:
        known = descriptor.enum_type.values_by_number.get(value)
        return _word(descriptor.enum_type, known.name) if known and value else None
    if descriptor.message_type is None:
        return value
    if descriptor.message_type.full_name == "google.protobuf.Duration":
        return value.ToTimedelta().total_seconds()
    if descriptor.message_type.full_name == "google.protobuf.Timestamp":
        return value.ToDatetime().replace(tzinfo=timezone.utc)
    return read(value)


def _word(enum_type: Any, name: str) -> str:
    """CONCEPT_KIND_OBJECT of ConceptKind: object."""
    prefix = "".join("_" + letter if letter.isupper() and i else letter for i, letter in enumerate(enum_type.name)).upper() + "_"
    return name.removeprefix(prefix).lower()
