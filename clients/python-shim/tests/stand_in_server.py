"""A server of a few lines, where a test needs one that misbehaves, or one that wants a token or TLS."""

import concurrent.futures
import contextlib
import socket
import threading

import grpc

from dti_client._proto import (
    common_pb2, dti_service_pb2, dti_service_pb2_grpc, generation_pb2, job_service_pb2, job_service_pb2_grpc, model_service_pb2,
    model_service_pb2_grpc, training_pb2)


def event(**event):
    return dti_service_pb2.TrainResponse(**event)


# Each step's event with the step; 0: every reader gets it.
EVENTS = [
    (0, event(accepted=training_pb2.TrainAccepted(job_id="job", name="cat"))),
    (0, event(queued=common_pb2.Queued(position=1))),
    (0, event(queued=common_pb2.Queued(position=0))),
    (0, event(warning=common_pb2.Warning(code="INITIALIZER_SPLIT", message="Two tokens."))),
    (1, event(progress=training_pb2.TrainProgress(step=1, total_steps=2))),
    (1, event(preview=training_pb2.TrainPreview(step=1, picture=common_pb2.Picture(index=0)))),
    (1, event(preview=training_pb2.TrainPreview(step=1, picture=common_pb2.Picture(index=1)))),
    (2, event(progress=training_pb2.TrainProgress(step=2, total_steps=2))),
    (0, event(result=training_pb2.TrainResult(name="cat"))),
]


class StandIn(dti_service_pb2_grpc.DtiServiceServicer, job_service_pb2_grpc.JobServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    """Gives EVENTS; the first `cuts` connections are cut after so many events, or after five by what is called then. Wants `token`, if there is one."""

    def __init__(self, cuts=(), token=None):
        self.cuts = list(cuts)
        self.token = token
        self.calls = []

    def Train(self, request, context):
        self.calls.append("Train")
        yield from self._events(0, context)

    def Watch(self, request, context):
        self.calls.append("Watch")
        for answer in self._events(request.from_step, context):
            yield job_service_pb2.JobServiceWatchResponse(event=answer)

    def Get(self, request, context):
        return job_service_pb2.JobServiceGetResponse(job=job_service_pb2.Job(job_id=request.job_id, state=job_service_pb2.JOB_STATE_RUNNING))

    def Cancel(self, request, context):
        self.calls.append("Cancel")
        return job_service_pb2.JobServiceCancelResponse(job=job_service_pb2.Job(job_id=request.job_id, state=job_service_pb2.JOB_STATE_CANCELLED))

    def Generate(self, request, context):
        yield dti_service_pb2.GenerateResponse(accepted=generation_pb2.GenerateAccepted(job_id="job"))
        context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    def List(self, request, context):
        if self.token and ("authorization", f"Bearer {self.token}") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "The token is not known here.")
        return model_service_pb2.ModelServiceListResponse(models=[model_service_pb2.Model(name="stand-in")])

    def _events(self, from_step, context):
        cut = self.cuts.pop(0) if self.cuts else None
        if callable(cut):
            yield from (answer for _, answer in EVENTS[:5])
            cut()
            context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        for i, (step, answer) in enumerate(answer for answer in EVENTS if answer[0] == 0 or answer[0] >= from_step):
            if i == cut:
                context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
            yield answer


@contextlib.contextmanager
def serving(stand_in, credentials=None):
    """The port of a stand-in that runs."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    dti_service_pb2_grpc.add_DtiServiceServicer_to_server(stand_in, server)
    job_service_pb2_grpc.add_JobServiceServicer_to_server(stand_in, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(stand_in, server)
    port = server.add_secure_port("localhost:0", credentials) if credentials else server.add_insecure_port("localhost:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


class Gate:
    """A port before a server. Closed, it drops what was connected, takes new connections, and says nothing on them, also when it is open again."""

    def __init__(self, server_port):
        self._server = ("127.0.0.1", server_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = threading.Event()
        self._open.set()
        self._sockets = []
        self.port = self._listener.getsockname()[1]
        self.silent_connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self):
        self._open.set()

    def close(self):
        self._open.clear()
        for connected in self._sockets:
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        self._listener.close()

    def _accept(self):
        held = []
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._open.is_set():
                held.append(client)
                self.silent_connections += 1
                continue
            server = socket.create_connection(self._server)
            self._sockets += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    @staticmethod
    def _pass_on(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
