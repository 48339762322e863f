"""The events of one training job, across lost connections."""

from __future__ import annotations

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

    def __init__(self, call: calls.Call[records.TrainingUpdate], reconnect_timeout: float):
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

    def is_new(self, update: records.TrainingUpdate | None) -> bool:
        """Notes an event; False if the caller has it already."""
        if isinstance(update, records.TrainingAccepted):
            first, self.job_id = self.job_id is None, update.job_id
            return first
        if isinstance(update, records.Queued):  # a replay shows places in the queue again
            new = self._progress_step == 0 and (self._queue_position is None or update.position < self._queue_position)
            self._queue_position = update.position if new else self._queue_position
            return new
        if isinstance(update, records.TrainingProgress):
            new = update.step > self._progress_step
            self._progress_step = self._step = max(self._progress_step, update.step)
            return new
        if isinstance(update, records.TrainingPreview):
            return self._first_time((update.step, update.picture.index))
        if isinstance(update, records.TrainingCheck):
            return self._first_time(("check", update.step))
        if isinstance(update, records.DtiWarning):
            return self._first_time(update)
        if isinstance(update, records.TrainingResult):
            self.finished = True
        return update is not None

    def reconnect(self, error: DtiError | None) -> Waiting:
        """After a connection ended before the last event: sets the next call, gives the wait for the server.

        Raises DtiError: the error, if it is none of the connection, or there is nothing to pick up.
        """
        error = error or DtiError("The server ended the stream before its last event.", "UNAVAILABLE")
        if error.status != "UNAVAILABLE" or self.job_id is None or self._reconnect_timeout <= 0:
            raise error
        self.call = calls.watch(self.job_id, self._step)
        self._waiting = Waiting.after(self._waiting, self._reconnect_timeout, error)
        return self._waiting

    def _first_time(self, key: object) -> bool:
        new = key not in self._seen
        self._seen.add(key)
        return new
