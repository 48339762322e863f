#!/usr/bin/env python3
"""Makes docs/images/demo.webp, the first image of the README, from the page that `dti demo` wrote. Needs Chromium and Pillow.

Usage: eng/demo-image.py dti-demo/index.html docs/images/demo.webp
"""

import os
import re
import subprocess
import sys
import tempfile

from PIL import Image, ImageChops

SUBJECT = "<purple-owl>"
STYLE = """
body { margin: 0; padding: 14px; width: 1132px; background: #fff; color: #333; font: 15px system-ui, sans-serif; }
h2 { font-size: 18px; margin: 14px 0 0; color: #111; }
p { margin: 12px 0 5px; white-space: nowrap; }
.sides { display: grid; grid-template-columns: 1fr 1fr; column-gap: 28px; }
.images { display: flex; gap: 5px; }
img { width: 134px; height: 134px; image-rendering: auto; }
"""


def images(html):
    data = re.findall(r"data:image/\w+;base64,[A-Za-z0-9+/=]+", html)
    return '<div class="images">' + "".join(f'<img src="{one}">' for one in data[:8]) + "</div>"


def compose(page):
    """The photos of the first subject, its prompts with both methods, and the blend, as a page for a screenshot."""
    sections = dict(re.findall(r'<section id="([^"]+)">(.*?)</section>', page, re.S))
    subject = next(iter(sections.values()))
    photos = re.search(r'<div class="row photos">(.*?)</div>', subject, re.S).group(1)
    parts = [f"<style>{STYLE}</style><p>five photos of {escape(SUBJECT)}</p>{images(photos)}",
             '<div class="sides"><h2>Directional Textual Inversion</h2><h2>plain Textual Inversion</h2>']
    for prompt, versus in re.findall(r'<h3 class="prompt">(.*?)</h3>\s*<div class="versus">(.*?)</div>\s*</div>', subject, re.S):
        dti, ti = versus.split("<p>TI</p>")
        prompt = escape(re.sub(r"<em>it</em>", SUBJECT, prompt))
        parts += [f"<div><p>{prompt}</p>{images(dti)}</div>", f"<div><p>&nbsp;</p>{images(ti)}</div>"]
    parts.append(f"</div><h2>Interpolation along the great circle</h2><p>from {escape(SUBJECT)} to &lt;orange-cat&gt;</p>{images(sections['between'])}")
    return "<!doctype html><meta charset=utf-8>" + "".join(parts)


def escape(text):
    return text.replace("<", "&lt;").replace(">", "&gt;")


def main(source, target):
    with open(source, encoding="utf-8") as file:
        html = compose(file.read())
    with tempfile.TemporaryDirectory() as folder:
        page, shot = os.path.join(folder, "page.html"), os.path.join(folder, "shot.png")
        with open(page, "w", encoding="utf-8") as file:
            file.write(html)
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1160,1080",
                        f"--screenshot={shot}", "file://" + page], check=True, capture_output=True)
        image = Image.open(shot).convert("RGB")
        empty = Image.new("RGB", image.size, "white")
        image.crop((0, 0, image.width, ImageChops.difference(image, empty).getbbox()[3] + 14)).save(target, quality=86, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
