"""Photos that do not fit into one request, on their way from each kind of caller to a real server."""

import io
import pathlib
import tracemalloc

import numpy
import pytest
from PIL import Image

from dti_client import DtiError, DtiWarning, TrainingOptions, TrainingPhoto, photo_sizes

SAMPLE = pathlib.Path(__file__).resolve().parents[3] / "samples" / "melon-bird" / "1.jpg"
TINY = TrainingOptions(steps=1, batch_size=1, resolution=64, preview_every=0, seed=1, initializer="cat")
MIB = 1 << 20


def padded(size: int) -> bytes:
    """A photo with a film behind it, as cameras append them."""
    return SAMPLE.read_bytes().ljust(size, b"\0")


def noise(width: int, height: int, **options) -> bytes:
    """A photo that packs badly, as those of a camera at its finest setting."""
    data, image = io.BytesIO(), Image.fromarray(numpy.random.default_rng(1).integers(0, 256, (height, width, options.pop("channels", 3)), "uint8"))
    image.save(data, **{"format": "JPEG", "quality": 95, **options})
    return data.getvalue()


def opened(message) -> Image.Image:
    return Image.open(io.BytesIO(message.data))


@pytest.mark.parametrize("sizes, expected", [([1, 2, 3], float("inf")), ([10, 10], float("inf")), ([1, 30, 30], 9), ([30], 20), ([], float("inf")), ([4, 4, 4, 30], 8)])
def test_share_divides_what_small_photos_leave_among_the_larger_ones(sizes, expected):
    assert photo_sizes.share(sizes, 20) == expected


def test_photos_that_fit_are_sent_as_they_are():
    messages, reduced = photo_sizes.fit([SAMPLE, SAMPLE.read_bytes()], 64)
    assert [message.data for message in messages] == [SAMPLE.read_bytes()] * 2 and not reduced


def test_photos_of_a_camera_are_reduced_to_what_training_needs():
    photos = [noise(640, 480)] * 3
    messages, reduced = photo_sizes.fit([*photos, SAMPLE], 256, limit=len(photos[0]) + SAMPLE.stat().st_size)
    assert sum(len(message.data) for message in messages) <= len(photos[0]) + SAMPLE.stat().st_size
    assert messages[3].data == SAMPLE.read_bytes()
    assert all(min(opened(message).size) >= 256 for message in messages[:3])
    assert "3 photo(s) were reduced" in reduced and "'photo-0' to a shorter side of at most 256 pixels" in reduced


def test_a_reduced_photo_is_upright_keeps_its_profile_and_its_mask_fits():
    exif = Image.Exif()
    exif[0x0112] = 6
    photo, mask = noise(600, 400, exif=exif.tobytes(), icc_profile=b"profile"), io.BytesIO()
    Image.new("L", (400, 600), 255).save(mask, "PNG")
    [message], _ = photo_sizes.fit([TrainingPhoto(photo, mask.getvalue(), "a cat")], 128, limit=len(photo) // 3)
    reduced = opened(message)
    assert reduced.size[0] < reduced.size[1] and reduced.info["icc_profile"] == b"profile" and not reduced.getexif()
    assert Image.open(io.BytesIO(message.mask)).size == reduced.size and message.caption == "a cat"


def test_a_reduced_photo_keeps_its_transparency():
    photo = noise(300, 300, channels=4, format="PNG")
    [message], _ = photo_sizes.fit([photo], 128, limit=len(photo) // 3)
    assert opened(message).mode == "RGBA"


def test_a_photo_that_cannot_be_reduced_is_refused_with_name_size_limit_and_remedy():
    with pytest.raises(DtiError) as refusal:
        photo_sizes.fit([SAMPLE, bytes(65 * MIB)], 512)
    assert refusal.value.status == "INVALID_ARGUMENT" and refusal.value.field_violations[0].field == "photos"
    for part in ("'photo-1' has 65 MiB", "request of 63 MiB", "not a JPEG", "shorter side of 512 pixels"):
        assert part in str(refusal.value)


def test_a_mask_of_another_size_is_named():
    with pytest.raises(DtiError, match="it has 200 × 100 pixels and its mask 100 × 100"):
        photo_sizes.fit([TrainingPhoto(noise(200, 100), noise(100, 100))], 64, limit=1000)


def test_a_photo_that_is_not_there_is_named():
    with pytest.raises(DtiError, match="nowhere.jpg cannot be read: No such file"):
        photo_sizes.fit(["nowhere.jpg"], 64)


def test_six_photos_of_12_mb_are_trained_on(client):
    updates = list(client.train("camera", [padded(12_500_000)] * 6, TINY, overwrite=True))
    [warning] = [update for update in updates if isinstance(update, DtiWarning) and update.code == "PHOTOS_REDUCED"]
    assert warning.message.startswith("6 photo(s) were reduced") and updates.index(warning) == 1


def test_fifty_files_of_64_mib_are_trained_on_in_the_memory_of_a_few(client, tmp_path):
    (tmp_path / "0.jpg").write_bytes(SAMPLE.read_bytes())
    with open(tmp_path / "0.jpg", "r+b") as file:
        file.truncate(64 * MIB)
    for i in range(1, 50):
        (tmp_path / f"{i}.jpg").symlink_to(tmp_path / "0.jpg")
    tracemalloc.start()
    try:
        updates = client.train("heavy", [tmp_path / f"{i}.jpg" for i in range(50)], TINY, overwrite=True)
        assert tracemalloc.get_traced_memory()[1] < 512 * MIB
    finally:
        tracemalloc.stop()
    assert type(list(updates)[-1]).__name__ == "TrainingResult"
