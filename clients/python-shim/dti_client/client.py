"""The client for threads."""

from __future__ import annotations

import contextlib
import queue
import uuid
from collections.abc import Iterable, Iterator, Sequence
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

_LONGEST_PAUSE = 0.5  # Ctrl-C is seen between pauses


class DtiClient:
    """A client of a Dti server: trains concepts on photos, generates images with them, and interpolates between two.

    One client serves any number of threads. Every call raises `DtiError`, one sentence for the user, when the server refuses it or
    cannot be reached; `timeout` is in seconds, None for no end.

        with DtiClient() as client:
            for update in client.train("my-cat", ["1.jpg", "2.jpg", "3.jpg"], TrainingOptions(initializer="cat")):
                print(update)
    """

    def __init__(
        self, address: str | None = None, *, token: str | None = None, ca_certificate: Pem | None = None,
        client_certificate: Pem | None = None, client_key: Pem | None = None, reconnect_timeout: float = DEFAULT_SECONDS,
    ):
        """Makes a client; it connects with its first call.

        address: `http://localhost:5171`, `https://host`, or `host:port`. Default: the environment's DTI_SERVER, else the first of these.
        token: sent as a bearer token, over TLS or to this machine only. Default: what is in the file of the environment's DTI_TOKEN_FILE, else its DTI_TOKEN.
        ca_certificate: for https, the PEM file (or its bytes) that vouches for the server. Default: DTI_CA, else the public ones.
        client_certificate, client_key: for https, PEM files by which this client proves who it is. Default: DTI_CLIENT_CERT and DTI_CLIENT_KEY.
        reconnect_timeout: seconds to wait for a server that went away during a training or a generation, to continue with it; each event starts the time again. 0: never.
        """
        self._endpoint = Endpoint(address, token, ca_certificate, client_certificate, client_key)
        self._reconnect_timeout = reconnect_timeout
        self._channel = self._endpoint.open()
        self._stubs = Stubs(self._channel)

    @property
    def address(self) -> str:
        """The server's address, as given."""
        return self._endpoint.address

    def close(self) -> None:
        """Closes the connection. Training jobs go on."""
        self._channel.close()

    def __enter__(self) -> DtiClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def train(
        self, name: str, photos: Iterable[Photo | TrainingPhoto], options: records.TrainingOptions | None = None, *, request_id: str | None = None,
        overwrite: bool = False, cancel_on_disconnect: bool = False, timeout: float | None = None,
    ) -> Iterator[records.TrainingUpdate]:
        """Trains a concept on photos: `TrainingAccepted` first, `TrainingResult` last.

        The job belongs to the server: where the connection drops, the client continues with it without gap or duplicate, and leaving
        the iterator leaves the job running; `cancel_job` stops it.

        name: of the concept to be trained; prompts use it as `<name>`.
        photos: 1 to 50 paths, bytes, PIL images or arrays, or `TrainingPhoto`s of these with masks and captions. Photos that do not fit into one request
            together are reduced (`DtiWarning` PHOTOS_REDUCED).
        options: what is None takes the published default, which `TrainingAccepted.settings` shows.
        request_id: makes a retry safe: a second call with the same one attaches to the same job. Default: a new one.
        overwrite: replace a concept of the same name.
        cancel_on_disconnect: cancel the job when this call ends before it; a dropped connection is then an error.
        """
        call = calls.train(name, photos, options, request_id or uuid.uuid4().hex, overwrite, cancel_on_disconnect)
        return self._follow(Following(call, 0 if cancel_on_disconnect else self._reconnect_timeout), timeout)

    def resume(
        self, name: str, options: records.TrainingOptions | None = None, *, from_step: int | None = None, request_id: str | None = None,
        cancel_on_disconnect: bool = False, timeout: float | None = None,
    ) -> Iterator[records.TrainingUpdate]:
        """Goes on with a training that was cancelled, cut off or finished, as if it had never stopped; a finished concept is replaced.

        options: only steps, preview_every, preview_prompts, preview_steps and snapshot_every; the rest is as it was begun.
        from_step: the step of a kept snapshot. Default: the newest.
        """
        call = calls.resume(name, from_step, options, request_id or uuid.uuid4().hex, cancel_on_disconnect)
        return self._follow(Following(call, 0 if cancel_on_disconnect else self._reconnect_timeout), timeout)

    def watch(self, job_id: str, from_step: int = 0, *, timeout: float | None = None) -> Iterator[records.TrainingUpdate]:
        """The events of a training job: those that have been, then those to come, each once and in order.

        from_step: progress and previews before this step are left out.
        """
        return self._follow(Following(calls.watch(job_id, from_step), self._reconnect_timeout), timeout)

    def generate(
        self, prompt: str | records.GenerationOptions, options: records.GenerationOptions | None = None, *, timeout: float | None = None,
    ) -> Iterator[records.GenerationUpdate]:
        """Generates images from a prompt: `GenerationAccepted` first, a `Picture` each, `GenerationResult` last.

        Stops when the iterator is closed. Where the connection drops, the client waits for the server (`ConnectionLost`) and gets the rest of the
        images, each once. If the request has to be sent again for that, `GenerationAccepted` comes again with the new job's id.

        prompt: `<name>` in it stands for the concept of that name.
        """
        return self._follow(FollowingGeneration(calls.generate(prompt, options), self._reconnect_timeout), timeout)

    def interpolate(
        self, from_concept: str, to_concept: str, options: records.GenerationOptions | None = None, *, frames: int | None = None,
        easing: records.Easing | None = None, prompt: str | None = None, timeout: float | None = None,
    ) -> Iterator[records.GenerationUpdate]:
        """Generates images along the great circle between two concepts: `InterpolationAccepted` first, a `Picture` each, `GenerationResult` last.

        A lost connection is handled as in `generate`.

        frames: 2 to 256, ends included. prompt: `{concept}` in it stands for the blend.
        """
        call = calls.interpolate(from_concept, to_concept, frames, easing, prompt, options)
        return self._follow(FollowingGeneration(call, self._reconnect_timeout), timeout)

    def list_jobs(self, states: Sequence[records.JobState] = (), limit: int = 100, *, timeout: float | None = None) -> list[records.Job]:
        """Jobs in one of these states (none given: all), newest first. limit: 1 to 1000."""
        return self._unary(calls.list_jobs(states, limit), timeout)

    def get_job(self, job_id: str, *, timeout: float | None = None) -> records.Job:
        """One job."""
        return self._unary(calls.get_job(job_id), timeout)

    def cancel_job(self, job_id: str, *, timeout: float | None = None, wait: bool = False) -> records.Job:
        """Stops a job within one step. Cancelling a finished job changes nothing and is no error.

        wait: where the server is away, cancel the job when it is back, within the client's reconnect_timeout.
        """
        waiting, deadline = None, Deadline(timeout)
        while True:
            try:
                return self._unary(calls.cancel_job(job_id), deadline.left() if not wait else min(deadline.left() or CANCEL_SECONDS, CANCEL_SECONDS))
            except DtiError as error:
                if not wait or error.status not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                    raise
                waiting = waiting or Waiting(self._reconnect_timeout, error)
            for _ in self._wait(waiting, job_id, deadline):
                pass

    def list_concepts(self, *, timeout: float | None = None) -> list[records.Concept]:
        """The concepts in the library, by name, without thumbnails. `timeout` is for each page of a thousand."""
        found, token = self._unary(calls.list_concepts(), timeout)
        while token:
            page, token = self._unary(calls.list_concepts(token), timeout)
            found += page
        return found

    def get_concept(self, name: str, *, timeout: float | None = None) -> records.Concept:
        """One concept."""
        return self._unary(calls.get_concept(name), timeout)

    def load_embedding(self, name: str, version: str = "", *, timeout: float | None = None) -> ConceptEmbedding:
        """The vectors of a concept, or of an earlier version of it."""
        deadline = Deadline(timeout)
        return self._unary(calls.load_embedding(self.get_concept(name, timeout=deadline.left()), version), deadline.left())

    def import_concept(
        self, name: str, data: bytes | ConceptEmbedding, *, overwrite: bool = False, rescale: bool = False, model: str | None = None,
        second_data: bytes = b"", timeout: float | None = None,
    ) -> records.Concept:
        """Imports vectors, or a safetensors file of diffusers, A1111 or ComfyUI, into the library.

        overwrite: replace a concept of the same name.
        rescale: give each vector the usual length of the model's vocabulary, as DTI does; otherwise lengths are kept.
        model: one that the vectors have to fit. Default: the server's default model, or another that has such widths.
        second_data: the file of the second text encoder, where each has one of its own (learned_embeds_2.safetensors, for SDXL).
        """
        return self._unary(calls.import_concept(name, data, overwrite, rescale, model, second_data), timeout)

    def install_concept(self, name: str, *, overwrite: bool = False, timeout: float | None = None) -> str:
        """Writes a concept into the embeddings folder of the server's ComfyUI; gives the file's path there."""
        return self._unary(calls.install_concept(name, overwrite), timeout)

    def export_concept(self, name: str, file_format: records.ConceptFormat = "diffusers", *, timeout: float | None = None) -> bytes:
        """A concept as a safetensors file that other tools load."""
        return self._unary(calls.export_concept(name, file_format), timeout)

    def list_versions(self, name: str, *, timeout: float | None = None) -> list[records.Concept]:
        """What a concept was before it was replaced, newest first."""
        return self._unary(calls.list_versions(name), timeout)

    def restore_concept(self, name: str, version: str = "", *, timeout: float | None = None) -> records.Concept:
        """Makes an earlier version of a concept the current one, which becomes an earlier version. version: empty: the newest of the earlier ones."""
        return self._unary(calls.restore_concept(name, version), timeout)

    def delete_concept(self, name: str, *, timeout: float | None = None) -> None:
        """Deletes a concept and its earlier versions."""
        self._unary(calls.delete_concept(name), timeout)

    def get_server(self, *, timeout: float | None = None) -> records.ServerInfo:
        """What the server is and what it computes with."""
        return self._unary(calls.get_server(), timeout)

    def list_models(self, *, timeout: float | None = None) -> list[records.Model]:
        """The models that the server knows, by name; unusable ones with the reason."""
        return self._unary(calls.list_models(), timeout)

    def list_vaes(self, *, timeout: float | None = None) -> list[str]:
        """Names of the autoencoders that can replace a model's own."""
        return self._unary(calls.list_vaes(), timeout)

    def get_model(self, name: str, *, timeout: float | None = None) -> records.Model:
        """One model."""
        return self._unary(calls.get_model(name), timeout)

    def _unary(self, call: Call[T], timeout: float | None) -> T:
        try:
            return call.read(self._stubs[call](call.request, timeout=timeout, metadata=self._endpoint.metadata))
        except grpc.RpcError as error:
            raise from_rpc(error, self.address) from error

    def _stream(self, call: Call[T], deadline: Deadline) -> Iterator[T]:
        answers = self._stubs[call](call.request, timeout=deadline.left(), metadata=self._endpoint.metadata)
        try:
            for answer in answers:
                yield call.read(answer)
        except grpc.RpcError as error:
            raise from_rpc(error, self.address) from error
        finally:
            answers.cancel()

    def _follow(self, following: Following, timeout: float | None) -> Iterator:
        deadline = Deadline(timeout)
        try:
            while not following.finished:
                lost = None
                try:
                    with contextlib.closing(self._stream(following.call, deadline)) as updates:
                        for update in updates:
                            for seen in following.news(update):
                                yield seen
                except DtiError as error:
                    lost = error
                if not following.finished and (waiting := following.reconnect(lost)):
                    yield from self._wait(waiting, following.job_id, deadline, following.may_be_forgotten)
        except GeneratorExit:
            if following.left_running:
                with contextlib.suppress(DtiError):
                    self._unary(calls.cancel_job(following.left_running), CANCEL_SECONDS)
            raise

    def _wait(self, waiting: Waiting, job_id: str, deadline: Deadline, may_be_forgotten: bool = False) -> Iterator[records.ConnectionLost]:
        """Returns once the job's server answers, over a new channel that takes the place of the old one."""
        call, answers, tries = calls.get_job(job_id), queue.SimpleQueue(), []
        try:
            while True:
                if waiting.is_due():
                    channel = self._endpoint.open()
                    tries.append((channel, Stubs(channel)[call].future(call.request, timeout=ANSWER_SECONDS, metadata=self._endpoint.metadata)))
                    tries[-1][1].add_done_callback(lambda done, channel=channel: answers.put((channel, done)))
                try:
                    channel, done = answers.get(timeout=min(waiting.pause(), _LONGEST_PAUSE, deadline.left() or _LONGEST_PAUSE) + 0.001)
                except queue.Empty:
                    if told := waiting.to_tell():
                        yield told
                    continue
                away = (error := done.exception()) and is_away(error, self.address, may_be_forgotten)
                tries = [(other, asked) for other, asked in tries if other is not channel]
                if not away:
                    self._channel, self._stubs = channel, Stubs(channel)  # calls that still run keep the old one
                    return
                channel.close()
        finally:
            for channel, _ in tries:
                channel.close()
