"""DTI Load Concept."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from ..errors import DtiError
from .inputs import CATEGORY, DtiConcept, server
from .lists import concept_names
from .values import Concept, Server, recent, use


class DtiLoadConcept(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiLoadConcept", display_name="DTI Load Concept", category=CATEGORY,
            description="A concept from the server's library.",
            inputs=[
                io.Combo.Input("name", options=concept_names(),
                               tooltip="The concept's name. The list is that of the server that was last used; press R to read it again."),
                server(),
            ],
            outputs=[
                DtiConcept.Output("concept", display_name="concept"),
                io.String.Output("placeholder", display_name="placeholder", tooltip="What stands for it in the prompts of the other Dti nodes: <name>."),
            ])

    @classmethod
    def validate_inputs(cls, name: str) -> bool | str:
        return name[1:-1] if name.startswith("(") else True if name else "Choose a concept; while the server is away, the list is empty."

    @classmethod
    def fingerprint_inputs(cls, name: str, server: Server | None = None) -> str:
        try:
            return str(recent().client().get_concept(name, timeout=3).created)  # a concept that was learnt anew is loaded anew
        except DtiError:
            return ""

    @classmethod
    def execute(cls, name: str, server: Server | None = None) -> io.NodeOutput:
        server = use(server)
        concept = Concept(server.client().load_embedding(name, timeout=60), server)
        return io.NodeOutput(concept, concept.placeholder)
