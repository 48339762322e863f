"""Each call of the contract: which method, which request, and how its answer is read. Both clients make theirs from these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable, Generic, TypeVar

import grpc

from . import convert, photo_sizes, records
from ._proto import (
    concept_service_pb2 as concepts, concept_service_pb2_grpc, dti_service_pb2 as dti, dti_service_pb2_grpc,
    generation_pb2, job_service_pb2 as jobs, job_service_pb2_grpc, model_service_pb2 as models, model_service_pb2_grpc,
    server_service_pb2 as server, server_service_pb2_grpc)
from .embedding import ConceptEmbedding
from .errors import invalid
from .pictures import Photo, TrainingPhoto

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call: `read` makes of each message that comes back what the caller sees."""

    service: str
    method: str
    request: Any
    read: Callable[[Any], T]
    note: records.DtiWarning | None = None
    """What the caller is told once the request is accepted."""


class Stubs:
    """The methods of all services over a channel, for threads or for an event loop."""

    def __init__(self, channel: grpc.Channel | grpc.aio.Channel):
        self._services = {
            "dti": dti_service_pb2_grpc.DtiServiceStub(channel),
            "jobs": job_service_pb2_grpc.JobServiceStub(channel),
            "concepts": concept_service_pb2_grpc.ConceptServiceStub(channel),
            "models": model_service_pb2_grpc.ModelServiceStub(channel),
            "server": server_service_pb2_grpc.ServerServiceStub(channel),
        }

    def __getitem__(self, call: Call) -> Callable[..., Any]:
        return getattr(self._services[call.service], call.method)


def train(
    name: str, photos: Iterable[Photo | TrainingPhoto], options: records.TrainingOptions | None, request_id: str, overwrite: bool, cancel_on_disconnect: bool,
) -> Call[records.TrainingUpdate]:
    options = options or records.TrainingOptions()
    messages, reduced = photo_sizes.fit(photos, options.resolution)
    request = dti.TrainRequest(request_id=request_id, name=name, photos=messages, overwrite=overwrite, cancel_on_disconnect=cancel_on_disconnect)
    convert.fill(request.options, options)
    return Call("dti", "Train", request, convert.read_event, records.DtiWarning(photo_sizes.REDUCED, reduced) if reduced else None)


def resume(
    name: str, from_step: int | None, options: records.TrainingOptions | None, request_id: str, cancel_on_disconnect: bool,
) -> Call[records.TrainingUpdate]:
    request = dti.TrainRequest(request_id=request_id, name=name, cancel_on_disconnect=cancel_on_disconnect, resume=dti.TrainResume(from_step=from_step))
    convert.fill(request.options, options or records.TrainingOptions())
    return Call("dti", "Train", request, convert.read_event)


def _training_event(answer: jobs.JobServiceWatchResponse) -> records.TrainingUpdate | None:
    if not answer.HasField("event"):
        raise ValueError("the job is a generation; only training jobs can be watched")
    return convert.read_event(answer.event)


def watch(job_id: str, from_step: int) -> Call[records.TrainingUpdate]:
    return Call("jobs", "Watch", jobs.JobServiceWatchRequest(job_id=job_id, from_step=from_step), _training_event)


def generate(prompt: str | records.GenerationOptions, options: records.GenerationOptions | None) -> Call[records.GenerationUpdate]:
    asked = prompt if isinstance(prompt, records.GenerationOptions) else replace(options or records.GenerationOptions(), prompt=prompt)
    request = dti.GenerateRequest(options=convert.fill(generation_pb2.GenerationOptions(), asked))
    return Call("dti", "Generate", request, convert.read_event)


def interpolate(
    from_concept: str, to_concept: str, frames: int | None, easing: records.Easing | None, prompt: str | None, options: records.GenerationOptions | None,
) -> Call[records.GenerationUpdate]:
    request = dti.InterpolateRequest(from_concept=from_concept, to_concept=to_concept, frames=frames, prompt=prompt)
    if easing is not None:
        request.easing = convert.number(request.DESCRIPTOR.fields_by_name["easing"].enum_type, easing, "easing")
    convert.fill(request.options, options or records.GenerationOptions())
    return Call("dti", "Interpolate", request, convert.read_event)


def pinned(call: Call[T], settings: records.GenerationSettings) -> Call[T]:
    """A generation or interpolation with the seed and the model that the server resolved, so that it gives the same images again."""
    request = type(call.request)()
    request.CopyFrom(call.request)
    request.options.seed, request.options.model = settings.seed, settings.model
    return replace(call, request=request)


