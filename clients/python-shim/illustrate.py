"""Draws the pictures of the example workflows: a thumbnail beside each, and for the README what it looks like, nodes, links and all.

    ./dti demo -o dti-demo && /usr/bin/python3 clients/python-shim/illustrate.py dti-demo/index.html

Nodes are drawn from the workflow's JSON and the nodes' own schemas, as ComfyUI's page would lay them out, folded inputs left out. Photos and pictures are
those of the demo: its teapot, learnt and drawn by dti-mini. Nothing else is made up.
"""

import base64
import html
import io
import json
import pathlib
import re
import sys
import tempfile

import pytest
from PIL import Image, ImageDraw, ImageFont

PACK = pathlib.Path(__file__).resolve().parent
WORKFLOWS = PACK / "example_workflows"
IMAGES = PACK.parents[1] / "docs" / "images"
SCALE, TITLE, ROW, SIDE, MARGIN = 0.8, 30, 22, 132, 40
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
COMFYUI = {  # widgets of ComfyUI's own nodes, which their JSON does not name
    "CheckpointLoaderSimple": ["ckpt_name"], "CLIPTextEncode": ["text"], "EmptyLatentImage": ["width", "height", "batch_size"], "SaveImage": ["filename_prefix"],
    "KSampler": ["seed", "control after generate", "steps", "cfg", "sampler_name", "scheduler", "denoise"],
}
COLOURS = {"IMAGE": "#64b5f6", "MASK": "#81c784", "DTI_SERVER": "#ffb74d", "DTI_CONCEPT": "#e57399", "STRING": "#8bc7a0", "CLIP": "#ffd500",
           "MODEL": "#b39ddb", "VAE": "#ff6e6e", "CONDITIONING": "#ffa931", "LATENT": "#ff9cf9"}


def schemas():
    sys.path.insert(0, str(PACK / "tests"))
    sys.path.insert(0, str(PACK))
    import comfyui_stand_in

    comfyui_stand_in.install(pytest.MonkeyPatch(), pathlib.Path(tempfile.gettempdir()))
    from dti_client.comfyui import extension

    nodes = [getattr(extension, name) for name in dir(extension) if name.startswith("Dti")]
    return {schema.node_id: schema for schema in (node.define_schema() for node in nodes if hasattr(node, "define_schema"))}


