"""The lists behind the dropdowns: ComfyUI's page asks these routes, and ComfyUI asks the server that was last used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..client import DtiClient
from ..errors import DtiError
from .inputs import DEFAULT
from .values import recent

_TIMEOUT = 3.0


def concept_names() -> list[str]:
    """The names in the library; a server that is away, or has none, gives a sentence in parentheses instead."""
    return _ask(lambda client: [concept.name for concept in client.list_concepts(timeout=_TIMEOUT)] or ["(the library is empty)"])


def model_names() -> list[str]:
    """The default, and the models that can be used."""
    usable = _ask(lambda client: [model.name for model in client.list_models(timeout=_TIMEOUT) if not model.problem])
    return [DEFAULT, *(name for name in usable if not name.startswith("("))]


def add_routes() -> None:
    """Adds the routes to ComfyUI's server."""
    from aiohttp import web
    from server import PromptServer

    def route(path: str, names: Callable[[], list[str]]) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response(await asyncio.to_thread(names))

        PromptServer.instance.routes.get(path)(answer)

    route("/dti/concepts", concept_names)
    route("/dti/models", model_names)


def _ask(question: Callable[[DtiClient], list[str]]) -> list[str]:
    try:
        return question(recent().client())
    except DtiError as error:
        return [f"({error})"]