def _generation_event(answer: jobs.JobServiceWatchResponse) -> records.GenerationUpdate | None:
    return convert.read_event(answer.interpolate if answer.HasField("interpolate") else answer.generate)


def watch_generation(job_id: str) -> Call[records.GenerationUpdate]:
    return Call("jobs", "Watch", jobs.JobServiceWatchRequest(job_id=job_id), _generation_event)


def list_jobs(states: Sequence[records.JobState], limit: int) -> Call[list[records.Job]]:
    numbers = [convert.number(jobs.JobState.DESCRIPTOR, state, "states") for state in states]
    return Call("jobs", "List", jobs.JobServiceListRequest(states=numbers, page_size=limit), lambda answer: [convert.read(job) for job in answer.jobs])


def get_job(job_id: str) -> Call[records.Job]:
    return Call("jobs", "Get", jobs.JobServiceGetRequest(job_id=job_id), lambda answer: convert.read(answer.job))


def cancel_job(job_id: str) -> Call[records.Job]:
    return Call("jobs", "Cancel", jobs.JobServiceCancelRequest(job_id=job_id), lambda answer: convert.read(answer.job))


def list_concepts(page_token: str = "") -> Call[tuple[list[records.Concept], str]]:
    """A page of concepts, and the token of the next page; empty: there is none."""
    return Call(
        "concepts", "List", concepts.ConceptServiceListRequest(page_token=page_token),
        lambda answer: ([convert.read(concept) for concept in answer.concepts], answer.next_page_token))


def get_concept(name: str) -> Call[records.Concept]:
    return Call("concepts", "Get", concepts.ConceptServiceGetRequest(name=name), lambda answer: convert.read(answer.concept))


def import_concept(name: str, data: bytes | ConceptEmbedding, overwrite: bool, rescale: bool, model: str | None, second_data: bytes) -> Call[records.Concept]:
    file = data.to_file() if isinstance(data, ConceptEmbedding) else data
    for field, content in (("data", file), ("second_data", second_data)):
        if len(content) > photo_sizes.LIMIT:
            raise invalid(field, f"{field} has {len(content) >> 20} MiB, and an embedding file has at most {photo_sizes.LIMIT >> 20}. Send the file of an embedding; "
                                 "dti concepts import takes the embeddings out of a large LoRA.")
    request = concepts.ConceptServiceImportRequest(name=name, data=file, overwrite=overwrite, rescale=rescale, model=model, second_data=second_data)
    return Call("concepts", "Import", request, lambda answer: convert.read(answer.concept))


def install_concept(name: str, overwrite: bool) -> Call[str]:
    return Call("concepts", "Install", concepts.ConceptServiceInstallRequest(name=name, overwrite=overwrite), lambda answer: answer.path)


def export_concept(name: str, file_format: records.ConceptFormat, version: str = "") -> Call[bytes]:
    number = convert.number(concepts.ConceptFormat.DESCRIPTOR, file_format, "format")
    return Call("concepts", "Export", concepts.ConceptServiceExportRequest(name=name, format=number, version=version), lambda answer: answer.data)


def list_versions(name: str) -> Call[list[records.Concept]]:
    request = concepts.ConceptServiceListVersionsRequest(name=name)
    return Call("concepts", "ListVersions", request, lambda answer: [convert.read(concept) for concept in answer.concepts])


def restore_concept(name: str, version: str) -> Call[records.Concept]:
    request = concepts.ConceptServiceRestoreRequest(name=name, version=version)
    return Call("concepts", "Restore", request, lambda answer: convert.read(answer.concept))


def load_embedding(concept: records.Concept, version: str) -> Call[ConceptEmbedding]:
    return replace(
        export_concept(concept.name, "webui", version),
        read=lambda answer: ConceptEmbedding.from_file(answer.data, concept.name, concept.placeholder, concept.family))


def delete_concept(name: str) -> Call[None]:
    return Call("concepts", "Delete", concepts.ConceptServiceDeleteRequest(name=name), lambda answer: None)


def list_models() -> Call[list[records.Model]]:
    return Call("models", "List", models.ModelServiceListRequest(), lambda answer: [convert.read(model) for model in answer.models])


def list_vaes() -> Call[list[str]]:
    return replace(list_models(), read=lambda answer: list(answer.vaes))


def get_model(name: str) -> Call[records.Model]:
    return Call("models", "Get", models.ModelServiceGetRequest(name=name), lambda answer: convert.read(answer.model))


def get_server() -> Call[records.ServerInfo]:
    return Call("server", "Get", server.ServerServiceGetRequest(), lambda answer: convert.read(answer.server))
