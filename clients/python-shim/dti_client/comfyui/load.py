"""DTI Load Concept."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from ..errors import DtiError
from .inputs import CATEGORY, DtiConcept, advanced, server
from .lists import concept_names
from .values import Concept, Server, recent, use


class DtiLoadConcept(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiLoadConcept", display_name="DTI Load Concept", category=CATEGORY,
            description="Loads a concept of the server's library.",
            inputs=[
                io.Combo.Input("name", options=concept_names(),
                               tooltip="Name of the concept. The list is that of the server that was last used. Press R to read it again."),
                server(),
                advanced(io.Int.Input("earlier", default=0, min=0, max=5, optional=True,
                                      tooltip="0: the current version. 1: the version before the concept was last retrained or replaced. 2: the one before that, and so on.")),
            ],
            outputs=[
                DtiConcept.Output("concept", display_name="concept"),
                io.String.Output("placeholder", display_name="placeholder", tooltip="The text for the prompts of the other DTI nodes: <name>."),
            ])

    @classmethod
    def validate_inputs(cls, name: str) -> bool | str:
        return name[1:-1] if name.startswith("(") else True if name else "Choose a concept; while the server is away, the list is empty."

    @classmethod
    def fingerprint_inputs(cls, name: str, server: Server | None = None, earlier: int = 0) -> str:
        try:
            return f"{recent().client().get_concept(name, timeout=3).created} {earlier}"  # a concept that was retrained is loaded again
        except DtiError:
            return ""

    @classmethod
    def execute(cls, name: str, server: Server | None = None, earlier: int = 0) -> io.NodeOutput:
        server = use(server)
        client = server.client()
        if earlier:
            versions = client.list_versions(name, timeout=60)
            if earlier > len(versions):
                raise DtiError(f"<{name}> has {len(versions)} earlier versions on the server; earlier asks for number {earlier}.", "NOT_FOUND")
            concept = Concept(client.load_embedding(name, versions[earlier - 1].version, timeout=60), None)  # the library has another version under this name
        else:
            concept = Concept(client.load_embedding(name, timeout=60), server)
        return io.NodeOutput(concept, concept.placeholder)
