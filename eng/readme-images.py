#!/usr/bin/env python3
"""Makes the images of the README with dti-mini: demo, training, generate and blend in docs/images. Needs a built dti, Chromium and Pillow.

Usage: python3 eng/readme-images.py [FOLDER]     # FOLDER: of an earlier `dti demo`, which is not run again then
"""

import io
import os
import base64
import pathlib
import re
import subprocess
import sys
import tempfile

from PIL import Image, ImageChops

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "images"
GENERATED = ["a photo of a <{}> to the left of a spotted red mushroom in a forest", "a watercolor painting of a <{}> on the beach"]
SEEDS = range(1, 5)
STYLE = """
body { margin: 0; padding: 14px; width: 1132px; background: #fff; color: #333; font: 15px system-ui, sans-serif; }
h2 { font-size: 18px; margin: 14px 0 0; color: #111; }
p { margin: 12px 0 5px; white-space: nowrap; }
.sides { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); column-gap: 28px; }
.images { display: flex; gap: 5px; }
img { width: 134px; height: 134px; image-rendering: auto; }
"""


def dti(*arguments):
    subprocess.run([ROOT / "dti", *map(str, arguments)], check=True)


def sources(text):
    return re.findall(r"data:image/\w+;base64,[A-Za-z0-9+/=]+", text)


def images(text):
    return '<div class="images">' + "".join(f'<img src="{source}">' for source in sources(text)[:8]) + "</div>"


def sections(page):
    """The two subjects and the blend, by name, in the order of the page."""
    return dict(re.findall(r'<section id="([^"]+)">(.*?)</section>', page, re.S))


def strip(page):
    return re.search(r'<div class="strip">(.*?)</div>', sections(page)["between"], re.S).group(1)


def compose(page):
    """The photos of the first subject, its prompts with both methods, and the blend, as a page for a screenshot."""
    (name, subject), (other, _) = list(sections(page).items())[:2]
    photos = re.search(r'<div class="row photos">(.*?)</div>', subject, re.S).group(1)
    parts = [f"<style>{STYLE}</style><p>five images to learn &lt;{name}&gt; from</p>{images(photos)}",
             '<div class="sides"><h2>Directional Textual Inversion</h2><h2>plain Textual Inversion</h2>']
    for prompt, versus in re.findall(r'<h3 class="prompt">(.*?)</h3>\s*<div class="versus">(.*?)</div>\s*</div>', subject, re.S):
        by_dti, by_ti = versus.split("<p>TI</p>")
        parts += [f"<div><p>{re.sub('</?em>', '', prompt)}</p>{images(by_dti)}</div>", f"<div><p>&nbsp;</p>{images(by_ti)}</div>"]
    parts.append(f"</div><h2>Interpolation along the great circle</h2><p>from &lt;{name}&gt; to &lt;{other}&gt;</p>{images(strip(page))}")
    return "<!doctype html><meta charset=utf-8>" + "".join(parts)


def screenshot(page, target):
    with tempfile.TemporaryDirectory() as folder:
        source, shot = os.path.join(folder, "page.html"), os.path.join(folder, "shot.png")
        with open(source, "w", encoding="utf-8") as file:
            file.write(page)
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1160,1600",
                        f"--screenshot={shot}", "file://" + source], check=True, capture_output=True)
        image = Image.open(shot).convert("RGB")
        empty = Image.new("RGB", image.size, "white")
        image.crop((0, 0, image.width, ImageChops.difference(image, empty).getbbox()[3] + 14)).save(target, quality=86, method=6)


def sheet(rows, side, gap):
    """Images side by side, in rows."""
    joined = Image.new("RGB", (len(rows[0]) * (side + gap) - gap, len(rows) * (side + gap) - gap), "white")
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            joined.paste(image.convert("RGB").resize((side, side), Image.LANCZOS), (x * (side + gap), y * (side + gap)))
    return joined


def generate(name, data, folder):
    """Rows of images of the prompts, one for each seed."""
    rows = []
    for number, prompt in enumerate(GENERATED):
        files = [folder / f"{number}-{seed}.png" for seed in SEEDS]
        for seed, file in zip(SEEDS, files):
            dti("generate", prompt.format(name), "--seed", seed, "--guidance", 5, "--scheduler", "dpmpp_2m", "--steps", 12, "-o", file, "--data", data)
        rows.append([Image.open(file) for file in files])
    return rows


def main(folder=None):
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(folder or os.path.join(work, "dti-demo")).resolve()
        if not (folder / "index.html").exists():
            dti("demo", "-o", folder)
        page = (folder / "index.html").read_text(encoding="utf-8")
        name = next(iter(sections(page)))
        screenshot(compose(page), TARGET / "demo.webp")
        summary = pathlib.Path(work) / "summary.png"
        dti("concepts", "show", name, "--summary", summary, "--data", folder / "library")
        image = Image.open(summary).convert("RGB")
        image.resize((1200, 1200 * image.height // image.width), Image.LANCZOS).save(TARGET / "training.webp", quality=86, method=6)
        sheet(generate(name, folder / "library", pathlib.Path(work)), 192, 6).save(TARGET / "generate.webp", quality=86, method=6)
        frames = [Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) for source in sources(strip(page))]
        sheet([frames], 128, 0).save(TARGET / "blend.webp", quality=86, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
