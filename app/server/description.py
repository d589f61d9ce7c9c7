"""The OpenAPI document, with errors as they really are."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

_ERROR = {
    "description": "An error, in the shape of the protocol that the path belongs to.",
    "content": {"application/json": {"schema": {"type": "object"}}},
}


def describe(app: FastAPI) -> None:
    """Makes the application's document say what is answered, in place of the framework's own errors."""
    framework = app.openapi

    def document() -> dict[str, Any]:
        made = framework()
        for verbs in made["paths"].values():
            for route in verbs.values():
                route["responses"].pop("422", None)
                route["responses"].setdefault("default", _ERROR)
        for name in ("HTTPValidationError", "ValidationError"):
            made.get("components", {}).get("schemas", {}).pop(name, None)
        return made

    app.openapi = document  # type: ignore[method-assign]
