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
DECLARED = ["gradient_accumulation", "start"]
"""Settings whose inputs follow from the contract alone, in the order in which they came."""


class DtiTrainConcept(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiTrainConcept", display_name="DTI Train Concept", category=CATEGORY, is_output_node=True, hidden=[io.Hidden.unique_id],
            description="Trains a concept on a few photos. The same photos and settings are never trained twice, also after a restart of ComfyUI or of the server. "
                        "Other photos, other settings or another seed retrain the concept under its name; the replaced concept is kept as an earlier "
                        "version, which DTI Load Concept can load.",
            inputs=[
                io.Image.Input("images", optional=True, tooltip="1 to 50 photos of the subject, as one batch; 3 to 6 are usual."),
                io.String.Input("name", default="my-concept", tooltip="Name of the concept: letters, digits, - and _. Prompts use it as <name>."),
                io.Combo.Input("kind", options=["object", "style"], default="object", tooltip="What the photos show: a subject (object), or a style."),
                io.String.Input("initializer", default="",
                                tooltip="A word or phrase for the subject, such as cat, from which training starts. Empty: object, or painting for styles."),
                io.Int.Input("steps", default=0, min=0, max=100_000, tooltip="Training steps. 0: the default of the model."),
                inputs.seed("Seed of all random numbers. Another seed retrains the concept.", False),
                advanced(inputs.model()),
                advanced(io.Combo.Input("method", options=list(get_args(records.TrainingMethod)), default="dti",
                                        tooltip="dti: trains the direction of the embedding and keeps its norm. The others are baselines to compare with.")),
                advanced(io.Int.Input("num_vectors", default=0, min=0, max=32, tooltip="Number of vectors, and of tokens in a prompt. 0: as many as the initializer has tokens.")),
                advanced(io.Int.Input("batch_size", default=0, min=0, max=64, tooltip="Photos in each step. A larger batch has less noise in the gradient and takes longer. 0: the default of the model.")),
                advanced(io.Float.Input("learning_rate", default=0.0, min=0, max=1, step=0.0001, round=0.000001,
                                        tooltip="Learning rate η; with dti, of the direction on the unit sphere. 0: the default of the model and the method.")),
                advanced(io.Float.Input("kappa", default=-1.0, min=-1, max=10, step=0.0001, round=0.000001,
                                        tooltip="Concentration κ of the prior: how strongly the direction is held to the initializer's. -1: the default of the model. dti only.")),
                advanced(io.Float.Input("beta", default=-1.0, min=-1, max=0.9999, step=0.01, round=0.0001,
                                        tooltip="Decay β of the moving average of the gradient's norm. 0: every step has the same length. -1: the default. dti only.")),
                advanced(io.Int.Input("resolution", default=0, min=0, max=2048, step=8, tooltip="Side of the square crops in pixels. 0: the resolution of the model.")),
                advanced(io.Boolean.Input("center_crop", default=False, tooltip="Crops the centre of the photos instead of a random place.")),
                advanced(io.Boolean.Input("random_flip", default=False, tooltip="Mirrors half of the crops. Not for subjects whose left and right differ.")),
                advanced(io.Int.Input("preview_every", default=-1, min=-1, max=100_000, tooltip="Steps between two previews. 0: no previews. -1: the server's default.")),
                advanced(io.String.Input("preview_prompt", default="", dynamic_prompts=False,
                                         tooltip="Prompt of the previews; {concept} stands for the concept. Empty: a prompt for the kind.")),
                advanced(io.Boolean.Input("overwrite", default=False, tooltip="Has no effect any more: a concept that is retrained is always replaced, and kept as an earlier version. It is here for workflows that were saved with it.")),
                inputs.server(),
                io.Mask.Input("masks", optional=True,
                              tooltip="One mask for each photo, or one for all; only white areas are trained on. Unconnected or all black: the whole photo."),
                # Later inputs are optional and come last, so that workflows saved before them load as they are.
                io.Combo.Input("preset", options=[OWN, *get_args(records.TrainingPreset)], default=OWN, optional=True,
                               tooltip="balanced: the model's default number of steps. fast: half of it. faithful: twice, for the highest subject similarity. A preset "
                                       "overrides steps, learning_rate and kappa. (own settings): no preset."),
                io.Float.Input("obedience", default=0.5, min=0, max=1, step=0.05, round=0.01, optional=True, display_mode=io.NumberDisplay.slider,
                               tooltip="With a preset: from similarity to the photos (0) to following the rest of long prompts (1). dti only."),
                io.Boolean.Input("stop_early", default=False, optional=True,
                                 tooltip="Measures the concept every few steps, stops when it no longer improves, and keeps the best step."),
                *(inputs.declared(name) for name in DECLARED),
                DtiPhotos.Input("photos", optional=True, tooltip="Photos of any sizes, with masks and captions, from DTI Load Photos. Can be connected in addition to images, or alone."),
            ],
            outputs=[
                DtiConcept.Output("concept", display_name="concept"),
                io.Image.Output("loss_curve", display_name="loss curve", tooltip="The loss of each step, and its moving average."),
                io.String.Output("embedding_name", display_name="embedding name", tooltip="The text for prompts after DTI Save Embedding has saved the concept: embedding:name. Connect the output of that node "
                                         "instead, so that the prompt waits for the file."),
                io.String.Output("settings", display_name="settings", tooltip="The settings of the training, with all defaults filled in."),
            ])

    @classmethod
    def validate_inputs(cls, model) -> bool:
        return True  # the server knows which models there are

    @classmethod
    def execute(
        cls, name: str, kind: str, initializer: str, steps: int, seed: int, model: str, method: str, num_vectors: int, batch_size: int,
        learning_rate: float, kappa: float, beta: float, resolution: int, center_crop: bool, random_flip: bool, preview_every: int,
        preview_prompt: str, overwrite: bool, images=None, masks=None, server: Server | None = None, preset: str = OWN, obedience: float = 0.5,
        stop_early: bool = False, photos: Sequence[TrainingPhoto] = (), **declared,
    ) -> io.NodeOutput:
        server = use(server)
        client, batch = server.client(), [encode_png(picture) for picture in tensors.pictures(images)] if images is not None else []
        photos = [*(TrainingPhoto(photo, mask) for photo, mask in zip(batch, tensors.masks(masks, len(batch)))), *photos]
        if not photos:
            raise invalid("images", "There are no photos to train on: connect images (Load Image), or photos (DTI Load Photos).")
        dti = method == "dti"
        options = records.TrainingOptions(
            model=asked(model), kind=kind, initializer=asked(initializer.strip()), num_vectors=asked(num_vectors), batch_size=asked(batch_size),
            beta=asked_from_zero(beta) if dti else None, resolution=asked(resolution), center_crop=asked(center_crop), random_flip=asked(random_flip), seed=seed,
            preview_every=asked_from_zero(preview_every), preview_prompts=(preview_prompt,) if preview_prompt.strip() else (), method=method,
            stop_early=asked(stop_early), **{name: value for name, value in declared.items() if value != inputs.default(name)})
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
                    show(waiting_text(update, "the training is not lost"), cls.hidden.unique_id)
                else:
                    warn(update)
        embedding = client.load_embedding(name)
        lists.expire()
        about = spell(resolved or client.get_concept(name).settings)
        show(f"{about}{replaced(name, before, versions(client, name))}", cls.hidden.unique_id)
        return io.NodeOutput(Concept(embedding, server), tensors.image_batch([loss_curve(losses, averages)]), f"embedding:{name}", about)


def spell(settings: records.TrainingSettings) -> str:
    """The settings of a training, in a line or two."""
    own = f"η {settings.learning_rate:g}" + (f", κ {settings.kappa:g}, β {settings.beta:g}" if settings.method == "dti" else "")
    start = (f"from concept {settings.start_concept}" if settings.start_concept
             else "from the photos" if settings.start == "photos" else f"from '{settings.initializer}'")
    batch = f"{settings.batch_size}" + (f" × {settings.gradient_accumulation}" if settings.gradient_accumulation > 1 else "")
    return (f"{settings.method} on {settings.model}: {settings.steps} steps of {batch} at {settings.resolution}², {own}, "
            f"{settings.num_vectors} vector(s) {start}, seed {settings.seed}")


def replaced(name: str, before: list[str], after: list[str]) -> str:
    """What a node shows where the concept replaced another one."""
    if not after or after[:1] == before[:1]:
        return ""
    return f"\n<{name}> was retrained. The replaced concept is kept as an earlier version: DTI Load Concept loads it with earlier = 1, and  dti concepts restore {name}  makes it the current one."
