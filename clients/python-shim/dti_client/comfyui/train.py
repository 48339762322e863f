"""DTI Train Concept."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import get_args

import comfy.utils
from comfy_api.v0_0_2 import io

from .. import records
from ..pictures import TrainingPhoto, encode_png
from . import inputs, lists, tensors
from .chart import loss_curve
from .inputs import CATEGORY, DtiConcept, advanced, asked
from .running import interruptible, preview, show, warn
from .trainings import request_id
from .values import Concept, Server, use


OWN = "(own settings)"


class DtiTrainConcept(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DtiTrainConcept", display_name="DTI Train Concept", category=CATEGORY, is_output_node=True, hidden=[io.Hidden.unique_id],
            description="Learns a concept from a few photos. The same photos and settings are never trained twice, and a training that goes on "
                        "while ComfyUI is restarted is found again. To train anew, change the seed.",
            inputs=[
                io.Image.Input("images", tooltip="1 to 50 photos of the thing, as one batch; 3 to 6 are usual."),
                io.String.Input("name", default="my-concept", tooltip="Letters, digits, - and _. Prompts use the concept as <name>."),
                io.Combo.Input("kind", options=["object", "style"], default="object", tooltip="What the photos show: a thing, or a style."),
                io.String.Input("initializer", default="",
                                tooltip="A word or phrase for what it is, such as cat: where learning starts. Empty: object, or painting for styles."),
                io.Int.Input("steps", default=500, min=1, max=100_000, tooltip="Optimiser steps."),
                inputs.seed("Seed of every random choice. Another seed trains again.", False),
                advanced(inputs.model()),
                advanced(io.Combo.Input("method", options=list(get_args(records.TrainingMethod)), default="dti",
                                        tooltip="dti: learn the direction, keep the length. The others are ways to do without, to compare with.")),
                advanced(io.Int.Input("num_vectors", default=0, min=0, max=32, tooltip="Tokens that the concept takes in a prompt. 0: as many as the initializer.")),
                advanced(io.Int.Input("batch_size", default=4, min=1, max=64, tooltip="Photos a step.")),
                advanced(io.Float.Input("learning_rate", default=0.0, min=0, max=1, step=0.0001, round=0.000001,
                                        tooltip="Length of a step on the sphere. 0: the default, 0.01 for dti and 0.005 for the others.")),
                advanced(io.Float.Input("kappa", default=0.0001, min=0, max=10, step=0.0001, round=0.000001,
                                        tooltip="How strongly the direction is held to the initializer's. dti only.")),
                advanced(io.Float.Input("beta", default=0.0, min=0, max=0.9999, step=0.01, round=0.0001,
                                        tooltip="Memory of the gradient's norm. 0: each step has the same length. dti only.")),
                advanced(io.Int.Input("resolution", default=0, min=0, max=2048, step=8, tooltip="Side of the square crops, 64 to 2048. 0: what the model was made for.")),
                advanced(io.Boolean.Input("center_crop", default=False, tooltip="Crop the centre instead of a random place.")),
                advanced(io.Boolean.Input("random_flip", default=False, tooltip="Mirror half of the crops; not for things with a left and a right.")),
                advanced(io.Int.Input("preview_every", default=100, min=0, max=100_000, tooltip="Draw a preview every so many steps. 0: never.")),
                advanced(io.String.Input("preview_prompt", default="", dynamic_prompts=False,
                                         tooltip="Prompt of the previews; {concept} stands for the concept. Empty: one that suits the kind.")),
                advanced(io.Boolean.Input("overwrite", default=False, tooltip="Replace a concept of the same name in the server's library.")),
                inputs.server(),
                io.Mask.Input("masks", optional=True,
                              tooltip="One for each photo, or one for all: only what is white is learnt. Leave empty to learn from all of each photo."),
                # Later inputs are optional and come last, so that workflows saved before them load as they are.
                io.Combo.Input("preset", options=[OWN, *get_args(records.TrainingPreset)], default=OWN, optional=True,
                               tooltip="fast: half of the steps that suit the model; balanced: as many; faithful: twice, as like the photos as it gets. A preset "
                                       "goes before steps, learning_rate and kappa. (own settings): those count."),
                io.Float.Input("obedience", default=0.5, min=0, max=1, step=0.05, round=0.01, optional=True, display_mode=io.NumberDisplay.slider,
                               tooltip="With a preset: from likeness to the photos (0) to obedience to the rest of long prompts (1). dti only."),
                io.Boolean.Input("stop_early", default=False, optional=True,
                                 tooltip="Stop where nothing more is learnt, and keep the best. Every 25 steps the concept is measured without chance."),
                advanced(io.Int.Input("gradient_accumulation", default=1, min=1, max=64, optional=True,
                                      tooltip="Batches averaged into one step: as many times the photos, in the memory of one batch.")),
            ],
            outputs=[
                DtiConcept.Output("concept", display_name="concept"),
                io.Image.Output("loss_curve", display_name="loss curve", tooltip="The loss of each step, and its moving average."),
                io.String.Output("embedding_name", display_name="embedding name", tooltip="What prompts write once DTI Save Embedding has saved it: embedding:name."),
            ])

    @classmethod
    def validate_inputs(cls, model) -> bool:
        return True  # the server knows which models there are

    @classmethod
    def execute(
        cls, images, name: str, kind: str, initializer: str, steps: int, seed: int, model: str, method: str, num_vectors: int, batch_size: int,
        learning_rate: float, kappa: float, beta: float, resolution: int, center_crop: bool, random_flip: bool, preview_every: int,
        preview_prompt: str, overwrite: bool, masks=None, server: Server | None = None, preset: str = OWN, obedience: float = 0.5,
        stop_early: bool = False, gradient_accumulation: int = 1,
    ) -> io.NodeOutput:
        server = use(server)
        client, photos = server.client(), [encode_png(picture) for picture in tensors.pictures(images)]
        photos = [TrainingPhoto(photo, mask) for photo, mask in zip(photos, tensors.masks(masks, len(photos)))]
        options = records.TrainingOptions(
            model=asked(model), kind=kind, initializer=asked(initializer.strip()), num_vectors=asked(num_vectors), batch_size=batch_size,
            beta=beta if method == "dti" else None,
            resolution=asked(resolution), center_crop=center_crop, random_flip=random_flip, seed=seed, preview_every=preview_every,
            preview_prompts=(preview_prompt,) if preview_prompt.strip() else (), method=method,
            stop_early=asked(stop_early), gradient_accumulation=gradient_accumulation if gradient_accumulation > 1 else None)
        if preset == OWN:
            options = dataclasses.replace(options, steps=steps, learning_rate=asked(learning_rate), kappa=kappa if method == "dti" else None)
        else:
            options = dataclasses.replace(options, preset=preset, obedience=obedience if method == "dti" else None)
        request = request_id(client, name, photos, options, overwrite)
        updates = client.train(name, photos, options, request_id=request, overwrite=overwrite) if request else iter(())
        losses, averages, bar = [], [], comfy.utils.ProgressBar(steps)
        with contextlib.closing(interruptible(client, updates)) as seen:
            for update in seen:
                if isinstance(update, records.TrainingProgress):
                    losses.append(update.loss)
                    averages.append(update.loss_average)
                    bar.update_absolute(update.step, update.total_steps)
                    show(f"step {update.step} of {update.total_steps}, loss {update.loss_average:.4f}, {update.time_left or 0:.0f} s left", cls.hidden.unique_id)
                elif isinstance(update, records.TrainingPreview):
                    bar.update_absolute(update.step, preview=preview(update.picture))
                else:
                    warn(update)
        embedding = client.load_embedding(name)
        lists.expire()
        return io.NodeOutput(Concept(embedding, server), tensors.image_batch([loss_curve(losses, averages)]), f"embedding:{name}")
