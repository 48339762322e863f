"""Dti for ComfyUI: this folder, in `custom_nodes`, is the node pack."""

try:
    from .dti_client.comfyui import comfy_entrypoint
except ModuleNotFoundError as missing:
    if missing.name not in ("google", "google.protobuf", "grpc"):
        raise
    raise ImportError(
        f"The Dti nodes need packages that are not installed: run  python -m pip install -r {__path__[0]}/requirements.txt  with ComfyUI's Python."
    ) from missing

WEB_DIRECTORY = "web"

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
