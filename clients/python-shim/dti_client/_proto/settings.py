"""Options and settings of trainings and generations. Made by generate.py from protos/; not to be edited.

Enumerations are words ("object", "dti", "mean", …); an option that is None takes its default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

ConceptKind = Literal["object", "style"]
Magnitude = Literal["mean", "min", "max", "value", "median", "initializer"]
TrainingMethod = Literal["dti", "ti", "ti_renormalized", "ti_rescaled", "ti_softly_renormalized", "cross_init"]
KappaSchedule = Literal["constant", "linear", "cosine"]
LearntEncoders = Literal["all", "first", "second"]
TrainingPreset = Literal["fast", "balanced", "faithful"]
LearningRateSchedule = Literal["constant", "linear", "cosine"]
TrainingStart = Literal["word", "photos"]
PictureFormat = Literal["png", "jpeg", "webp"]
PromptSyntax = Literal["weighted", "plain"]
LongPrompts = Literal["chunks", "cut"]


@dataclass(frozen=True)
class TrainingOptions:
    """The options of a training."""

    model: Annotated[str | None, "Name of the model (ModelService.List). Default: the server's default model."] = None
    kind: Annotated[ConceptKind | None, "What the photos show; it chooses the prompt templates. Default: object."] = None
    placeholder: Annotated[str | None, "What stands for the concept in prompts: <identifier>. Default: the concept's name in angle brackets."] = None
    initializer: Annotated[str | None, "Word or phrase whose token embeddings give the starting directions μ. Default: object, or painting for styles; none if training starts elsewhere."] = None
    num_vectors: Annotated[int | None, "Number of vectors. More than the initializer has tokens: the last one is repeated. From 1 to 32. Default: the number of tokens of the initializer."] = None
    steps: Annotated[int | None, "Optimiser steps. From 1 to 100,000. Default: what the model's folder says (dti.json), else 500."] = None
    batch_size: Annotated[int | None, "Photos of a batch. From 1 to 64. Default: 4."] = None
    learning_rate: Annotated[float | None, "Step length η on the sphere, or AdamW's learning rate. Used as given, never scaled by the batch size. Above 0 and at most 1. Default: what the model's folder says, else 0.01; 0.005 for the other methods."] = None
    kappa: Annotated[float | None, "κ, the strength of the von Mises–Fisher prior. From 0 to 10. Default: what the model's folder says, else 1e-4, for SANA 5e-5. For the method dti only."] = None
    beta: Annotated[float | None, "β of the second moment of the gradient's norm. 0: each step has length η. From 0 to below 1. Default: 0. For the method dti only."] = None
    magnitude: Annotated[Magnitude | None, "How the fixed magnitude m of the embedding is chosen. Default: mean."] = None
    magnitude_value: Annotated[float | None, "The magnitude, if magnitude is VALUE. Above 0 and at most 1000."] = None
    resolution: Annotated[int | None, "Side of the square crops in pixels. A multiple of 8 from 64 to 2048. Default: the model's own."] = None
    center_crop: Annotated[bool | None, "Crop the centre instead of a random place. Default: false."] = None
    random_flip: Annotated[bool | None, "Mirror half of the crops. Default: false."] = None
    seed: Annotated[int | None, "Seed of every random choice. Default: chosen by the server and shown."] = None
    preview_every: Annotated[int | None, "Generate previews every so many steps; 0: never. From 0 to 100,000. Default: 100."] = None
    preview_prompts: Annotated[tuple[str, ...], "Prompts of the previews, at most 8; {concept} stands for the concept. Default: one prompt by kind."] = ()
    preview_steps: Annotated[int | None, "Sampling steps of a preview. From 1 to 200. Default: 20."] = None
    dtype: Annotated[str | None, "auto, fp32, bf16 or fp16. Default: auto."] = None
    method: Annotated[TrainingMethod | None, "What is learnt, and how. Default: dti."] = None
    vae: Annotated[str | None, "Name of an autoencoder (ModelServiceListResponse.vaes) that takes the place of the model's own. Default: the model's own."] = None
    prediction_type: Annotated[str | None, "What the model predicts: epsilon or v_prediction. Default: what its config, its metadata or its weights say."] = None
    kappa_schedule: Annotated[KappaSchedule | None, "How κ goes over the run. Default: constant. For the method dti only."] = None
    regularization: Annotated[float | None, "λ of a penalty λ·mean((e − e₀)²) toward the start. Not for the method dti, which has kappa. From 0 to 1000. Default: 0."] = None
    snapshot_every: Annotated[int | None, "Keep a snapshot every so many steps, from which training can go on; 0: only the newest. From 0 to 100,000. Default: 100."] = None
    start_concept: Annotated[str | None, "Name of a concept in the library from whose vectors training starts, imported ones included. Its directions are μ too, unless an initializer is given. Default: the initializer."] = None
    templates: Annotated[tuple[str, ...], "Texts that the concept is trained with, at most 1,000; {concept} or {} says where it is named. Default: the templates of the kind."] = ()
    use_alpha: Annotated[bool | None, "A photo's opacity is its mask, where it has no other. Default: false."] = None
    text_encoders: Annotated[LearntEncoders | None, "Which text encoders learn, where the model has two. Default: all."] = None
    stop_early: Annotated[bool | None, "Stop before all steps are done where checks say that nothing more is learnt, and keep the concept of the best check. Default: false."] = None
    check_every: Annotated[int | None, "Measure the concept deterministically before the first step and every so many (TrainCheck); 0: never. From 0 to 100,000. Default: 0, or 25 to stop early."] = None
    preview_baseline: Annotated[bool | None, "Generate an image of each preview prompt before the first step too, with the initializer in the concept's place, or with the concept itself if it starts elsewhere. Default: false."] = None
    preset: Annotated[TrainingPreset | None, "A preset of several settings; settings that are given individually take precedence. fast: half of the model's steps. faithful: twice as many, for the highest subject similarity. Default: balanced."] = None
    obedience: Annotated[float | None, "From subject similarity (0) to obedience to long prompts (1). It sets κ from 0 over the model's usual one in the middle to ten times that; kappa takes precedence. From 0 to 1. Default: 0.5. For the method dti only."] = None
    gradient_accumulation: Annotated[int | None, "Batches whose gradients are averaged into one step. A step has batch_size times as many photos, in the memory of batch_size. The average goes into the step as one batch's gradient does, so κ and η mean the same. From 1 to 64. Default: 1."] = None
    learning_rate_schedule: Annotated[LearningRateSchedule | None, "How η goes over the run, as lr_scheduler in diffusers. The paper's is constant. Default: what the model's folder says, else constant."] = None
    start: Annotated[TrainingStart | None, "Where training starts if start_concept names no concept: at the initializer, or at the direction that the model's photo encoder predicts from the photos. That direction is μ too, unless an initializer is given. The method cross_init starts at a word only. Default: word; if no initializer is given, what the model's folder says for objects and the method dti."] = None


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training, with every default filled in."""

    model: Annotated[str, "Name of the model (ModelService.List). Default: the server's default model."]
    kind: Annotated[ConceptKind, "What the photos show; it chooses the prompt templates. Default: object."]
    placeholder: Annotated[str, "What stands for the concept in prompts: <identifier>. Default: the concept's name in angle brackets."]
    initializer: Annotated[str, "Word or phrase whose token embeddings give the starting directions μ. Default: object, or painting for styles; none if training starts elsewhere."]
    initializer_tokens: Annotated[tuple[str, ...], "The tokens that the initializer became; one vector starts from each."]
    num_vectors: Annotated[int, "Number of vectors. More than the initializer has tokens: the last one is repeated. From 1 to 32. Default: the number of tokens of the initializer."]
    steps: Annotated[int, "Optimiser steps. From 1 to 100,000. Default: what the model's folder says (dti.json), else 500."]
    batch_size: Annotated[int, "Photos of a batch. From 1 to 64. Default: 4."]
    learning_rate: Annotated[float, "Step length η on the sphere, or AdamW's learning rate. Used as given, never scaled by the batch size. Above 0 and at most 1. Default: what the model's folder says, else 0.01; 0.005 for the other methods."]
    kappa: Annotated[float, "κ, the strength of the von Mises–Fisher prior. From 0 to 10. Default: what the model's folder says, else 1e-4, for SANA 5e-5. For the method dti only."]
    beta: Annotated[float, "β of the second moment of the gradient's norm. 0: each step has length η. From 0 to below 1. Default: 0. For the method dti only."]
    magnitude: Annotated[Magnitude, "How the fixed magnitude m of the embedding is chosen. Default: mean."]
    magnitude_value: Annotated[float, "The magnitude m in use."]
    resolution: Annotated[int, "Side of the square crops in pixels. A multiple of 8 from 64 to 2048. Default: the model's own."]
    center_crop: Annotated[bool, "Crop the centre instead of a random place. Default: false."]
    random_flip: Annotated[bool, "Mirror half of the crops. Default: false."]
    seed: Annotated[int, "Seed of every random choice. Default: chosen by the server and shown."]
    preview_every: Annotated[int, "Generate previews every so many steps; 0: never. From 0 to 100,000. Default: 100."]
    preview_prompts: Annotated[tuple[str, ...], "Prompts of the previews, at most 8; {concept} stands for the concept. Default: one prompt by kind."]
    preview_steps: Annotated[int, "Sampling steps of a preview. From 1 to 200. Default: 20."]
    dtype: Annotated[str, "fp32, bf16 or fp16."]
    device: Annotated[str, "cpu, cuda:0, …"]
    method: Annotated[TrainingMethod, "What is learnt, and how. Default: dti."]
    magnitude_values: Annotated[tuple[float, ...], "The magnitude in use for each text encoder; magnitude_value is the first."]
    vae: Annotated[str, "Empty: the model's own."]
    prediction_type: Annotated[str, "epsilon or v_prediction."]
    kappa_schedule: Annotated[KappaSchedule, "How κ goes over the run. Default: constant. For the method dti only."]
    regularization: Annotated[float, "λ of a penalty λ·mean((e − e₀)²) toward the start. Not for the method dti, which has kappa. From 0 to 1000. Default: 0."]
    snapshot_every: Annotated[int, "Keep a snapshot every so many steps, from which training can go on; 0: only the newest. From 0 to 100,000. Default: 100."]
    start_concept: Annotated[str, "Empty: the initializer or the photos gave the start, as start says."]
    templates: Annotated[tuple[str, ...], "Own ones; empty: those of the kind."]
    use_alpha: Annotated[bool, "A photo's opacity is its mask, where it has no other. Default: false."]
    text_encoders: Annotated[LearntEncoders, "Which text encoders learn, where the model has two. Default: all."]
    stop_early: Annotated[bool, "Stop before all steps are done where checks say that nothing more is learnt, and keep the concept of the best check. Default: false."]
    check_every: Annotated[int, "Measure the concept deterministically before the first step and every so many (TrainCheck); 0: never. From 0 to 100,000. Default: 0, or 25 to stop early."]
    preview_baseline: Annotated[bool, "Generate an image of each preview prompt before the first step too, with the initializer in the concept's place, or with the concept itself if it starts elsewhere. Default: false."]
    gradient_accumulation: Annotated[int, "Batches whose gradients are averaged into one step. A step has batch_size times as many photos, in the memory of batch_size. The average goes into the step as one batch's gradient does, so κ and η mean the same. From 1 to 64. Default: 1."]
    learning_rate_schedule: Annotated[LearningRateSchedule, "How η goes over the run, as lr_scheduler in diffusers. The paper's is constant. Default: what the model's folder says, else constant."]
    start: Annotated[TrainingStart, "Where training starts if start_concept names no concept: at the initializer, or at the direction that the model's photo encoder predicts from the photos. That direction is μ too, unless an initializer is given. The method cross_init starts at a word only. Default: word; if no initializer is given, what the model's folder says for objects and the method dti."]


