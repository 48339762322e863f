"""The client for event loops."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TypeVar

import grpc

from . import calls, records
from .calls import Call, Stubs
from .channels import Endpoint, Pem
from .embedding import ConceptEmbedding
from .errors import DtiError, from_rpc
from .following import Deadline, Following, FollowingGeneration
from .pictures import Photo, TrainingPhoto
from .waiting import ANSWER_SECONDS, CANCEL_SECONDS, DEFAULT_SECONDS, Waiting, is_away

T = TypeVar("T")


class AsyncDtiClient:
    """As `DtiClient`, whose methods say more, for one event loop; streams are async iterators.

        async with AsyncDtiClient() as client:
            async for update in client.generate("a photo of <my-cat>"):
                print(update)
    """

    def __init__(
        self, address: str | None = None, *, token: str | None = None, ca_certificate: Pem | None = None,
        client_certificate: Pem | None = None, client_key: Pem | None = None, reconnect_timeout: float = DEFAULT_SECONDS,
    ):
        """Makes a client; it connects with its first call."""
        self._endpoint = Endpoint(address, token, ca_certificate, client_certificate, client_key)
        self._reconnect_timeout = reconnect_timeout
        self._former: list[grpc.aio.Channel] = []
        self._channel = self._endpoint.open_async()
        self._stubs = Stubs(self._channel)

    @property
    def address(self) -> str:
        """The server's address, as given."""
        return self._endpoint.address

    async def close(self) -> None:
        """Closes the connection. Training jobs go on."""
        for channel in [*self._former, self._channel]:
            await channel.close()

    async def __aenter__(self) -> AsyncDtiClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def train(
        self, name: str, photos: Iterable[Photo | TrainingPhoto], options: records.TrainingOptions | None = None, *, request_id: str | None = None,
        overwrite: bool = False, cancel_on_disconnect: bool = False, timeout: float | None = None,
    ) -> AsyncIterator[records.TrainingUpdate]:
        """Trains a concept on photos: `TrainingAccepted` first, `TrainingResult` last."""
        call = calls.train(name, photos, options, request_id or uuid.uuid4().hex, overwrite, cancel_on_disconnect)
        return self._follow(Following(call, 0 if cancel_on_disconnect else self._reconnect_timeout), timeout)

    def resume(
        self, name: str, options: records.TrainingOptions | None = None, *, from_step: int | None = None, request_id: str | None = None,
        cancel_on_disconnect: bool = False, timeout: float | None = None,
    ) -> AsyncIterator[records.TrainingUpdate]:
        """Goes on with a training that was cancelled, cut off or finished, as if it had never stopped; a finished concept is replaced."""
        call = calls.resume(name, from_step, options, request_id or uuid.uuid4().hex, cancel_on_disconnect)
        return self._follow(Following(call, 0 if cancel_on_disconnect else self._reconnect_timeout), timeout)

    def watch(self, job_id: str, from_step: int = 0, *, timeout: float | None = None) -> AsyncIterator[records.TrainingUpdate]:
        """The events of a training job: those that have been, then those to come, each once and in order."""
        return self._follow(Following(calls.watch(job_id, from_step), self._reconnect_timeout), timeout)

    def generate(
        self, prompt: str | records.GenerationOptions, options: records.GenerationOptions | None = None, *, timeout: float | None = None,
    ) -> AsyncIterator[records.GenerationUpdate]:
        """Generates images from a prompt: `GenerationAccepted` first, a `Picture` each, `GenerationResult` last."""
        return self._follow(FollowingGeneration(calls.generate(prompt, options), self._reconnect_timeout), timeout)

    def interpolate(
        self, from_concept: str, to_concept: str, options: records.GenerationOptions | None = None, *, frames: int | None = None,
        easing: records.Easing | None = None, prompt: str | None = None, timeout: float | None = None,
    ) -> AsyncIterator[records.GenerationUpdate]:
        """Generates images along the great circle between two concepts: `InterpolationAccepted` first, a `Picture` each, `GenerationResult` last."""
        call = calls.interpolate(from_concept, to_concept, frames, easing, prompt, options)
        return self._follow(FollowingGeneration(call, self._reconnect_timeout), timeout)

    async def list_jobs(self, states: Sequence[records.JobState] = (), limit: int = 100, *, timeout: float | None = None) -> list[records.Job]:
        """Jobs in one of these states (none given: all), newest first. limit: 1 to 1000."""
        return await self._unary(calls.list_jobs(states, limit), timeout)

    async def get_job(self, job_id: str, *, timeout: float | None = None) -> records.Job:
        """One job."""
        return await self._unary(calls.get_job(job_id), timeout)

    async def cancel_job(self, job_id: str, *, timeout: float | None = None, wait: bool = False) -> records.Job:
        """Stops a job within one step; `wait`: where the server is away, when it is back."""
        waiting, deadline = None, Deadline(timeout)
        while True:
            try:
                return await self._unary(calls.cancel_job(job_id), deadline.left() if not wait else min(deadline.left() or CANCEL_SECONDS, CANCEL_SECONDS))
            except DtiError as error:
                if not wait or error.status not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                    raise
                waiting = waiting or Waiting(self._reconnect_timeout, error)
            async for _ in self._wait(waiting, job_id, deadline):
                pass

    async def list_concepts(self, *, timeout: float | None = None) -> list[records.Concept]:
        """The concepts in the library, by name, without thumbnails. `timeout` is for each page of a thousand."""
        found, token = await self._unary(calls.list_concepts(), timeout)
        while token:
            page, token = await self._unary(calls.list_concepts(token), timeout)
            found += page
        return found

    async def get_concept(self, name: str, *, timeout: float | None = None) -> records.Concept:
        """One concept."""
        return await self._unary(calls.get_concept(name), timeout)

    async def load_embedding(self, name: str, version: str = "", *, timeout: float | None = None) -> ConceptEmbedding:
        """The vectors of a concept, or of an earlier version of it."""
        deadline = Deadline(timeout)
        return await self._unary(calls.load_embedding(await self.get_concept(name, timeout=deadline.left()), version), deadline.left())

    async def import_concept(
        self, name: str, data: bytes | ConceptEmbedding, *, overwrite: bool = False, rescale: bool = False, model: str | None = None,
        second_data: bytes = b"", timeout: float | None = None,
    ) -> records.Concept:
        """Imports vectors, or a safetensors file of diffusers, A1111 or ComfyUI, into the library."""
        return await self._unary(calls.import_concept(name, data, overwrite, rescale, model, second_data), timeout)

    async def install_concept(self, name: str, *, overwrite: bool = False, timeout: float | None = None) -> str:
        """Writes a concept into the embeddings folder of the server's ComfyUI; gives the file's path there."""
        return await self._unary(calls.install_concept(name, overwrite), timeout)

    async def export_concept(self, name: str, file_format: records.ConceptFormat = "diffusers", *, timeout: float | None = None) -> bytes:
        """A concept as a safetensors file that other tools load."""
        return await self._unary(calls.export_concept(name, file_format), timeout)

    async def list_versions(self, name: str, *, timeout: float | None = None) -> list[records.Concept]:
        """What a concept was before it was replaced, newest first."""
        return await self._unary(calls.list_versions(name), timeout)

    async def restore_concept(self, name: str, version: str = "", *, timeout: float | None = None) -> records.Concept:
        """Makes an earlier version of a concept the current one, which becomes an earlier version. version: empty: the newest of the earlier ones."""
        return await self._unary(calls.restore_concept(name, version), timeout)

    async def delete_concept(self, name: str, *, timeout: float | None = None) -> None:
        """Deletes a concept and its earlier versions."""
        await self._unary(calls.delete_concept(name), timeout)

    async def get_server(self, *, timeout: float | None = None) -> records.ServerInfo:
        """What the server is and what it computes with."""
        return await self._unary(calls.get_server(), timeout)

    async def list_models(self, *, timeout: float | None = None) -> list[records.Model]:
        """The models that the server knows, by name; unusable ones with the reason."""
        return await self._unary(calls.list_models(), timeout)

    async def list_vaes(self, *, timeout: float | None = None) -> list[str]:
        """Names of the autoencoders that can replace a model's own."""
        return await self._unary(calls.list_vaes(), timeout)

    async def get_model(self, name: str, *, timeout: float | None = None) -> records.Model:
        """One model."""
        return await self._unary(calls.get_model(name), timeout)

    async def _unary(self, call: Call[T], timeout: float | None) -> T:
        try:
            return call.read(await self._stubs[call](call.request, timeout=timeout, metadata=self._endpoint.metadata))
        except grpc.RpcError as error:
            raise from_rpc(error, self.address) from error

    async def _stream(self, call: Call[T], deadline: Deadline) -> AsyncIterator[T]:
        answers = self._stubs[call](call.request, timeout=deadline.left(), metadata=self._endpoint.metadata)
        try:
            async for answer in answers:
                yield call.read(answer)
        except grpc.RpcError as error:
            raise from_rpc(error, self.address) from error
        finally:
            answers.cancel()

    async def _follow(self, following: Following, timeout: float | None) -> AsyncIterator:
        deadline = Deadline(timeout)
        try:
            while not following.finished:
                lost = None
                try:
                    async with contextlib.aclosing(self._stream(following.call, deadline)) as updates:
                        async for update in updates:
                            for seen in following.news(update):
                                yield seen
                except DtiError as error:
                    lost = error
                if not following.finished and (waiting := following.reconnect(lost)):
                    async with contextlib.aclosing(self._wait(waiting, following.job_id, deadline, following.may_be_forgotten)) as told:
                        async for update in told:
                            yield update
        except (GeneratorExit, asyncio.CancelledError):
            if following.left_running:
                with contextlib.suppress(DtiError):
                    await self._unary(calls.cancel_job(following.left_running), CANCEL_SECONDS)
            raise

    async def _wait(
        self, waiting: Waiting, job_id: str, deadline: Deadline, may_be_forgotten: bool = False,
    ) -> AsyncIterator[records.ConnectionLost]:
        """Ends once the job's server answers, over a new channel that takes the place of the old one."""
        call, tries = calls.get_job(job_id), {}
        try:
            while True:
                if waiting.is_due():
                    channel = self._endpoint.open_async()
                    asked = Stubs(channel)[call](call.request, timeout=ANSWER_SECONDS, metadata=self._endpoint.metadata)
                    tries[asyncio.ensure_future(_answer(asked))] = channel
                left = deadline.left()
                pause = waiting.pause() if left is None else min(waiting.pause(), left)
                for done in await _first_of(tries, pause + 0.001):
                    away = (error := done.result()) and is_away(error, self.address, may_be_forgotten)
                    channel = tries.pop(done)
                    if not away:
                        self._former.append(self._channel)  # calls that still run need it
                        self._channel, self._stubs = channel, Stubs(channel)
                        return
                    await channel.close()
                if told := waiting.to_tell():
                    yield told
        finally:
            for asked, channel in tries.items():
                asked.cancel()
                await channel.close()


async def _first_of(tries: Iterable[asyncio.Future], seconds: float) -> set[asyncio.Future]:
    """Those that have ended, as soon as one has, or after so many seconds."""
    if not tries:
        await asyncio.sleep(seconds)
        return set()
    return (await asyncio.wait(tries, timeout=seconds, return_when=asyncio.FIRST_COMPLETED))[0]


async def _answer(call: grpc.aio.UnaryUnaryCall) -> grpc.RpcError | None:
    """None once a call was answered, or what it failed with."""
    try:
        await call
    except grpc.RpcError as error:
        return error
    return None
