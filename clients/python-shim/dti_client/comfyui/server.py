"""DTI Server."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from .inputs import CATEGORY, DtiServer, advanced
from .running import show
from .values import Server, use


class DtiServerNode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiServer", display_name="DTI Server", category=CATEGORY, is_output_node=True, hidden=[io.Hidden.unique_id],
            description="Connects the other DTI nodes to a Dti server, and shows its version, device and models.",
            inputs=[
                io.String.Input("address", default="", placeholder="http://localhost:5171",
                                tooltip="http://host:port or https://host. Empty: the environment variable DTI_SERVER, else http://localhost:5171."),
                io.String.Input("token", default="",
                                tooltip="Leave it empty to use the environment variable DTI_TOKEN. A token written here is saved in workflows, and in the images "
                                        "that contain them."),
                advanced(io.String.Input("ca_certificate", default="",
                                         tooltip="For https with a self-signed certificate: the PEM file of the certificate authority.")),
            ],
            outputs=[
                DtiServer.Output("server_out", display_name="server", tooltip="For the other DTI nodes."),
                io.String.Output("info", display_name="info", tooltip="The address, version, device and models."),
            ])

    @classmethod
    def execute(cls, address: str, token: str, ca_certificate: str) -> io.NodeOutput:
        server = use(Server(address.strip(), token.strip(), ca_certificate.strip()))
        client = server.client()
        about, models = client.get_server(timeout=10), client.list_models(timeout=10)
        usable = [model.name + (" (default)" if model.is_default else "") for model in models if not model.problem]
        you = [f"You are {about.caller}, for {', '.join(about.scopes)}"] if about.caller not in ("", "local") else []
        info = "\n".join([
            f"{client.address}: Dti {about.version} on {about.device} in {about.dtype}", *you,
            f"Models: {', '.join(usable) or 'none that is usable'}",
            *(f"{model.name}: {model.problem}" for model in models if model.problem)])
        show(info, cls.hidden.unique_id)
        return io.NodeOutput(server, info)