def demo(page):
    """Pictures of the demo's page, by the text that stands for each."""
    found = {}
    for alt, data in re.findall(r'<img alt="([^"]*)"[^>]*src="data:image/\w+;base64,([^"]+)"', page.read_text(encoding="utf-8")):
        found.setdefault(html.unescape(alt), []).append(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
    return found


def widgets(node, schema):
    """Names and values of what is not folded away."""
    values = iter(node.get("widgets_values", []))
    if schema is None:
        yield from zip(COMFYUI.get(node["type"], []), values)
        return
    for port in sorted((port for port in schema.inputs if port.io_type in WIDGETS), key=lambda port: port.options.get("optional", False)):
        value = next(values)
        if not port.extra_dict.get("advanced"):
            yield port.id, value
        if port.options.get("control_after_generate"):
            next(values)


def font(size, bold=False):
    return ImageFont.truetype(f"DejaVuSans{'-Bold' if bold else ''}.ttf", int(size * SCALE * 2))


def draw(graph, known, pictures):
    """The workflow as a picture. Pictures of a node, by its id, go to its bottom."""
    unit = SCALE * 2  # drawn twice as large, then made smaller, for smooth lines
    right = max(node["pos"][0] + node["size"][0] for node in graph["nodes"]) + 2 * MARGIN
    lower = max(node["pos"][1] + node["size"][1] for node in graph["nodes"]) + 20
    canvas = Image.new("RGB", (int(right * unit), int(lower * unit)), "#202024")
    pen = ImageDraw.Draw(canvas)
    nodes = {node["id"]: node for node in graph["nodes"]}

    def at(x, y):
        return (x + MARGIN) * unit, y * unit

    def slot(node, index, out):
        x, y = node["pos"]
        return at(x + (node["size"][0] if out else 0), y + TITLE + ROW * (index + 0.5))

    for _, source, out, target, into, kind in graph["links"]:
        (x0, y0), (x1, y1) = slot(nodes[source], out, True), slot(nodes[target], into, False)
        bend = max(60, abs(x1 - x0) / 2)
        path = [tuple((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
                      for a, b, c, d in ((x0, x0 + bend, x1 - bend, x1), (y0, y0, y1, y1))) for t in (i / 40 for i in range(41))]
        pen.line(path, COLOURS.get(kind, "#aaaaaa"), 5, joint="curve")

    for node in graph["nodes"]:
        (x, y), (width, height) = node["pos"], node["size"]
        schema = known.get(node["type"])
        pen.rounded_rectangle([at(x, y), at(x + width, y + height)], 12, fill="#5a5330" if node["type"] == "Note" else "#353539", outline="#55555c", width=2)
        pen.text(at(x + 12, y + 7), schema.display_name if schema else re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])", " ", node["type"]), "#e8e8ec", font(13, True))
        if node["type"] == "Note":
            limit = int(width / 7.2)
            lines = [line for text in node["widgets_values"][0].split("\n") for line in (re.findall(rf".{{1,{limit}}}(?:\s|$)", text) or [""])]
            pen.multiline_text(at(x + 12, y + TITLE), "\n".join(lines), "#e8e8c8", font(10.5), spacing=4)
            continue
        for side, ports in ((False, node["inputs"]), (True, node["outputs"])):
            for index, port in enumerate(ports):
                cx, cy = slot(node, index, side)
                pen.ellipse([cx - 8, cy - 8, cx + 8, cy + 8], fill=COLOURS.get(port["type"], "#aaaaaa"))
                pen.text((cx - 14, cy) if side else (cx + 14, cy), port["name"], "#c8c8cc", font(11), anchor="rm" if side else "lm")
        top = y + TITLE + ROW * max(len(node["inputs"]), len(node["outputs"])) + 6
        for name, value in widgets(node, schema):
            if top + ROW > y + height + 6:
                break
            pen.rounded_rectangle([at(x + 10, top), at(x + width - 10, top + ROW - 3)], 10, fill="#232327")
            pen.text(at(x + 20, top + ROW / 2 - 1), name, "#9a9aa2", font(10.5), anchor="lm")
            room = int((width - 45 - 7 * len(name)) / 6.6)
            text = str(value).lower() if isinstance(value, bool) else str(value)
            pen.text(at(x + width - 20, top + ROW / 2 - 1), text if len(text) <= room else text[:room - 1] + "…", "#e8e8ec", font(10.5), anchor="rm")
            top += ROW
        shown = pictures.get(node["id"], [])
        columns = {1: 1, 2: 2, 4: 2}.get(len(shown), 4)
        side = min((width - 20) / columns, (y + height - 8 - top) / -(-len(shown) // columns)) if shown else 0
        for index, picture in enumerate(shown):
            left = x + (width - side * columns) / 2 + index % columns * side
            canvas.paste(picture.resize((int((side - 3) * unit),) * 2, Image.LANCZOS), tuple(map(int, at(left, top + index // columns * side))))

    return canvas.resize((canvas.width // 2, canvas.height // 2), Image.LANCZOS)


def strip(*rows):
    """A thumbnail: rows of pictures."""
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (columns * SIDE - 4, len(rows) * SIDE - 4), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(picture.resize((SIDE - 4, SIDE - 4), Image.LANCZOS), (x * SIDE, y * SIDE))
    return sheet


def main(page):
    found, known = demo(page), schemas()
    photos = [found[f"{i}.jpg"][0] for i in (1, 2, 3)]
    learnt, previews = found["a photo of <crested-teapot> in the snow"], [found[f"crested-teapot after {n} steps"][0] for n in (25, 50, 75, 100)]
    frames = [found[f"frame {n} of the interpolation"][0] for n in range(1, 9)]
    painted = next(some for alt, some in found.items() if "watercolor" in alt)
    told = {
        "train-a-concept": (strip(photos, learnt[1:4]), {"LoadImage": [[photo] for photo in photos], "DtiTrainConcept": [previews[-1:]], "PreviewImage": [[], learnt[:2]]}),
        "blend-two-concepts": (strip(frames[:4], frames[4:8]), {"PreviewImage": [frames]}),
        "draw-with-your-own-checkpoint": (strip(painted[:2], learnt[:2]), {}),
    }
    for name, (thumbnail, by_kind) in told.items():
        graph = json.loads((WORKFLOWS / f"{name}.json").read_text(encoding="utf-8"))
        queues = {kind: iter(some) for kind, some in by_kind.items()}
        pictures = {node["id"]: next(queues[node["type"]], []) for node in graph["nodes"] if node["type"] in queues}
        thumbnail.save(WORKFLOWS / f"{name}.jpg", quality=88)
        draw(graph, known, pictures).save(IMAGES / f"comfyui-{name}.webp", quality=80, method=6)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
