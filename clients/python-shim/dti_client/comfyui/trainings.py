"""The training of a node's inputs: one that has finished, one that is running, or a new one."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import uuid
from collections.abc import Iterator, Sequence

from .. import calls, photo_sizes, records
from .._proto import common_pb2
from ..client import DtiClient
from ..errors import DtiError
from ..pictures import TrainingPhoto
from .running import warn

_KEY_LENGTH = 40

# Previews and snapshots do not change the concept.
_WITHOUT_EFFECT = {"preview_every": None, "preview_prompts": (), "preview_steps": None, "preview_baseline": None, "snapshot_every": None}
_OWN_REQUEST = re.compile(r"[0-9a-f]{40}-[0-9a-f]+")


def training(client: DtiClient, name: str, photos: Sequence[TrainingPhoto], options: records.TrainingOptions) -> Iterator[records.TrainingUpdate]:
    """The events of the training of this request: of a job that the server knows and that was not stopped, else of a new one.

    A job is found from the inputs alone, also after a restart of ComfyUI, since its request id begins with a hash of them. There are no events where the
    concept was trained with these inputs and the server has forgotten the job. Another concept of that name is replaced; the server keeps it as an earlier version.
    """
    messages, reduced = photo_sizes.fit(photos, options.resolution)
    if reduced:
        warn(records.DtiWarning(photo_sizes.REDUCED, reduced))
    key = hashlib.sha256(_request(name, messages, dataclasses.replace(options, **_WITHOUT_EFFECT))).hexdigest()[:_KEY_LENGTH]
    trainings = [job for job in client.list_jobs(limit=1000) if job.kind == "train" and job.name == name]  # newest first
    newest = next((job for job in trainings if job.state == "succeeded"), None)
    concept, masked = _concept_from(client, name, messages), any(photo.mask for photo in messages)  # the library says nothing of masks
    for job in trainings:
        if not job.request_id.startswith(key):
            continue
        if job.state in ("queued", "running"):
            return client.watch(job.job_id)
        if job.state == "succeeded" and concept and (job is newest or not masked) and _effect(concept.settings) == _effect(_settings_of(client, job)):
            return client.watch(job.job_id)
    otherwise = newest is not None and _OWN_REQUEST.fullmatch(newest.request_id)  # unset settings say too little to tell it from this one
    if concept and not otherwise and not masked and options.preset is None and _has(client, concept.settings, options):
        return iter(())
    return client.train(name, messages, options, request_id=f"{key}-{uuid.uuid4().hex[:16]}", overwrite=True)


def versions(client: DtiClient, name: str) -> list[str]:
    """The earlier versions of a concept, newest first; none where there is no such concept, or the server keeps no versions."""
    try:
        return [concept.version for concept in client.list_versions(name)]
    except DtiError as error:
        if error.status in ("NOT_FOUND", "UNIMPLEMENTED"):
            return []
        raise


def _request(name: str, photos: Sequence[common_pb2.Photo], options: records.TrainingOptions) -> bytes:
    return calls.train(name, photos, options, "", False, False).request.SerializeToString(deterministic=True)


def _concept_from(client: DtiClient, name: str, photos: Sequence[common_pb2.Photo]) -> records.Concept | None:
    """The concept in the library, if it was trained on these photos."""
    try:
        concept = client.get_concept(name)
    except DtiError as error:
        if error.status == "NOT_FOUND":
            return None
        raise
    same = list(concept.photo_sha256) == [hashlib.sha256(photo.data).hexdigest() for photo in photos]
    return concept if same and concept.settings is not None else None


def _settings_of(client: DtiClient, job: records.Job) -> records.TrainingSettings:
    with contextlib.closing(client.watch(job.job_id)) as updates:
        return next(update.settings for update in updates if isinstance(update, records.TrainingAccepted))


def _effect(settings: records.TrainingSettings) -> records.TrainingSettings:
    """The settings that change the concept."""
    return dataclasses.replace(settings, **_WITHOUT_EFFECT)


def _has(client: DtiClient, settings: records.TrainingSettings, options: records.TrainingOptions) -> bool:
    """Whether settings are what these options ask for, as far as they ask for anything."""
    default_model = next((model.name for model in client.list_models() if model.is_default), None)
    asked = dataclasses.replace(options, model=options.model or default_model)
    told = {field.name for field in dataclasses.fields(settings)} - set(_WITHOUT_EFFECT)
    return all(getattr(asked, name) in (None, (), getattr(settings, name)) for name in (field.name for field in dataclasses.fields(asked)) if name in told)