@dataclass(frozen=True)
class GenerationOptions:
    """The options of a generation."""

    prompt: Annotated[str, "The prompt; <name> or embedding:name stands for the concept of that name. Syntax of other tools that has no effect is read as words, with the warning PROMPT_SYNTAX_UNUSED: BREAK, AND, <lora:…>, [a:b:0.5], [word], __wildcards__, {a|b}."] = ""
    negative_prompt: Annotated[str | None, "What to keep away from. Default: the empty prompt."] = None
    model: Annotated[str | None, "Name of the model (ModelService.List). Default: the server's default model."] = None
    width: Annotated[int | None, "Width of the images in pixels. A multiple of 8 from 64 to 2048. Default: the model's own."] = None
    height: Annotated[int | None, "Height of the images in pixels. A multiple of 8 from 64 to 2048. Default: the model's own."] = None
    steps: Annotated[int | None, "Sampling steps. From 1 to 1000. Default: 30."] = None
    guidance_scale: Annotated[float | None, "Scale of classifier-free guidance; 1 switches it off. From 1 to 100. Default: 7.5."] = None
    scheduler: Annotated[str | None, "ddim, dpmpp_2m, dpmpp_2m_karras, euler, euler_ancestral, euler_karras or pndm. Default: the model's own."] = None
    seed: Annotated[int | None, "Seed of the initial noise. The same seed and settings give the same images. Default: chosen by the server and shown."] = None
    num_images: Annotated[int | None, "Number of images. From 1 to 64. Default: 1."] = None
    format: Annotated[PictureFormat | None, "Format of the images. Default: png."] = None
    quality: Annotated[int | None, "Quality of JPEG and WebP images. From 1 to 100. Default: 90."] = None
    dtype: Annotated[str | None, "auto, fp32, bf16 or fp16. Default: auto."] = None
    prompt_syntax: Annotated[PromptSyntax | None, "weighted: (word:1.2) and embedding:name as in ComfyUI. plain: the prompt as it is. Default: weighted."] = None
    guidance_rescale: Annotated[float | None, "How far strong guidance is brought back to the contrast of the unguided image; 0 switches it off. From 0 to 1. Default: 0."] = None
    clip_skip: Annotated[int | None, "Which layer of the text encoder is used, from 1 (the last) to 12, as A1111 counts. Not for SDXL. Default: 1."] = None
    vae: Annotated[str | None, "Name of an autoencoder (ModelServiceListResponse.vaes) that takes the place of the model's own. Default: the model's own."] = None
    prediction_type: Annotated[str | None, "What the model predicts: epsilon or v_prediction. Default: what its config, its metadata or its weights say."] = None
    preview_every: Annotated[int | None, "Sampling steps between two previews of an image, 0 (none) to steps: see SamplingProgress.preview. They do not change the image. Default: 0."] = None
    long_prompts: Annotated[LongPrompts | None, "What becomes of a prompt of more than 77 tokens. chunks: it is read in chunks of 75 tokens, as in ComfyUI. cut: as in diffusers. Default: chunks, or cut for plain prompts."] = None
    omit_metadata: Annotated[bool | None, "Leave the settings out of PNG images. Otherwise a PNG has them as text: \"parameters\" as A1111 writes it, \"prompt\" as ComfyUI opens it, and \"dti\", these options as JSON. Default: false."] = None
    omit_instruction: Annotated[bool | None, "Leave out the instruction that the model's pipeline puts before the prompt. Only SANA has one; negative prompts and training captions never have it. Default: false."] = None
    resolution_binning: Annotated[bool | None, "Generate the image in the size that the model was trained with whose sides have the nearest ratio, then resize and crop it. Only SANA has such sizes. Default: false."] = None


