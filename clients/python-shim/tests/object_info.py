"""Prints the pack's nodes as ComfyUI's /object_info describes them, for the check of the workflows: JSON by node id."""

import asyncio
import json
import pathlib
import sys
import tempfile

import comfyui_stand_in
import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTI_SERVER", "http://127.0.0.1:1")  # away: the lists are as short as they can be
        comfyui_stand_in.install(patch, pathlib.Path(tempfile.gettempdir()))
        from dti_client.comfyui import comfy_entrypoint

        nodes = asyncio.run(comfy_entrypoint().get_node_list())
        print(json.dumps({node.define_schema().node_id: comfyui_stand_in.info(node) for node in nodes}))
