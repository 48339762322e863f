"""The client for event loops, against a real server."""

import asyncio
import pathlib

import pytest

from dti_client import AsyncDtiClient, DtiError, GenerationOptions, Picture, TrainingAccepted, TrainingOptions, TrainingProgress, TrainingResult

SAMPLE = next((pathlib.Path(__file__).resolve().parents[3] / "samples" / "clay-cat").glob("*.jpg"))
ENDLESS = TrainingOptions(steps=100_000, batch_size=1, resolution=64, preview_every=0)


def run(address, scenario):
    async def main():
        async with AsyncDtiClient(address) as client:
            return await scenario(client)

    return asyncio.run(main())


def test_train_then_generate(address):
    async def scenario(client):
        options = TrainingOptions(steps=2, batch_size=1, resolution=64, preview_every=0)
        updates = [update async for update in client.train("async-cat", [SAMPLE], options, overwrite=True)]
        drawn = client.generate("<async-cat>", GenerationOptions(width=64, height=64, steps=1))
        return updates, [update async for update in drawn if isinstance(update, Picture)]

    updates, pictures = run(address, scenario)
    assert isinstance(updates[0], TrainingAccepted) and isinstance(updates[-1], TrainingResult)
    assert [picture.pil().size for picture in pictures] == [(64, 64)]


def test_cancel_job_stops_a_training(address):
    async def scenario(client):
        async for update in client.train("async-cancelled", [SAMPLE], ENDLESS):
            if isinstance(update, TrainingAccepted):
                job_id = update.job_id
            elif isinstance(update, TrainingProgress):
                await client.cancel_job(job_id)

    with pytest.raises(DtiError) as cancelled:
        run(address, scenario)
    assert cancelled.value.reason == "JOB_CANCELLED"


def test_calls_run_side_by_side(address):
    async def scenario(client):
        return await asyncio.gather(client.list_models(), client.list_concepts(), client.list_jobs())

    models, _, _ = run(address, scenario)
    assert [model.name for model in models] == ["dti-mini", "tiny-sd15"]


def test_unknown_concept_lists_close_names(address):
    async def scenario(client):
        with pytest.raises(DtiError) as refusal:
            await client.load_embedding("nobody")
        return refusal.value

    assert run(address, scenario).reason == "CONCEPT_NOT_FOUND"
