"""``GET /api/tags``, ``/api/ps`` and ``/api/version``, ``POST /api/show``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app import __version__
from app.engine.catalogues.catalogue import ModelEntry
from app.engine.files.describing import Description, Descriptions
from app.engine.files.gguf import read_header
from app.errors import UnknownModelError
from app.server.lenient import JsonWhateverItSays
from app.server.models import known, shown
from app.server.services import Services

from .asking import name_of
from .replies import encode, moment
from .wire import ShowBody

_CAPABILITIES = {"chat": ["completion"], "embed": ["embedding"], "transcribe": ["audio"]}


def routes(services: Services) -> APIRouter:
    """The routes, answering from ``services``."""
    router = APIRouter(tags=["Ollama"], route_class=JsonWhateverItSays)
    descriptions = Descriptions()

    async def listed(name: str) -> dict[str, Any]:
        entry = _entry(services, name)
        path = services.store.path_of(entry) if entry else None
        return {
            "name": name,
            "model": name,
            "modified_at": moment(_changed(path)),
            "size": path.stat().st_size if path else 0,
            "digest": (services.store.digest_of(entry) if entry else None) or "",
            "details": _details(path, await descriptions.of(path)),
        }

    @router.get("/api/version", response_class=Response)
    async def version() -> Response:
        """This program's version."""
        return _json({"version": __version__})

    @router.get("/api/tags", response_class=Response)
    async def tags() -> Response:
        """The models that can be asked now."""
        return _json({"models": [await listed(name) for name in await known(services)]})

    @router.get("/api/ps", response_class=Response)
    async def ps() -> Response:
        """The models that are loaded."""
        leaves = moment(services.clock() + (services.settings.engine.keep_alive_s or 10 * 365 * 86400))
        models = []
        for model in services.pool.loaded():
            told = model.loaded
            share = min(1.0, told.gpu_layers / (told.layers + 1)) if told.layers else 0.0
            models.append(
                {
                    **await listed(model.name),
                    "size": told.size_bytes,
                    "size_vram": round(told.size_bytes * share),
                    "context_length": told.context,
                    "expires_at": leaves,
                }
            )
        return _json({"models": models})

    @router.post("/api/show", response_class=Response)
    async def show(asked: ShowBody) -> Response:
        """What is known of a model."""
        wanted = name_of(asked.model or asked.name or "")
        name = await shown(services, wanted)
        if name is None:
            raise UnknownModelError(f"model {wanted!r} not found", "GET /api/tags lists those that are here.")
        entry = _entry(services, name)
        path = services.store.path_of(entry) if entry else None
        info: dict[str, Any] = {}
        if path is not None and path.suffix == ".gguf":
            header = await asyncio.to_thread(read_header, path)
            info = {key: value for key, value in header.metadata.items() if key != "tokenizer.chat_template"}
            template = header.metadata.get("tokenizer.chat_template", "")
        else:
            template = ""
        return _json(
            {
                "modelfile": f"FROM {name}\n",
                "parameters": "",
                "template": (entry.chat_template if entry else None) or template,
                "license": entry.licence if entry else "",
                "details": _details(path, await descriptions.of(path)),
                "model_info": info,
                "capabilities": _CAPABILITIES[entry.role] if entry else ["completion"],
                "modified_at": moment(_changed(path)),
            }
        )

    return router


def _details(path: Path | None, said: Description) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": path.suffix.removeprefix(".") if path else "",
        "family": said.family,
        "families": [said.family] if said.family else [],
        "parameter_size": said.size,
        "quantization_level": said.rounding,
    }


def _entry(services: Services, name: str) -> ModelEntry | None:
    return next((entry for entry in services.catalogue.entries if entry.name == name), None)


def _changed(path: Path | None) -> float:
    return path.stat().st_mtime if path else 0.0


def _json(reply: object) -> Response:
    return Response(encode(reply), media_type="application/json; charset=utf-8")
