#!/usr/bin/env python3
"""Makes dti_client/_proto from the contract. Run it after a change in protos/; a test compares.

Which protoc makes the stubs decides where they load: those of 3.20 to 25 look for no particular runtime version, and
load in protobuf 4 to 7 alike; newer ones refuse every runtime older than themselves. Debian 12's 3.21.12, with
gRPC's plugin 1.51, is the one used: apt install protobuf-compiler protobuf-compiler-grpc libprotobuf-dev.

HTTP annotations are left out: they are for gateways, and would ask for googleapis-common-protos.
"""

import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

HERE = pathlib.Path(__file__).resolve().parent
CONTRACT = HERE.parents[1] / "protos"
ERRORS = HERE / "protos"
STUBS = HERE / "dti_client" / "_proto"
COMPILER = "libprotoc 3.21.12"


def compiler() -> str:
    """Which protoc is here."""
    return subprocess.run(["protoc", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def generate(folder: pathlib.Path) -> None:
    """Writes the modules into a folder, importable as part of whatever package the folder is."""
    with tempfile.TemporaryDirectory() as made:
        names = [str(file.relative_to(CONTRACT)) for file in sorted(CONTRACT.glob("dti/v1/*.proto"))]
        described = pathlib.Path(made) / "contract.binpb"
        _protoc(f"--proto_path={CONTRACT}", f"--descriptor_set_out={described}", "--include_imports", "--include_source_info", *names)
        contract = descriptor_pb2.FileDescriptorSet.FromString(described.read_bytes())
        described.write_bytes(_without_annotations(described.read_bytes()))
        _protoc(f"--descriptor_set_in={described}", f"--python_out={made}", f"--grpc_python_out={made}",
                f"--plugin=protoc-gen-grpc_python={shutil.which('grpc_python_plugin')}", *names)
        _protoc(f"--proto_path={ERRORS}", f"--python_out={made}", "rpc_status.proto")
        for module in pathlib.Path(made).rglob("*.py"):
            if module.stat().st_size > 200:  # files without services have empty _pb2_grpc modules
                text = re.sub(r"^from dti\.v1 import", "from . import", module.read_text(encoding="utf-8"), flags=re.MULTILINE)
                (folder / module.name).write_text(text, encoding="utf-8")
    (folder / "__init__.py").write_text('"""Made by generate.py from protos/; not to be edited."""\n', encoding="utf-8")
    (folder / "settings.py").write_text(records(contract, _option(folder / "setting_pb2.py")), encoding="utf-8")


HEAD = '''"""Options and settings of trainings and generations. Made by generate.py from protos/; not to be edited.

Enumerations are words ("object", "dti", "mean", …); an option that is None takes its default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
'''
RECORDS = {
    "TrainingOptions": "The options of a training.", "TrainingSettings": "The settings of a training, with every default filled in.",
    "GenerationOptions": "The options of a generation.", "GenerationSettings": "The settings of a generation, with every default filled in.",
}
TYPES = {Field.TYPE_INT32: "int", Field.TYPE_UINT64: "int", Field.TYPE_DOUBLE: "float", Field.TYPE_BOOL: "bool", Field.TYPE_STRING: "str"}


def records(contract: descriptor_pb2.FileDescriptorSet, setting) -> str:
    """The module with the dataclasses of options and settings: fields in the order of their numbers, with what the contract says of them."""
    comments = {(file.name, *location.path): " ".join(location.leading_comments.split())
                for file in contract.file for location in file.source_code_info.location}
    messages = {message.name: (message, file.name, i) for file in contract.file for i, message in enumerate(file.message_type)}
    words = {enum.name: [value.name.removeprefix(_prefix(enum.name)).lower() for value in enum.value if value.number] for file in contract.file for enum in file.enum_type}
    used, classes, documentation = [], [], {}
    for name, meaning in RECORDS.items():
        message, file, at = messages[name]
        lines = ["@dataclass(frozen=True)", f"class {name}:", f'    """{meaning}"""', ""]
        for i, field in sorted(enumerate(message.field), key=lambda pair: pair[1].number):
            kind = TYPES.get(field.type) or field.type_name.rsplit(".", 1)[-1]
            if field.type == Field.TYPE_ENUM and kind not in used:
                used.append(kind)
            if field.label == Field.LABEL_REPEATED:
                kind, default = f"tuple[{kind}, ...]", " = ()"
            else:
                kind, default = (f"{kind} | None", " = None") if field.proto3_optional else (kind, ' = ""')
            if name.endswith("Settings"):
                default = ""
            said = comments.get((file, 4, at, 2, i), "") + bounds(field, setting) or documentation.get(field.name, "")
            documentation.setdefault(field.name, said)
            lines.append(f"    {field.name}: " + (f"Annotated[{kind}, {json.dumps(said, ensure_ascii=False)}]" if said else kind) + default)
        classes.append("\n".join(lines))
    literals = [f"{kind} = Literal[{', '.join(json.dumps(word) for word in words[kind])}]" for kind in used]
    return "\n\n\n".join([HEAD + "\n" + "\n".join(literals), *classes]) + "\n"


def bounds(field: descriptor_pb2.FieldDescriptorProto, setting) -> str:
    """The range, the default and the applicability of a setting as sentences, each with a space before it."""
    options = descriptor_pb2.FieldOptions.FromString(field.options.SerializeToString())
    if not options.HasExtension(setting):
        return ""
    said = options.Extensions[setting]
    text = ""
    if said.HasField("min") and said.HasField("max"):
        low, high = (f"{value:,.10g}" if value >= 10_000 else f"{value:.10g}" for value in (said.min, said.max))
        text += (f" A multiple of {said.multiple_of} from {low} to {high}." if said.multiple_of
                 else (f" Above {low}" if said.min_excluded else f" From {low}")
                 + (f" to below {high}." if said.max_excluded else f" and at most {high}." if said.min_excluded else f" to {high}."))
    return text + (f" Default: {said.default}." if said.default else "") + (" For the method dti only." if said.dti_only else "")


def _option(stub: pathlib.Path):
    """The option (setting), from the stub that was just made: the package's may be older."""
    spec = importlib.util.spec_from_file_location("setting_pb2", stub)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.setting


def _prefix(enumeration: str) -> str:
    return re.sub("(?<!^)([A-Z])", r"_\1", enumeration).upper() + "_"


def _without_annotations(described: bytes) -> bytes:
    files = descriptor_pb2.FileDescriptorSet.FromString(described)
    for file in files.file:
        kept = [name for name in file.dependency if not name.startswith("google/api/")]
        del file.dependency[:]
        file.dependency.extend(kept)
        for service in file.service:
            for method in service.method:
                method.ClearField("options")
    return files.SerializeToString()


def _protoc(*arguments: str) -> None:
    subprocess.run(["protoc", *arguments], check=True)


if __name__ == "__main__":
    if compiler() != COMPILER:
        sys.exit(f"This is {compiler()}; the committed stubs are made by {COMPILER} (see above).")
    generate(STUBS)
