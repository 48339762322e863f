"""What went wrong, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass, field

import grpc

from ._proto import rpc_status_pb2

_NO_ANSWER = "There is no Dti server at {address}, or the connection to it was lost; start one (dti serve), or check the address."
_OR_NO_CERTIFICATE = " It may also want a certificate of this client (DTI_CLIENT_CERT and DTI_CLIENT_KEY)."
_NO_TRUST = (
    "The Dti server at {address} and this client do not trust each other: the certificate that vouches for the server is missing here (ca_certificate, or "
    "DTI_CA), the server wants one of this client (DTI_CLIENT_CERT), or it speaks no TLS (http://).")


@dataclass(frozen=True)
class FieldViolation:
    """One wrong field of a request."""

    field: str
    """As the contract spells it: `options.learning_rate`."""
    description: str
    """What to change."""


@dataclass(eq=False)
class DtiError(Exception):
    """The server refused a call or could not be reached. `str()` gives one sentence for the user."""

    message: str
    status: str = "UNKNOWN"
    """The gRPC status: `INVALID_ARGUMENT`, `NOT_FOUND`, `UNAVAILABLE`, …"""
    reason: str = ""
    """A stable reason in CAPITALS (google.rpc.ErrorInfo); empty if the server gave none."""
    metadata: dict[str, str] = field(default_factory=dict)
    """What the reason speaks of; with a name that was not found, `close` lists names like it."""
    field_violations: tuple[FieldViolation, ...] = ()
    """Every wrong field of the request (google.rpc.BadRequest), with `INVALID_ARGUMENT`."""
    retry_after: float | None = None
    """Seconds after which to come back (google.rpc.RetryInfo)."""

    def __str__(self) -> str:
        return self.message


DtiError.__module__ = "dti_client"  # where users find it; ComfyUI shows it, and would else show a path. Not before dataclass, which looks into that module


def from_rpc(error: grpc.RpcError, address: str) -> DtiError:
    """A failed call as what callers see."""
    code, details = error.code(), error.details() or ""
    result = DtiError(_sentence(code, details, address), code.name)
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            _add_details(result, rpc_status_pb2.Status.FromString(value))
    return result


def deadline_exceeded() -> DtiError:
    """The error of a call whose time is up."""
    return DtiError("The deadline of the call passed before it ended.", grpc.StatusCode.DEADLINE_EXCEEDED.name)


def invalid(field_name: str, description: str) -> DtiError:
    """The error of a request that is refused before it is sent, as the server would refuse it."""
    return DtiError(description, grpc.StatusCode.INVALID_ARGUMENT.name, field_violations=(FieldViolation(field_name, description),))


def _sentence(code: grpc.StatusCode, details: str, address: str) -> str:
    told = details.lower().replace("tcp handshaker", "")  # which is nobody's distrust, but a connection that took too long
    if code == grpc.StatusCode.UNAVAILABLE and ("handshake" in told or "certificate" in told):
        return _NO_TRUST.format(address=address)
    if code == grpc.StatusCode.UNAVAILABLE:
        return _NO_ANSWER.format(address=address) + (_OR_NO_CERTIFICATE if address.startswith("https:") else "")
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return str(deadline_exceeded())
    if code == grpc.StatusCode.UNIMPLEMENTED:
        return f"What answers at {address} does not know this call: it is no Dti server, or an older one than this client."
    if code == grpc.StatusCode.UNAUTHENTICATED:
        return f"The Dti server at {address} requires a valid token. {details}".rstrip()
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED and "message larger than max" in told:
        return "The answer is larger than this client accepts (256 MiB). Ask for fewer or smaller images."
    if "deserializ" in told:
        return "The answer cannot be read: server and client are of different versions. Update the older one."
    return details or f"The call failed with status {code.name}."


def _add_details(error: DtiError, status: rpc_status_pb2.Status) -> None:
    if status.message:
        error.message = status.message
    for detail in status.details:
        kind = detail.type_url.rsplit("/", 1)[-1]
        if kind == "google.rpc.ErrorInfo":
            info = rpc_status_pb2.ErrorInfo.FromString(detail.value)
            error.reason, error.metadata = info.reason, dict(info.metadata)
        elif kind == "google.rpc.BadRequest":
            request = rpc_status_pb2.BadRequest.FromString(detail.value)
            error.field_violations = tuple(FieldViolation(wrong.field, wrong.description) for wrong in request.field_violations)
        elif kind == "google.rpc.RetryInfo":
            error.retry_after = rpc_status_pb2.RetryInfo.FromString(detail.value).retry_delay.ToTimedelta().total_seconds()
