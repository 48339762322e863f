"""SANA by diffusers and transformers, for `BENCH sana --reference`: one case in one process, its result as JSON.

Usage: sana_diffusers.py FOLDER generate|train SIDE DTYPE STEPS

The same work as Dti's: generation with classifier-free guidance and DPM-Solver++, training of one embedding row with the
flow-matching target. The prompt has 300 tokens with padding, as in the pipeline. Only steps are computed: latents, and
in generation the text encoder's states, are random numbers, and the autoencoder is not loaded.
"""

import json
import resource
import sys
import time

import torch
from diffusers import DPMSolverMultistepScheduler, SanaTransformer2DModel
from transformers import Gemma2Model

folder, work, side, dtype, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[dtype]
torch.manual_seed(1)
LENGTH, USED = 300, 8


def processor_seconds():
    return time.process_time()


load_seconds = 0.0


def load(kind, name):
    global load_seconds
    began = processor_seconds()
    module = kind.from_pretrained(folder, subfolder=name, torch_dtype=dtype).eval().requires_grad_(False)
    load_seconds += processor_seconds() - began
    return module


def ids(batch):
    tokens = torch.randint(4, 900, (batch, LENGTH))
    mask = torch.zeros(batch, LENGTH, dtype=torch.int64)
    mask[:, :USED] = 1
    return tokens, mask


def generate():
    states = torch.randn(2, LENGTH, 2304).to(dtype)
    mask = ids(2)[1]
    transformer = load(SanaTransformer2DModel, "transformer")
    scheduler = DPMSolverMultistepScheduler.from_pretrained(folder, subfolder="scheduler")
    scheduler.set_timesteps(steps)
    latents = torch.randn(1, 32, side // 32, side // 32)
    seconds = []
    with torch.no_grad():
        for t in scheduler.timesteps:
            began = processor_seconds()
            pair = torch.cat([latents, latents]).to(dtype)
            times = t.expand(2) * transformer.config.timestep_scale
            flow = transformer(
                pair, encoder_hidden_states=states, encoder_attention_mask=mask, timestep=times, return_dict=False
            )[0].float()
            negative, positive = flow.chunk(2)
            latents = scheduler.step(negative + 4.5 * (positive - negative), t, latents, return_dict=False)[0]
            seconds.append(processor_seconds() - began)
    return seconds


def train():
    x0 = torch.randn(1, 32, side // 32, side // 32)
    text, transformer = load(Gemma2Model, "text_encoder"), load(SanaTransformer2DModel, "transformer")
    table = text.get_input_embeddings()
    row = table.weight[100].detach().float().clone().requires_grad_(True)
    seconds = []
    for _ in range(steps):
        began = processor_seconds()
        tokens, mask = ids(1)
        embeds = table(tokens)
        embeds = torch.cat([embeds[:, :1], row.to(dtype)[None, None], embeds[:, 2:]], dim=1)
        states = text(inputs_embeds=embeds, attention_mask=mask)[0]
        noise, t = torch.randn_like(x0), torch.rand(1)
        noisy = ((1 - t) * x0 + t * noise).to(dtype)
        flow = transformer(
            noisy, encoder_hidden_states=states, encoder_attention_mask=mask, timestep=t * 1000, return_dict=False
        )[0]
        ((flow.float() - (noise - x0).float()) ** 2).mean().backward()
        assert row.grad is not None and row.grad.isfinite().all()
        with torch.no_grad():
            row -= 1e-3 * row.grad / (row.grad.norm() + 1e-12)
            row.grad = None
        seconds.append(processor_seconds() - began)
    return seconds


step_seconds = {"generate": generate, "train": train}[work]()
print(
    json.dumps(
        {
            "LoadSeconds": load_seconds,
            "StepSeconds": sorted(step_seconds)[(len(step_seconds) - 1) // 2],
            "ProcessBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    )
)
