"""A server of a few lines, where a test needs one that misbehaves, or one that wants a token or TLS."""

import concurrent.futures
import contextlib
import io
import socket
import threading
import time

import grpc
from PIL import Image

from dti_client._proto import (
    common_pb2, dti_service_pb2, dti_service_pb2_grpc, generation_pb2, job_service_pb2, job_service_pb2_grpc, model_service_pb2,
    model_service_pb2_grpc, training_pb2)


def event(**event):
    return dti_service_pb2.TrainResponse(**event)


# Each step's event with the step; 0: every reader gets it.
EVENTS = [
    (0, event(accepted=training_pb2.TrainAccepted(job_id="job", name="cat", settings=training_pb2.TrainingSettings(model="mini")))),
    (0, event(queued=common_pb2.Queued(position=1))),
    (0, event(queued=common_pb2.Queued(position=0))),
    (0, event(warning=common_pb2.Warning(code="INITIALIZER_SPLIT", message="Two tokens."))),
    (1, event(progress=training_pb2.TrainProgress(step=1, total_steps=2))),
    (1, event(preview=training_pb2.TrainPreview(step=1, picture=common_pb2.Picture(index=0)))),
    (1, event(preview=training_pb2.TrainPreview(step=1, picture=common_pb2.Picture(index=1)))),
    (2, event(progress=training_pb2.TrainProgress(step=2, total_steps=2))),
    (0, event(result=training_pb2.TrainResult(name="cat"))),
]


def generate(**event):
    return dti_service_pb2.GenerateResponse(**event)


def picture(index):
    """A small image, the lighter the later."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (100 * index,) * 3).save(file, "PNG")
    return common_pb2.Picture(index=index, data=file.getvalue(), media_type="image/png", width=8, height=8)


# Those of a generation of two images, after the first one, which has the job's id.
IMAGES = [
    generate(queued=common_pb2.Queued(position=0)),
    generate(warning=common_pb2.Warning(code="PROMPT_TOO_LONG", message="The prompt is cut.")),
    generate(progress=generation_pb2.SamplingProgress(step=1, total_steps=2)),
    generate(picture=picture(0)),
    generate(progress=generation_pb2.SamplingProgress(step=2, total_steps=2)),
    generate(picture=picture(1)),
    generate(result=generation_pb2.GenerateResult(pictures=2)),
]


class StandIn(dti_service_pb2_grpc.DtiServiceServicer, job_service_pb2_grpc.JobServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    """Gives EVENTS or IMAGES; the first `cuts` connections are cut after so many events, or after five by what is called then. Wants `token`, if there
    is one. A generation whose caller is gone is cancelled, unless the server `continues` it, as one that was restarted does."""

    def __init__(self, cuts=(), token=None, continues=False):
        self.cuts = list(cuts)
        self.token = token
        self.continues = continues
        self.calls = []
        self.cancelled = []
        self.generations = []
        """The options of each request for images; the job of the first one is `draw-1`."""

    def Train(self, request, context):
        self.calls.append("Train")
        yield from self._events(0, context)

    def Watch(self, request, context):
        self.calls.append("Watch")
        if request.job_id.startswith("draw-"):
            if not self.continues:
                context.abort(grpc.StatusCode.CANCELLED, f"Job {request.job_id} was cancelled.")
            for answer in self._images(request.job_id, context):
                yield job_service_pb2.JobServiceWatchResponse(generate=answer)
            return
        for answer in self._events(request.from_step, context):
            yield job_service_pb2.JobServiceWatchResponse(event=answer)

    def Get(self, request, context):
        return job_service_pb2.JobServiceGetResponse(job=job_service_pb2.Job(job_id=request.job_id, state=job_service_pb2.JOB_STATE_RUNNING))

    def Cancel(self, request, context):
        self.calls.append("Cancel")
        self.cancelled.append(request.job_id)
        return job_service_pb2.JobServiceCancelResponse(job=job_service_pb2.Job(job_id=request.job_id, state=job_service_pb2.JOB_STATE_CANCELLED))

    def Generate(self, request, context):
        self.calls.append("Generate")
        self.generations.append(request.options)
        yield from self._images(f"draw-{len(self.generations)}", context)

    def List(self, request, context):
        if self.token and ("authorization", f"Bearer {self.token}") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "The token is not known here.")
        return model_service_pb2.ModelServiceListResponse(models=[model_service_pb2.Model(name="stand-in")])

    def _events(self, from_step, context):
        return self._cut([answer for step, answer in EVENTS if step == 0 or step >= from_step], context)

    def _images(self, job_id, context):
        settings = generation_pb2.GenerationSettings(model="mini", seed=7, num_images=2)
        return self._cut([generate(accepted=generation_pb2.GenerateAccepted(job_id=job_id, settings=settings)), *IMAGES], context)

    def _cut(self, answers, context):
        cut = self.cuts.pop(0) if self.cuts else None
        for i, answer in enumerate(answers):
            if i == (5 if callable(cut) else cut):
                if callable(cut):
                    time.sleep(1)  # what was sent is on its way through the gate
                    cut()
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
