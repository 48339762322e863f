"""Messages of the contract to the types of this package and back. Fields have the same names on both sides."""

from __future__ import annotations

import dataclasses
from datetime import timezone
from typing import Any

from . import records
from .errors import invalid

_TYPES = {
    "dti.v1.TrainingSettings": records.TrainingSettings,
    "dti.v1.GenerationSettings": records.GenerationSettings,
    "dti.v1.Picture": records.Picture,
    "dti.v1.Queued": records.Queued,
    "dti.v1.Warning": records.DtiWarning,
    "dti.v1.TrainAccepted": records.TrainingAccepted,
    "dti.v1.TrainProgress": records.TrainingProgress,
    "dti.v1.TrainPreview": records.TrainingPreview,
    "dti.v1.TrainResult": records.TrainingResult,
    "dti.v1.GenerateAccepted": records.GenerationAccepted,
    "dti.v1.InterpolateAccepted": records.InterpolationAccepted,
    "dti.v1.SamplingProgress": records.SamplingProgress,
    "dti.v1.GenerateResult": records.GenerationResult,
    "dti.v1.InterpolateResult": records.GenerationResult,
    "dti.v1.Concept": records.Concept,
    "dti.v1.Model": records.Model,
    "dti.v1.Job": records.Job,
}


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
    cls = _TYPES[message.DESCRIPTOR.full_name]
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
