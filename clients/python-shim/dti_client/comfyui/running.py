"""Calls to the server that show progress in ComfyUI and can be cancelled there."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

import comfy.model_management
import comfy.utils

from .. import records
from ..client import DtiClient
from ..errors import DtiError

_POLL_SECONDS = 0.25
_CANCEL_SECONDS = 0.5
_END = object()
_log = logging.getLogger(__name__)

Update = TypeVar("Update")


def interruptible(client: DtiClient, updates: Iterator[Update]) -> Iterator[Update]:
    """Passes updates on; when ComfyUI is interrupted, or the iterator is closed, cancels the job on the server.

    A thread reads, so that Cancel is seen while nothing arrives. Close the iterator: where the progress bar notices Cancel, the
    exception would keep it alive.
    """
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    job_ids: list[str] = []
    left = threading.Event()

    def read() -> None:
        try:
            for update in updates:
                if hasattr(update, "job_id"):
                    job_ids.append(update.job_id)
                if left.is_set():
                    return _cancel(client, job_ids)
                inbox.put(update)
            inbox.put(_END)
        except Exception as error:  # raised again where the node runs
            inbox.put(error)

    threading.Thread(target=read, name="dti-updates", daemon=True).start()
    ended = False
    try:
        while not ended:
            comfy.model_management.throw_exception_if_processing_interrupted()
            try:
                update = inbox.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            ended = update is _END or isinstance(update, Exception)
            if isinstance(update, Exception):
                raise update
            if not ended:
                yield update
    finally:
        if not ended:
            left.set()  # before looking at job_ids: either this or the thread sees both
            _cancel(client, job_ids)


def generate_images(client: DtiClient, updates: Iterator[records.GenerationUpdate], node_id: str | None) -> list[records.Picture]:
    """The images of a generation or interpolation; each is shown while it is sampled, and when it arrives."""
    bar, images = comfy.utils.ProgressBar(1), []
    with contextlib.closing(interruptible(client, updates)) as seen:
        for update in seen:
            if isinstance(update, records.SamplingProgress):
                bar.update_absolute(update.step, update.total_steps, preview(update.preview) if update.preview else None)
            elif isinstance(update, records.Picture):
                images.append(update)
                bar.update_absolute(bar.current, preview=preview(update))
            elif isinstance(update, records.ConnectionLost):
                show(waiting_text(update, "the rest of the images is generated when it is back"), node_id)
            else:
                warn(update)
    return images


def preview(picture: records.Picture) -> tuple:
    """An image in the form that the progress bar accepts; it enlarges small ones."""
    return ("JPEG", picture.pil(), 512)


def warn(update: object) -> None:
    """Logs what the server wants the user to know."""
    if isinstance(update, records.DtiWarning):
        _log.warning("Dti: %s", update.message)


def waiting_text(update: records.ConnectionLost, comfort: str) -> str:
    """What a node shows while its server is away; comfort: what becomes of its job."""
    since, until = update.since.astimezone(), update.until.astimezone()
    return f"The Dti server does not answer. Waiting for it since {since:%H:%M:%S}, until {until:%H:%M}; {comfort}."


def show(text: str, node_id: str | None) -> None:
    """Shows a line in a node, where this ComfyUI can."""
    from server import PromptServer

    send = getattr(PromptServer.instance, "send_progress_text", None)
    if send and node_id:
        send(text, node_id)


def _cancel(client: DtiClient, job_ids: list[str]) -> None:
    """Cancels the job; where the server is away, when it is back, and ComfyUI does not wait for that."""
    if not job_ids:
        return

    def cancel() -> None:
        try:
            client.cancel_job(job_ids[-1], wait=True)  # a request that was sent again is a new job
        except DtiError as error:
            _log.warning("Dti: job %s could not be cancelled. %s", job_ids[-1], error)

    thread = threading.Thread(target=cancel, name="dti-cancel", daemon=True)
    thread.start()
    thread.join(_CANCEL_SECONDS)
    if thread.is_alive():
        _log.warning("Dti: the server is away; job %s is cancelled when it is back.", job_ids[-1])
