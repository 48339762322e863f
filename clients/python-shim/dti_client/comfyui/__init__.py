"""The ComfyUI nodes, in the V3 schema of a numbered API version: later ComfyUIs keep that, while `latest` moves."""


def comfy_entrypoint():
    """What ComfyUI asks for when it loads the pack."""
    from .extension import DtiExtension

    return DtiExtension()


__all__ = ["comfy_entrypoint"]
