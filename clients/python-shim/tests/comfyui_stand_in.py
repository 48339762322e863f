"""The parts of ComfyUI that the nodes import, as small as they can be, and torch as a view of numpy.

Inputs take the keywords that ComfyUI's take and no others, and `run` fills in defaults and hidden inputs as ComfyUI does.
"""

import re
import sys
import types

import numpy

_COMMON = {"display_name", "optional", "tooltip", "lazy"}
_WIDGET = _COMMON | {"default", "socketless", "force_input"}
_INPUTS = {
    "BOOLEAN": _WIDGET | {"label_on", "label_off"},
    "INT": _WIDGET | {"min", "max", "step", "control_after_generate", "display_mode"},
    "FLOAT": _WIDGET | {"min", "max", "step", "round", "display_mode"},
    "STRING": _WIDGET | {"multiline", "placeholder", "dynamic_prompts"},
    "COMBO": _WIDGET - {"force_input"} | {"options", "control_after_generate", "upload", "image_folder"},
}


class Port:
    """An input or output of a node."""

    def __init__(self, io_type, allowed, id=None, **options):
        assert set(options) <= allowed, set(options) - allowed
        self.io_type, self.id, self.options, self.extra_dict = io_type, id, options, {}


class Type:
    def __init__(self, io_type):
        inputs, outputs = _INPUTS.get(io_type, _COMMON), {"display_name", "tooltip", "is_output_list"}
        self.Input = lambda id, **options: Port(io_type, inputs, id, **options)
        self.Output = lambda id=None, **options: Port(io_type, outputs, id, **options)


class Schema:
    def __init__(self, node_id, display_name, category, description, inputs, outputs, hidden=(), is_output_node=False):
        self.__dict__.update(locals())
        ids = [port.id for port in [*inputs, *outputs]]
        assert len(set(ids)) == len(ids), "ComfyUI wants ids that are unique over inputs and outputs"


class NodeOutput:
    def __init__(self, *args, ui=None):
        self.args, self.ui = args, ui


class ExecutionBlocker:
    def __init__(self, message):
        self.message = message


class InterruptProcessingException(Exception):
    pass


class Tensor(numpy.ndarray):
    def cpu(self):
        return self

    def numpy(self):
        return self.view(numpy.ndarray)


class State:
    """What the nodes did to ComfyUI, and what it does to them."""

    def __init__(self, folder):
        self.embeddings, self.input = folder / "embeddings", folder / "input"
        self.progress, self.previews, self.texts = [], [], []
        self.interrupt_after = None
        self.show = lambda text: None
        """Called with each text that a node shows."""

    def note(self, text):
        self.texts.append(text)
        self.show(text)

    def check_interrupt(self):
        if self.interrupt_after is not None and len(self.progress) >= self.interrupt_after:
            self.interrupt_after = None
            raise InterruptProcessingException


class Clip:
    """CLIP's tokens as ComfyUI makes them: windows of 77 (id, weight) for each text encoder, of a width; a word is a token."""

    def __init__(self, **widths):
        self.encoders = widths
        self.tokenizer = types.SimpleNamespace(**{
            f"clip_{key}": types.SimpleNamespace(embedding_key=f"clip_{key}", embedding_size=width) for key, width in widths.items()})

    def tokenize(self, text):
        pairs = [(sum(map(ord, word)) * 31 + len(word), float(weight or 1)) for inside, weight, plain in re.findall(r"\(([^()]*):([\d.]+)\)|([^()]+)", text)
                 for word in re.findall(r"\w+|[^\s\w]", (inside or plain).lower())]
        windows = [pairs[i:i + 75] for i in range(0, len(pairs), 75)] or [[]]
        return {key: [[(1, 1.0), *window, *[(2, 1.0)] * (76 - len(window))] for window in windows] for key in self.encoders}

    def encode_from_tokens_scheduled(self, tokens):
        return [[tokens, {"pooled_output": None}]]


def install(monkeypatch, folder):
    """Puts the stand-ins where the nodes look for them."""
    state = State(folder)

    class ProgressBar:
        def __init__(self, total):
            self.current, self.total = 0, total

        def update_absolute(self, value, total=None, preview=None):
            self.current, self.total = value, total or self.total
            state.progress.append((self.current, self.total))
            state.previews.extend([preview] if preview else [])
            state.check_interrupt()

    class PromptServer:
        instance = types.SimpleNamespace(send_progress_text=lambda text, node_id: state.note(text))

    io = types.SimpleNamespace(
        Schema=Schema, NodeOutput=NodeOutput, ComfyNode=type("ComfyNode", (), {}), Custom=Type, Hidden=types.SimpleNamespace(unique_id="UNIQUE_ID"),
        NumberDisplay=types.SimpleNamespace(slider="slider"),
        **{name: Type(name.upper()) for name in ("Boolean", "Int", "Float", "String", "Combo", "Image", "Mask", "Clip", "Conditioning")})
    modules = {
        "comfy": {}, "comfy_api": {}, "comfy_execution": {},
        "comfy_api.v0_0_2": {"io": io, "ComfyExtension": type("ComfyExtension", (), {})},
        "comfy.utils": {"ProgressBar": ProgressBar},
        "comfy.model_management": {"throw_exception_if_processing_interrupted": state.check_interrupt},
        "comfy_execution.graph_utils": {"ExecutionBlocker": ExecutionBlocker},
        "folder_paths": {
            "get_folder_paths": lambda name: [str(getattr(state, name))], "get_input_directory": lambda: str(state.input),
            "get_filename_list": lambda name: sorted(file.name for file in getattr(state, name).glob("*.safetensors")),
            "get_full_path": lambda name, file: str(getattr(state, name) / file) if (getattr(state, name) / file).is_file() else None},
        "server": {"PromptServer": PromptServer},
        "torch": {"from_numpy": lambda array: array.view(Tensor), "Tensor": Tensor},
    }
    for name, members in modules.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
        if "." in name:
            parent, child = name.rsplit(".", 1)
            setattr(sys.modules[parent], child, module)
    for name in [name for name in sys.modules if name.startswith("dti_client.comfyui")]:  # their imports are those of another stand-in
        monkeypatch.delitem(sys.modules, name)
    return state


def info(node):
    """A node as ComfyUI's /object_info describes it to the page, as far as the page needs it for a saved workflow."""
    schema = node.define_schema()
    inputs = {"required": {}, "optional": {}}
    for port in schema.inputs:
        options = {**port.options, **port.extra_dict}
        if port.io_type == "COMBO":
            options["multiselect"] = False
        inputs["optional" if options.pop("optional", False) else "required"][port.id] = [port.io_type, options]
    return {"input": inputs, "output": [port.io_type for port in schema.outputs], "output_node": schema.is_output_node, "display_name": schema.display_name}


def run(node, **given):
    """Runs a node as ComfyUI does; gives its outputs."""
    schema = node.define_schema()
    unknown = set(given) - {port.id for port in schema.inputs}
    assert not unknown, unknown
    for port in schema.inputs:
        if port.id not in given and not port.options.get("optional"):
            given[port.id] = port.options["default"]
    node.hidden = types.SimpleNamespace(unique_id="7")
    return node.execute(**given).args
