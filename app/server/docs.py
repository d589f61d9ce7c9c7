"""``/docs``: the API as a page that loads nothing from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Playground API</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 60rem;
  color-scheme: light dark }
code, pre { font: 14px/1.4 ui-monospace, monospace } pre { overflow: auto; padding: .75rem; background: #8881 }
summary { cursor: pointer; padding: .25rem 0 } b { display: inline-block; min-width: 4.5rem }
</style>
<h1>Playground API</h1>
<p>The whole description, for programs: <a href="openapi.json">openapi.json</a>. As requests to send,
for Postman, Bruno, Insomnia and others: <a href="collection.json">collection.json</a>.</p>
<main></main>
<script>
const main = document.querySelector("main");
const add = (parent, name, text) => {
  const made = document.createElement(name);
  made.textContent = text ?? "";
  parent.append(made);
  return made;
};
const named = (api, schema) => schema.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema;
fetch("openapi.json").then(answer => answer.json()).then(api => {
  for (const [path, verbs] of Object.entries(api.paths)) for (const verb in verbs) {
    const route = verbs[verb];
    const box = add(main, "details"), head = add(box, "summary");
    add(head, "b", verb.toUpperCase()); add(head, "code", path);
    add(box, "p", route.description || route.summary);
    const body = Object.values(route.requestBody?.content ?? {})[0]?.schema;
    if (body) add(box, "pre", JSON.stringify(named(api, body), null, 2));
  }
});
</script></html>
"""
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


def routes() -> APIRouter:
    """The page."""
    router = APIRouter()

    @router.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(_PAGE, headers=_HEADERS)

    return router
