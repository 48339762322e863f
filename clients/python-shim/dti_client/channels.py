"""How connections to a server are made."""

from __future__ import annotations

import ipaddress
import os
import pathlib
from typing import Union
from urllib.parse import urlsplit

import grpc

from .errors import DtiError, invalid

DEFAULT_ADDRESS = "http://localhost:5171"

Pem = Union[str, "os.PathLike[str]", bytes]
"""A PEM file, or its bytes."""


class Endpoint:
    """Where a server is and how to speak to it."""

    def __init__(
        self, address: str | None, token: str | None, ca_certificate: Pem | None, client_certificate: Pem | None = None, client_key: Pem | None = None,
    ):
        self.address = address or os.environ.get("DTI_SERVER") or DEFAULT_ADDRESS
        self.token = token or _token_of_the_environment()
        try:
            url = urlsplit(self.address if "://" in self.address else "http://" + self.address)
            port = url.port
        except ValueError:
            url, port = None, None
        if url is None or url.scheme not in ("http", "https") or not url.hostname:
            raise invalid("address", f"'{self.address}' is no server address; write it like {DEFAULT_ADDRESS}.")
        if url.path not in ("", "/") or url.query or url.fragment or url.username or url.password:
            host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
            raise invalid("address", f"The server address '{self.address}' has more than a host and a port, which a gRPC server does not have; "
                                     f"write {url.scheme}://{host}{f':{port}' if port else ''}.")
        self._local = _is_loopback(url.hostname)
        self._secure = url.scheme == "https"
        if self.token and not self._secure and not self._local:
            raise invalid("token", f"The token would cross the network to {self.address} unencrypted; use an https:// address.")
        host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        self._target = f"{host}:{port or (443 if self._secure else 80)}"
        self._roots = _pem(ca_certificate or os.environ.get("DTI_CA"))
        self._certificate = _pem(client_certificate or os.environ.get("DTI_CLIENT_CERT"))
        self._key = _pem(client_key or os.environ.get("DTI_CLIENT_KEY"))
        if bool(self._certificate) != bool(self._key):
            raise invalid("client_certificate", "A client's certificate and its private key go together; one of them is missing.")

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def open(self) -> grpc.Channel:
        """A channel for threads."""
        return self._open(grpc)

    def open_async(self) -> grpc.aio.Channel:
        """A channel for the running event loop."""
        return self._open(grpc.aio)

    def _open(self, grpc_module):
        if self._secure:
            return grpc_module.secure_channel(self._target, grpc.ssl_channel_credentials(self._roots, self._key, self._certificate), self._options)
        return grpc_module.insecure_channel(self._target, self._options)

    @property
    def _options(self):
        return [
            ("grpc.max_receive_message_length", 256 * 1024 * 1024),
            ("grpc.max_send_message_length", -1),  # the server knows its limit and states it
            # Training can be silent for long; a dead connection must be noticed all the same.
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.http2.max_pings_without_data", 0),
            # A server that was away is found again soon.
            ("grpc.initial_reconnect_backoff_ms", 250),
            ("grpc.min_reconnect_backoff_ms", 5_000),  # how long one attempt may take
            ("grpc.max_reconnect_backoff_ms", 1_000),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0 if self._local else 1),
        ]


def _token_of_the_environment() -> str:
    path = os.environ.get("DTI_TOKEN_FILE")
    return _read(path, "token file").decode("ascii", "replace").strip() if path else (os.environ.get("DTI_TOKEN") or "").strip()


def _pem(given: Pem | None) -> bytes | None:
    return given if isinstance(given, bytes) or not given else _read(given, "certificate")


def _read(path: str | os.PathLike[str], what: str) -> bytes:
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise DtiError(f"The {what} {path} cannot be read: {error.strerror}.", "INVALID_ARGUMENT") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
