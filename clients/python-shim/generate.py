#!/usr/bin/env python3
"""Makes dti_client/_proto from the contract. Run it after a change in protos/; a test compares.

Which protoc makes the stubs decides where they load: those of 3.20 to 25 look for no particular runtime version, and
load in protobuf 4 to 7 alike; newer ones refuse every runtime older than themselves. Debian 12's 3.21.12, with
gRPC's plugin 1.51, is the one used: apt install protobuf-compiler protobuf-compiler-grpc libprotobuf-dev.

HTTP annotations are left out: they are for gateways, and would ask for googleapis-common-protos.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

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
        described.write_bytes(_without_annotations(described.read_bytes()))
        _protoc(f"--descriptor_set_in={described}", f"--python_out={made}", f"--grpc_python_out={made}",
                f"--plugin=protoc-gen-grpc_python={shutil.which('grpc_python_plugin')}", *names)
        _protoc(f"--proto_path={ERRORS}", f"--python_out={made}", "rpc_status.proto")
        for module in pathlib.Path(made).rglob("*.py"):
            if module.stat().st_size > 200:  # files without services have empty _pb2_grpc modules
                text = re.sub(r"^from dti\.v1 import", "from . import", module.read_text(encoding="utf-8"), flags=re.MULTILINE)
                (folder / module.name).write_text(text, encoding="utf-8")
    (folder / "__init__.py").write_text('"""Made by generate.py from protos/; not to be edited."""\n', encoding="utf-8")


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
