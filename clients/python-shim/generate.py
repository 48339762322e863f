#!/usr/bin/env python3
"""Makes dti_client/_proto from the contract. Run it after a change in protos/; a test compares.

Which protoc makes the stubs decides where they load: those of 3.20 to 25 look for no particular runtime version, and
load in protobuf 4, 5 and 6 alike; newer ones refuse every runtime older than themselves. Debian 12's 3.21.12, with
gRPC's plugin 1.51, is the one used: apt install protobuf-compiler protobuf-compiler-grpc.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROTOS = HERE.parents[1] / "protos"
STUBS = HERE / "dti_client" / "_proto"


def generate(folder: pathlib.Path) -> None:
    """Writes the modules into a folder, importable as part of whatever package the folder is."""
    with tempfile.TemporaryDirectory() as made:
        for root, options in [(PROTOS, [f"--grpc_python_out={made}"]), (HERE / "protos", [])]:
            subprocess.run(
                ["protoc", f"--proto_path={root}", f"--python_out={made}", *options,
                 f"--plugin=protoc-gen-grpc_python={shutil.which('grpc_python_plugin')}",
                 *map(str, sorted(root.rglob("*.proto")))],
                check=True,
            )
        for module in pathlib.Path(made).rglob("*.py"):
            if module.stat().st_size > 200:  # files without services have empty _pb2_grpc modules
                text = re.sub(r"^from dti\.v1 import", "from . import", module.read_text(encoding="utf-8"), flags=re.MULTILINE)
                (folder / module.name).write_text(text, encoding="utf-8")
    (folder / "__init__.py").write_text('"""Made by generate.py from protos/; not to be edited."""\n', encoding="utf-8")


if __name__ == "__main__":
    version = subprocess.run(["protoc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if version != "libprotoc 3.21.12":
        sys.exit(f"This is {version}; the committed stubs are made by libprotoc 3.21.12 (see above).")
    generate(STUBS)
