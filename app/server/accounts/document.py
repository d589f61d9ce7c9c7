"""The routes for people and their keys in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from .routes import ACCOUNT_ROUTES, AccountRoute

_JSON = "application/json"
_TAG = "Accounts"
_QUERIES: Mapping[str, Sequence[tuple[str, dict[str, Any], str]]] = {
    "/usage": (
        ("format", {"enum": ["json", "csv"]}, "CSV has one row an answer, with a head."),
        ("since", {"type": "number"}, "Seconds since 1970."),
        ("until", {"type": "number"}, "Seconds since 1970."),
        ("key", {"type": "string"}, "The id of a key; for administrators."),
    )
}


def add_accounts(document: dict[str, Any]) -> None:
    """Adds them to the document that the other routes made."""
    kinds = tuple(
        dict.fromkeys(kind for route in ACCOUNT_ROUTES for kind in (route.body, route.reply) if kind is not None)
    )
    schemas, named = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    document.setdefault("components", {}).setdefault("schemas", {}).update(named)
    known = dict(zip(kinds, schemas, strict=True))
    for route in ACCOUNT_ROUTES:
        document["paths"].setdefault(route.path, {})[route.method.lower()] = _described(route, known)


def _described(route: AccountRoute, schemas: Mapping[type[msgspec.Struct], dict[str, Any]]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [_TAG],
        "summary": route.work.__name__.replace("_", " ").capitalize(),
        "description": route.work.__doc__ or "",
        "operationId": f"{route.work.__name__}_of_accounts",
        "responses": {str(route.status): _answer(route, schemas)},
    }
    inside = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in inside]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": words}
        for name, schema, words in _QUERIES.get(route.path, ())
    ]
    if parameters:
        described["parameters"] = parameters
    if route.body is not None:
        described["requestBody"] = {"required": True, "content": {_JSON: {"schema": schemas[route.body]}}}
    return described


def _answer(route: AccountRoute, schemas: Mapping[type[msgspec.Struct], dict[str, Any]]) -> dict[str, Any]:
    if route.reply is None:
        return {"description": "Done."}
    content: dict[str, Any] = {_JSON: {"schema": schemas[route.reply]}}
    if route.path == "/usage":
        content["text/csv"] = {}
    return {"description": "The answer.", "content": content}
