"""Finding a server again that went away.

A channel that lost its server is of little use for that: it rests between its tries, and a peer that accepts connections and says nothing
eats a try whole. So each try is a question to the job's server over a channel of its own. They begin a second apart at most, whether or not
those before have ended, and the first that is answered wins.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import grpc

from .errors import DtiError, from_rpc
from .records import ConnectionLost

DEFAULT_SECONDS = 600.0
"""How long a client waits unless told otherwise."""

ANSWER_SECONDS = 10.0
"""How long one try may take: far longer than the way to any server, so that a slow one is found too."""

CANCEL_SECONDS = 3.0
"""How long a cancel that may wait for its server is tried over a connection that may be dead."""

_DELAYS = (0.05, 0.1, 0.2, 0.4, 0.8)
_LONGEST_DELAY = 1.0
_TELL_AFTER = 1.0
_CALM_SECONDS = 5.0

_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class Waiting:
    """One wait: when the next try is due, when to tell the caller, and when to give up."""

    def __init__(self, seconds: float, lost: DtiError):
        self.is_over = False
        """Whether an event came since."""
        self._seconds = seconds
        self._lost = lost
        self._since = datetime.now(timezone.utc)
        self._began = self._due = time.monotonic()
        self._tries = 0
        self._told = False

    @classmethod
    def after(cls, last: Waiting | None, seconds: float, lost: DtiError) -> Waiting:
        """The wait that begins with a loss: the last one goes on if nothing came since, and a connection that is lost again and again is not picked up
        ever faster."""
        if last and not last.is_over:
            return last
        waiting = cls(seconds, lost)
        if last and waiting._began - last._began < _CALM_SECONDS:
            waiting._tries, waiting._due = last._tries, last._due
        return waiting

    def is_due(self) -> bool:
        """Whether to begin a try now.

        Raises DtiError: the time is up.
        """
        now = time.monotonic()
        if now >= self._began + self._seconds:
            raise self._lost
        if now < self._due:
            return False
        self._due = now + (_DELAYS[self._tries] if self._tries < len(_DELAYS) else _LONGEST_DELAY)
        self._tries += 1
        return True

    def pause(self) -> float:
        """Seconds until something is to be done, whatever the tries bring."""
        tell = [] if self._told else [self._began + _TELL_AFTER]
        return max(0.0, min(self._due, self._began + self._seconds, *tell) - time.monotonic())

    def to_tell(self) -> ConnectionLost | None:
        """What to tell the caller: once, when the wait is longer than a moment."""
        if self._told or time.monotonic() < self._began + _TELL_AFTER:
            return None
        self._told = True
        return ConnectionLost(self._since, self._since + timedelta(seconds=self._seconds))


def is_away(error: grpc.RpcError, address: str, may_be_forgotten: bool) -> bool:
    """Whether a try failed because the server is still away; not if it is there without knowing the job, where that does not matter.

    Raises DtiError: the server is there, and refuses.
    """
    if may_be_forgotten and error.code() == grpc.StatusCode.NOT_FOUND:
        return False
    if error.code() not in _AWAY:
        raise from_rpc(error, address) from error
    return True
