"""The events of one job, across lost connections."""

from __future__ import annotations

import dataclasses
import time

from . import calls, records
from .errors import DtiError, deadline_exceeded
from .waiting import Waiting


class Deadline:
    """A point in time, or never."""

    def __init__(self, timeout: float | None):
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        """Seconds left; None: no end.

        Raises DtiError: none are.
        """
        if self._end is None:
            return None
        if (left := self._end - time.monotonic()) <= 0:
            raise deadline_exceeded()
        return left


class Following:
    """What was seen of a training job, so that reading on after a lost connection adds neither gap nor duplicate.

    The server replays a step as a whole, and a connection can drop between a step's progress and its previews: so a replay starts at
    the last step seen, not after it, and what was seen of it is left out.
    """

    may_be_forgotten = False
    """Whether the job can be continued where the server does not know it."""

    def __init__(self, call: calls.Call, reconnect_timeout: float):
        self.call = call
        """What to read next: the first call, then Watch."""
        self.finished = False
        self.job_id: str | None = None
        """The job, once it was accepted."""
        self._reconnect_timeout = reconnect_timeout
        self._waiting: Waiting | None = None
        self._step = 0
        self._progress_step = 0
        self._queue_position: int | None = None
        self._seen: set[object] = set()
        self._note = call.note if call else None

    @property
    def left_running(self) -> str | None:
        """The job that continues on the server when its caller leaves now, and should not; None: there is none."""
        return None

    def take(self, update):
        """Notes an event; gives what the caller sees of it, None if they have it already."""
        seen = self._take(update)
        if seen is not None and self._waiting:
            self._waiting.is_over = True
        return seen

    def news(self, update) -> list:
        """Notes an event; gives what the caller sees now: the event if they do not have it yet, and after the first one the call's note."""
        seen = [] if (taken := self.take(update)) is None else [taken]
        if seen and self._note:
            seen.append(self._note)
            self._note = None
        return seen

    def reconnect(self, error: DtiError | None) -> Waiting | None:
        """After a call ended before the last event: sets the next call, gives the wait for the server; None: there is no need to wait.

        Raises DtiError: the error, if it is none of the connection, or there is nothing to pick up.
        """
        error = error or DtiError("The server ended the stream before its last event.", "UNAVAILABLE")
        if error.status != "UNAVAILABLE" or self.job_id is None or self._reconnect_timeout <= 0:
            raise error
        self.call = self._watch()
        self._waiting = Waiting.after(self._waiting, self._reconnect_timeout, error)
        return self._waiting

    def _watch(self) -> calls.Call:
        return calls.watch(self.job_id, self._step)

    def _take(self, update: records.TrainingUpdate | None) -> records.TrainingUpdate | None:
        if isinstance(update, records.TrainingAccepted):
            new, self.job_id = self.job_id is None, update.job_id
        elif isinstance(update, records.Queued):
            new = self._is_nearer(update)
        elif isinstance(update, records.TrainingProgress):
            new = update.step > self._progress_step
            self._progress_step = self._step = max(self._progress_step, update.step)
        elif isinstance(update, records.TrainingPreview):
            new = self._first_time((update.step, update.picture.index))
        elif isinstance(update, records.TrainingCheck):
            new = self._first_time(("check", update.step))
        elif isinstance(update, records.DtiWarning):
            new = self._first_time(update)
        else:
            new, self.finished = True, isinstance(update, records.TrainingResult)
        return update if new else None

    def _is_nearer(self, update: records.Queued) -> bool:
        """Whether a place in the queue is news: a replay shows them again."""
        new = self._progress_step == 0 and (self._queue_position is None or update.position < self._queue_position)
        self._queue_position = update.position if new else self._queue_position
        return new

    def _first_time(self, key: object) -> bool:
        new = key not in self._seen
        self._seen.add(key)
        return new


class FollowingGeneration(Following):
    """What was seen of a generation or interpolation, so that the caller gets each image once, however often the connection is lost.

    After a lost connection the client first watches the job: a server that was restarted continues it. A server that only lost its caller
    has cancelled the job, so the request is sent again, with the seed and the model that the first event told: the same images come out.
    """

    may_be_forgotten = True

    def __init__(self, call: calls.Call[records.GenerationUpdate], reconnect_timeout: float):
        super().__init__(call, reconnect_timeout)
        self._request = call
        self._accepted: records.GenerationAccepted | records.InterpolationAccepted | None = None

    @property
    def left_running(self) -> str | None:
        return None if self.finished or self.call is self._request else self.job_id

    def reconnect(self, error: DtiError | None) -> Waiting | None:
        if self.call is not self._request and error is not None and error.status in ("CANCELLED", "NOT_FOUND"):
            self.call = self._request
            return None
        return super().reconnect(error)

    def _watch(self) -> calls.Call:
        return calls.watch_generation(self.job_id)

    def _take(self, update: records.GenerationUpdate | None) -> records.GenerationUpdate | None:
        if isinstance(update, (records.GenerationAccepted, records.InterpolationAccepted)):
            return self._accept(update)
        if isinstance(update, records.Queued):
            new = self._is_nearer(update)
        elif isinstance(update, records.SamplingProgress):
            new = update.step > self._progress_step
            self._progress_step = max(self._progress_step, update.step)
        elif isinstance(update, records.Picture):
            new = self._first_time(update.index)
        elif isinstance(update, records.DtiWarning):
            new = self._first_time(update)
        else:
            new, self.finished = True, isinstance(update, records.GenerationResult)
        return update if new else None

    def _accept(self, update):
        known, self.job_id = self.job_id, update.job_id
        if self._accepted is None:
            self._accepted = update
            self._request = self.call = calls.pinned(self._request, update.settings)
            return update
        return None if update.job_id == known else dataclasses.replace(self._accepted, job_id=update.job_id)