@dataclass(frozen=True)
class GenerationSettings:
    """The settings of a generation, with every default filled in."""

    prompt: Annotated[str, "The prompt; <name> or embedding:name stands for the concept of that name. Syntax of other tools that has no effect is read as words, with the warning PROMPT_SYNTAX_UNUSED: BREAK, AND, <lora:…>, [a:b:0.5], [word], __wildcards__, {a|b}."]
    negative_prompt: Annotated[str, "What to keep away from. Default: the empty prompt."]
    model: Annotated[str, "Name of the model (ModelService.List). Default: the server's default model."]
    width: Annotated[int, "Width of the images in pixels. A multiple of 8 from 64 to 2048. Default: the model's own."]
    height: Annotated[int, "Height of the images in pixels. A multiple of 8 from 64 to 2048. Default: the model's own."]
    steps: Annotated[int, "Optimiser steps. From 1 to 100,000. Default: what the model's folder says (dti.json), else 500."]
    guidance_scale: Annotated[float, "Scale of classifier-free guidance; 1 switches it off. From 1 to 100. Default: 7.5."]
    scheduler: Annotated[str, "ddim, dpmpp_2m, dpmpp_2m_karras, euler, euler_ancestral, euler_karras or pndm. Default: the model's own."]
    seed: Annotated[int, "Seed of every random choice. Default: chosen by the server and shown."]
    num_images: Annotated[int, "Number of images. From 1 to 64. Default: 1."]
    format: Annotated[PictureFormat, "Format of the images. Default: png."]
    quality: Annotated[int, "Quality of JPEG and WebP images. From 1 to 100. Default: 90."]
    dtype: Annotated[str, "fp32, bf16 or fp16."]
    device: Annotated[str, "cpu, cuda:0, …"]
    concepts: Annotated[tuple[str, ...], "The concepts whose names were found in the prompt."]
    prompt_syntax: Annotated[PromptSyntax, "weighted: (word:1.2) and embedding:name as in ComfyUI. plain: the prompt as it is. Default: weighted."]
    guidance_rescale: Annotated[float, "How far strong guidance is brought back to the contrast of the unguided image; 0 switches it off. From 0 to 1. Default: 0."]
    clip_skip: Annotated[int, "Which layer of the text encoder is used, from 1 (the last) to 12, as A1111 counts. Not for SDXL. Default: 1."]
    vae: Annotated[str, "Empty: the model's own."]
    prediction_type: Annotated[str, "epsilon or v_prediction."]
    preview_every: Annotated[int, "Generate previews every so many steps; 0: never. From 0 to 100,000. Default: 100."]
    long_prompts: Annotated[LongPrompts, "What becomes of a prompt of more than 77 tokens. chunks: it is read in chunks of 75 tokens, as in ComfyUI. cut: as in diffusers. Default: chunks, or cut for plain prompts."]
    omit_metadata: Annotated[bool, "Leave the settings out of PNG images. Otherwise a PNG has them as text: \"parameters\" as A1111 writes it, \"prompt\" as ComfyUI opens it, and \"dti\", these options as JSON. Default: false."]
    omit_instruction: Annotated[bool, "Leave out the instruction that the model's pipeline puts before the prompt. Only SANA has one; negative prompts and training captions never have it. Default: false."]
    resolution_binning: Annotated[bool, "Generate the image in the size that the model was trained with whose sides have the nearest ratio, then resize and crop it. Only SANA has such sizes. Default: false."]
