"""Which training a node's inputs stand for: one that was done, one that is on its way, or a new one."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

from .. import calls, records
from ..client import DtiClient
from ..errors import DtiError
from ..pictures import TrainingPhoto

_KEY_LENGTH = 40


def request_id(client: DtiClient, name: str, photos: Sequence[TrainingPhoto], options: records.TrainingOptions, overwrite: bool) -> str | None:
    """The request id that attaches to the training of this request, if the server knows one that was not stopped, else a new one.

    It begins with a hash of the request, so it is found again from the inputs alone, also after ComfyUI was restarted. None: the
    concept was learnt so, and the server has forgotten the job.
    """
    request = calls.train(name, photos, options, "", overwrite, False).request
    key = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()[:_KEY_LENGTH]
    jobs = client.list_jobs(limit=1000)  # newest first
    known = [job for job in jobs if job.request_id.startswith(key)]
    learnt = _is_learnt(client, name, photos, options)
    newest = next((job for job in jobs if job.kind == "train" and job.name == name and job.state == "succeeded"), None)
    untold = options.preset is not None or any(photo.mask is not None for photo in photos)  # the library says nothing of masks, nor of presets
    for job in known:
        if job.state in ("queued", "running") or (job.state == "succeeded" and learnt and (job is newest or not untold)):
            return job.request_id
    return None if learnt and not untold else f"{key}-{1 + max((int(job.request_id[_KEY_LENGTH + 1:]) for job in known), default=0)}"


def _is_learnt(client: DtiClient, name: str, photos: Sequence[TrainingPhoto], options: records.TrainingOptions) -> bool:
    """Whether the concept in the library is from these photos and settings."""
    try:
        concept = client.get_concept(name)
    except DtiError as error:
        if error.status == "NOT_FOUND":
            return False
        raise
    if concept.settings is None or list(concept.photo_sha256) != [hashlib.sha256(photo.photo).hexdigest() for photo in photos]:
        return False
    default_model = next((model.name for model in client.list_models() if model.is_default), None)
    asked = dataclasses.replace(options, model=options.model or default_model)
    told = {field.name for field in dataclasses.fields(concept.settings)}
    return all(getattr(asked, name) in (None, (), getattr(concept.settings, name)) for name in (field.name for field in dataclasses.fields(asked)) if name in told)
