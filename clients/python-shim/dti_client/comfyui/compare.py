"""DTI Compare Concepts."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from ..errors import invalid
from ..records import GenerationOptions
from . import inputs, tensors
from .grid import grid
from .inputs import CATEGORY, DtiConcept, asked
from .lists import DEFAULT
from .prompts import replace_concepts
from .running import generate_images
from .values import Concept, Server, names_on, use

_MOST_IMAGES = 256


class DtiCompareConcepts(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiCompareConcepts", display_name="DTI Compare Concepts", category=CATEGORY, hidden=[io.Hidden.unique_id],
            description="Generates a grid of prompts, concepts and seeds as one image, with a model of the Dti server: a row for each prompt, and a column for each "
                        "concept and seed.",
            inputs=[
                io.String.Input("prompts", default="a photo of {concept}\na photo of {concept} in the snow", multiline=True, dynamic_prompts=False,
                                tooltip="One prompt a line; {concept} stands for the concept of the column."),
                io.Int.Input("seeds", default=2, min=1, max=16, tooltip="Number of seeds, counted up from seed. Each concept has as many columns."),
                *inputs.sampling(),
                inputs.model(optional=True),
                *(DtiConcept.Input(f"concept_{i}", optional=True, tooltip="A concept to compare.") for i in (1, 2, 3, 4)),
                inputs.server(),
            ],
            outputs=[io.Image.Output("grid", display_name="grid"), io.Image.Output("images", display_name="images", tooltip="The images alone, row by row.")])

    @classmethod
    def validate_inputs(cls, model: str = DEFAULT, scheduler: str = "normal") -> bool | str:
        return inputs.validate_scheduler(scheduler)  # the server knows which models there are

    @classmethod
    def execute(
        cls, prompts: str, seeds: int, seed: int = 0, steps: int = 0, guidance_scale: float = 0, sampler_name: str = DEFAULT, scheduler: str = "normal",
        width: int = 0, height: int = 0, model: str = DEFAULT, concept_1: Concept | None = None, concept_2: Concept | None = None,
        concept_3: Concept | None = None, concept_4: Concept | None = None, server: Server | None = None,
    ) -> io.NodeOutput:
        server, lines = use(server), [line.strip() for line in prompts.splitlines() if line.strip()]
        concepts = [given for given in (concept_1, concept_2, concept_3, concept_4) if given is not None]
        if not concepts:
            raise invalid("concept_1", "No concept is connected; connect one to four to compare.")
        if not lines:
            raise invalid("prompts", "There is no prompt; write one a line.")
        if (count := len(lines) * len(concepts) * seeds) > _MOST_IMAGES:
            raise invalid("seeds", f"{len(lines)} prompts, {len(concepts)} concepts and {seeds} seeds are {count} images; at most {_MOST_IMAGES} are generated at once.")
        client, rows = server.client(), []
        with names_on(server, concepts) as names:
            for line in lines:
                rows.append([])
                for concept, name in zip(concepts, names):
                    for number in _numbers(seed, seeds):
                        options = GenerationOptions(
                            prompt=replace_concepts(line, [concept], lambda _: concept.weighted(f"<{name}>")), model=asked(model), width=asked(width),
                            height=asked(height), steps=asked(steps), guidance_scale=asked(guidance_scale), scheduler=inputs.sampler(sampler_name, scheduler),
                            seed=number, preview_every=1)
                        rows[-1] += [image.pil() for image in generate_images(client, client.generate(options), cls.hidden.unique_id)]
        columns = [f"{concept.placeholder}, seed {number}" for concept in concepts for number in _numbers(seed, seeds)]
        return io.NodeOutput(tensors.image_batch([grid(rows, lines, columns)]), tensors.image_batch(tensors.array(image) for row in rows for image in row))


def _numbers(first: int, count: int) -> list[int]:
    """So many seeds from the first on."""
    return [(first + i) % 2**64 for i in range(count)]
