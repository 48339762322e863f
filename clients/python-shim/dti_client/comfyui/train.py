"""DTI Train Concept."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import get_args

import comfy.utils
from comfy_api.v0_0_2 import io

from .. import records
from ..errors import invalid
from ..pictures import TrainingPhoto, encode_png
from . import inputs, lists, tensors
from .chart import loss_curve
from .inputs import CATEGORY, DtiConcept, DtiPhotos, advanced, asked, asked_from_zero
from .running import interruptible, preview, show, waiting_text, warn
from .trainings import training, versions
from .values import Concept, Server, use


OWN = "(own settings)"


class DtiTrainConcept(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiTrainConcept", display_name="DTI Train Concept", category=CATEGORY, is_output_node=True, hidden=[io.Hidden.unique_id],
            description="Learns a concept from a few photos. The same photos and settings are never trained twice, and a training that goes on "
                        "while ComfyUI is restarted is found again. With other photos, settings or another seed, the concept is trained anew; what it was "
                        "is kept as an earlier version, which DTI Load Concept can load.",
            inputs=[
                io.Image.Input("images", optional=True, tooltip="1 to 50 photos of the thing, as one batch; 3 to 6 are usual."),
                io.String.Input("name", default="my-concept", tooltip="Letters, digits, - and _. Prompts use the concept as <name>."),
                io.Combo.Input("kind", options=["object", "style"], default="object", tooltip="What the photos show: a thing, or a style."),
                io.String.Input("initializer", default="",
                                tooltip="A word or phrase for what it is, such as cat: where learning starts. Empty: object, or painting for styles."),
                io.Int.Input("steps", default=0, min=0, max=100_000, tooltip="Optimiser steps. 0: as many as suit the model."),
                inputs.seed("Seed of every random choice. Another seed trains again.", False),
                advanced(inputs.model()),
                advanced(io.Combo.Input("method", options=list(get_args(records.TrainingMethod)), default="dti",
                                        tooltip="dti: learn the direction, keep the length. The others are ways to do without, to compare with.")),
                advanced(io.Int.Input("num_vectors", default=0, min=0, max=32, tooltip="Tokens that the concept takes in a prompt. 0: as many as the initializer.")),
                advanced(io.Int.Input("batch_size", default=0, min=0, max=64, tooltip="Photos in each step. More are steadier and slower. 0: the server's own.")),
                advanced(io.Float.Input("learning_rate", default=0.0, min=0, max=1, step=0.0001, round=0.000001,
                                        tooltip="Length of a step on the sphere. 0: what suits the model and the method.")),
                advanced(io.Float.Input("kappa", default=-1.0, min=-1, max=10, step=0.0001, round=0.000001,
                                        tooltip="How strongly the direction is held to the initializer's. -1: what suits the model. dti only.")),
                advanced(io.Float.Input("beta", default=-1.0, min=-1, max=0.9999, step=0.01, round=0.0001,
                                        tooltip="Memory of the gradient's norm. 0: each step has the same length. -1: the server's own. dti only.")),
                advanced(io.Int.Input("resolution", default=0, min=0, max=2048, step=8, tooltip="Side of the square crops in pixels, 64 to 2048. 0: the size that the model was made for.")),
                advanced(io.Boolean.Input("center_crop", default=False, tooltip="Crop the centre instead of a random place.")),
                advanced(io.Boolean.Input("random_flip", default=False, tooltip="Mirror half of the crops; not for things with a left and a right.")),
                advanced(io.Int.Input("preview_every", default=-1, min=-1, max=100_000, tooltip="Generate a preview every so many steps. 0: never. -1: the server's own.")),
                advanced(io.String.Input("preview_prompt", default="", dynamic_prompts=False,
                                         tooltip="Prompt of the previews; {concept} stands for the concept. Empty: one that suits the kind.")),
                advanced(io.Boolean.Input("overwrite", default=False, tooltip="No longer needed: a concept that is trained anew is replaced, and kept as an earlier version. Workflows that were saved with it load as they are.")),
                inputs.server(),
                io.Mask.Input("masks", optional=True,
                              tooltip="One for each photo, or one for all: only what is white is learnt. Unconnected, or without any white: all of each photo."),
                # Later inputs are optional and come last, so that workflows saved before them load as they are.
                io.Combo.Input("preset", options=[OWN, *get_args(records.TrainingPreset)], default=OWN, optional=True,
                               tooltip="fast: half of the steps that suit the model; balanced: as many; faithful: twice, as like the photos as it gets. A preset "
                                       "overrides steps, learning_rate and kappa. (own settings): those count."),
                io.Float.Input("obedience", default=0.5, min=0, max=1, step=0.05, round=0.01, optional=True, display_mode=io.NumberDisplay.slider,
                               tooltip="With a preset: from likeness to the photos (0) to obedience to the rest of long prompts (1). dti only."),
                io.Boolean.Input("stop_early", default=False, optional=True,
                                 tooltip="Stop where nothing more is learnt, and keep the best. The concept is measured every few steps for that."),
                advanced(io.Int.Input("gradient_accumulation", default=1, min=1, max=64, optional=True,
                                      tooltip="Batches averaged into one step: as many times the photos, in the memory of one batch.")),
                DtiPhotos.Input("photos", optional=True, tooltip="Photos of any sizes, with masks and captions, from DTI Load Photos; in addition to images or in their place."),
            ],
            outputs=[
                DtiConcept.Output("concept", display_name="concept"),
                io.Image.Output("loss_curve", display_name="loss curve", tooltip="The loss of each step, and its moving average."),
                io.String.Output("embedding_name", display_name="embedding name", tooltip="What prompts write once DTI Save Embedding has saved it: embedding:name. Connect that node's own output instead: a prompt "
                                         "then waits until the file is there."),
                io.String.Output("settings", display_name="settings", tooltip="What the server trained with: each default filled in."),
            ])

    @classmethod
    def validate_inputs(cls, model) -> bool:
        return True  # the server knows which models there are

    @classmethod
    def execute(
        cls, name: str, kind: str, initializer: str, steps: int, seed: int, model: str, method: str, num_vectors: int, batch_size: int,
        learning_rate: float, kappa: float, beta: float, resolution: int, center_crop: bool, random_flip: bool, preview_every: int,
        preview_prompt: str, overwrite: bool, images=None, masks=None, server: Server | None = None, preset: str = OWN, obedience: float = 0.5,
        stop_early: bool = False, gradient_accumulation: int = 1, photos: Sequence[TrainingPhoto] = (),
    ) -> io.NodeOutput:
        server = use(server)
        client, batch = server.client(), [encode_png(picture) for picture in tensors.pictures(images)] if images is not None else []
        photos = [*(TrainingPhoto(photo, mask) for photo, mask in zip(batch, tensors.masks(masks, len(batch)))), *photos]
        if not photos:
            raise invalid("images", "There are no photos to learn from: connect images (Load Image), or photos (DTI Load Photos).")
        dti = method == "dti"
        options = records.TrainingOptions(
            model=asked(model), kind=kind, initializer=asked(initializer.strip()), num_vectors=asked(num_vectors), batch_size=asked(batch_size),
            beta=asked_from_zero(beta) if dti else None, resolution=asked(resolution), center_crop=asked(center_crop), random_flip=asked(random_flip), seed=seed,
            preview_every=asked_from_zero(preview_every), preview_prompts=(preview_prompt,) if preview_prompt.strip() else (), method=method,
            stop_early=asked(stop_early), gradient_accumulation=gradient_accumulation if gradient_accumulation > 1 else None)
        if preset == OWN:
            options = dataclasses.replace(options, steps=asked(steps), learning_rate=asked(learning_rate), kappa=asked_from_zero(kappa) if dti else None)
        else:
            options = dataclasses.replace(options, preset=preset, obedience=obedience if dti else None)
        before = versions(client, name)
        losses, averages, bar, resolved = [], [], comfy.utils.ProgressBar(1), None
        with contextlib.closing(interruptible(client, training(client, name, photos, options))) as seen:
            for update in seen:
                if isinstance(update, records.TrainingAccepted):
                    resolved = update.settings
                    show(spell(resolved), cls.hidden.unique_id)
                elif isinstance(update, records.TrainingProgress):
                    losses.append(update.loss)
                    averages.append(update.loss_average)
                    bar.update_absolute(update.step, update.total_steps)
                    show(f"step {update.step} of {update.total_steps}, loss {update.loss_average:.4f}, {update.time_left or 0:.0f} s left\n{spell(resolved)}", cls.hidden.unique_id)
                elif isinstance(update, records.TrainingPreview):
                    bar.update_absolute(update.step, preview=preview(update.picture))
                elif isinstance(update, records.ConnectionLost):
                    show(waiting_text(update), cls.hidden.unique_id)
                else:
                    warn(update)
        embedding = client.load_embedding(name)
        lists.expire()
        about = spell(resolved or client.get_concept(name).settings)
        show(f"{about}{replaced(name, before, versions(client, name))}", cls.hidden.unique_id)
        return io.NodeOutput(Concept(embedding, server), tensors.image_batch([loss_curve(losses, averages)]), f"embedding:{name}", about)


def spell(settings: records.TrainingSettings) -> str:
    """What the server trains with, in a line or two."""
    own = f"η {settings.learning_rate:g}" + (f", κ {settings.kappa:g}, β {settings.beta:g}" if settings.method == "dti" else "")
    start = f"from concept {settings.start_concept}" if settings.start_concept else f"from '{settings.initializer}'"
    batch = f"{settings.batch_size}" + (f" × {settings.gradient_accumulation}" if settings.gradient_accumulation > 1 else "")
    return (f"{settings.method} on {settings.model}: {settings.steps} steps of {batch} at {settings.resolution}², {own}, "
            f"{settings.num_vectors} vector(s) {start}, seed {settings.seed}")


def replaced(name: str, before: list[str], after: list[str]) -> str:
    """What to say where the concept took the place of another."""
    if not after or after[:1] == before[:1]:
        return ""
    return f"\n<{name}> was trained anew. What it was is kept: DTI Load Concept loads it with earlier = 1, and  dti concepts restore {name}  brings it back."
