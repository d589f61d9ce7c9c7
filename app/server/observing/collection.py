"""Every route as a request to send: a collection in Postman's format 2.1, which others import too.

Made from the OpenAPI document, so that no route is forgotten. Format: https://schema.postman.com/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_MODELS = {"embed": "{{embedding_model}}", "transcribe": "{{transcription_model}}"}
_QUESTION = "Why is the sky blue? One sentence."
_EXAMPLES: Mapping[str, Any] = {
    "messages": [{"role": "user", "content": _QUESTION}],
    "prompt": _QUESTION,
    "input": _QUESTION,
    "text": "The room was small, but the view was wonderful and everybody was kind.",
    "content": _QUESTION,
    "max_tokens": 64,
    "max_output_tokens": 64,
    "max_completion_tokens": 64,
    "n_predict": 64,
    "steps": 1,
}
"""Values by a field's name; fields that are not here are left out, unless they are required."""
_LEFT_OUT: Mapping[str, frozenset[str]] = {
    "/v1/chat/completions": frozenset({"max_tokens"}),
    "/chat/completions": frozenset({"max_tokens"}),
    "/v1/responses": frozenset({"text", "prompt"}),
    "/embedding": frozenset({"input"}),
    "/embeddings": frozenset({"input"}),
}
"""Names that mean something else there, or the same as another."""
_PASSWORD = "a few unusual words"  # noqa: S105 - an example
_BODIES: Mapping[str, dict[str, Any]] = {
    # The document says nothing of it, since other servers let anything in there.
    "/apply-template": {"messages": _EXAMPLES["messages"]},
    "/auth/login": {"name": "{{name}}", "password": _PASSWORD},
    "/users": {"name": "{{name}}", "password": _PASSWORD},
    "/users/{name}/password": {"password": _PASSWORD},
    "/keys": {"name": "A key"},
}
"""What is sent where the names of fields do not tell it."""
_BY_TYPE: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}
_PUBLIC = frozenset({"/health", "/v1/health", "/readiness", "/collection.json", "/auth/login", "/auth/refresh"})
_VARIABLE = re.compile(r"\{([a-z_]+)(?::path)?\}")


class Variable(msgspec.Struct, frozen=True):
    """Filled in by whoever imports the collection."""

    key: str
    value: str
    type: str = "string"
    description: str = ""


def collection_of(document: Mapping[str, Any], base_url: str, models: Mapping[str, str]) -> dict[str, Any]:
    """The collection.

    Args:
        document: the OpenAPI document.
        base_url: where the server was reached, without a slash at its end.
        models: which model the requests name, by what it is for: ``chat``, ``embed``, ``transcribe``.
    """
    folders: dict[str, list[dict[str, Any]]] = {}
    for path, verbs in document["paths"].items():
        for verb, route in verbs.items():
            folder = (route.get("tags") or ["Others"])[0]
            folders.setdefault(folder, []).append(_item(document, path, verb.upper(), route))
    of_accounts = (
        Variable("name", "", description="Of a user: see GET /users."),
        Variable("key", "", description="The id of a key, not its text: see GET /keys."),
    )
    return {
        "info": {
            "name": "Playground",
            "description": "Set api_key to a key that `playground serve` or `playground keys create` printed.",
            "schema": _SCHEMA,
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{api_key}}", "type": "string"}]},
        "variable": [
            Variable("base_url", base_url),
            Variable("api_key", "", description="A key with the scopes that the request needs."),
            Variable("model", models.get("chat", "")),
            Variable(
                "embedding_model", models.get("embed", ""), description="A model that embeds: see GET /v1/models."
            ),
            Variable("transcription_model", models.get("transcribe", ""), description="A model that transcribes."),
            Variable("session_id", "", description="Of a session: see GET /sessions."),
            Variable("response_id", "", description="Of an answer of POST /v1/responses."),
            *(of_accounts if "/users" in document["paths"] else ()),
        ],
        "item": [{"name": name, "item": items} for name, items in folders.items()],
    }


def _item(document: Mapping[str, Any], path: str, method: str, route: Mapping[str, Any]) -> dict[str, Any]:
    filled = _VARIABLE.sub(r"{{\1}}", path)
    query = [
        {"key": found["name"], "value": "", "description": found.get("description", ""), "disabled": True}
        for found in route.get("parameters", ())
        if found["in"] == "query"
    ]
    request: dict[str, Any] = {
        "method": method,
        "header": [],
        "url": {
            "raw": "{{base_url}}" + filled,
            "host": ["{{base_url}}"],
            "path": filled.lstrip("/").split("/"),
            **({"query": query} if query else {}),
        },
        "description": route.get("description") or route.get("summary", ""),
    }
    if path in _PUBLIC:
        request["auth"] = {"type": "noauth"}
    content = route.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        request["body"] = {"mode": "formdata", "formdata": _form()}
    elif content:
        schema = _named(document, next(iter(content.values())).get("schema", {}))
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        body = msgspec.json.format(msgspec.json.encode(_body(document, path, schema)), indent=2).decode()
        request["body"] = {"mode": "raw", "raw": body, "options": {"raw": {"language": "json"}}}
    return {"name": f"{method} {path}", "request": request, "response": []}


def _form() -> list[dict[str, Any]]:
    return [
        {"key": "file", "type": "file", "src": [], "description": "A recording."},
        {"key": "model", "type": "text", "value": _MODELS["transcribe"]},
    ]


def _body(document: Mapping[str, Any], path: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    required = schema.get("required", ())
    body: dict[str, Any] = {**_BODIES.get(path, {})}
    for name, field in schema.get("properties", {}).items():
        if name in body or name in _LEFT_OUT.get(path, ()):
            continue
        if name == "model":
            body[name] = _MODELS["embed"] if "embed" in path else "{{model}}"
        elif name in _EXAMPLES:
            body[name] = _EXAMPLES[name]
        elif name in required:
            body[name] = _made(_named(document, field))
    return body


def _made(field: Mapping[str, Any]) -> Any:
    """A value for a required field that has no example."""
    if "const" in field:
        return field["const"]
    if "enum" in field:
        return field["enum"][0]
    options = field.get("anyOf")
    return _made(options[0]) if options else _BY_TYPE.get(field.get("type", "string"), "text")


def _named(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema, looked up where it is only named."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["schemas"][name] if name else schema
    return found
