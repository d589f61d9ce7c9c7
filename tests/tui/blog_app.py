"""The Blog pane in a small application, with some posts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from app.settings.writing import WritingSettings
from app.tui.blog.pane import BlogPane
from app.tui.model_desk import ModelDesk
from app.tui.pane import Pane
from app.vault import Vault
from app.vault.posts.records import Post

from .conftest import until
from .scripted import ScriptedRouter, playground
from .vault_app import DAY, HOUR, NOW, SmallApp, a_vault

SEA = """\
# The sea in winter

The harbour was empty. Nobody had told the gulls, who went on shouting at the boats that was not there.

## What the tide brings

- a boot, left foot
- two bottles, *no message*
- rope, as always

```python
def tide(hour: float) -> float:
    return sin(hour / 6.2)
```

> It comes back, said the old woman, and she did not mean the boat.

## Getting there

Take the first train. It leaves at 5:40 and it is cold; bring coffee.
"""

POSTS = (
    Post(id="a" * 32, title="The sea in winter", slug="the-sea-in-winter", tags=("sea", "winter"), body=SEA,
         created_at=NOW - 2 * DAY, updated_at=NOW - 5 * 60),
    Post(id="b" * 32, title="Bread without kneading", status="published", date=NOW - 9 * DAY, tags=("kitchen",),
         body="Time does the work.\n", created_at=NOW - 12 * DAY, updated_at=NOW - 9 * DAY),
    Post(id="c" * 32, title="", body="A thought that has no title yet.\n", created_at=NOW - HOUR,
         updated_at=NOW - HOUR),
    Post(id="d" * 32, title="Notes on naming things, and why the second name is nearly always better",
         tags=("writing", "names", "craft"), body="The first name is a guess.\n", created_at=NOW - 70 * DAY,
         updated_at=NOW - 70 * DAY),
)  # fmt: skip


async def with_posts(vault: Vault) -> None:
    """Four posts."""
    await vault.open()
    for post in POSTS:
        await vault.posts.save(post)


async def empty(vault: Vault) -> None:
    """None."""
    await vault.open()


class BlogApp(SmallApp):
    """Shows the pane."""

    @property
    def blog(self) -> BlogPane:
        """The pane."""
        return self.screen_stack[0].query_one(BlogPane)

    async def lock(self) -> None:
        """What the program does when the vault is locked."""
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        for pane in self.query(Pane):
            await pane.vault_closing()
        await self.vault.lock()


def blog_app(
    folder: Path,
    fill: Callable[[Vault], Awaitable[None]] = with_posts,
    *,
    router: ScriptedRouter | None = None,
    choices: WritingSettings = WritingSettings(suggestions=False),  # noqa: B008 (immutable)
    environ: Mapping[str, str] = MappingProxyType({}),
    **options: Any,
) -> BlogApp:
    """The application on a vault of its own, its model as ``router`` says."""
    models = ModelDesk(playground(folder / "home", router), lambda _download: None)

    def build(vault: Vault) -> BlogPane:
        return BlogPane(vault, models, "smollm2-135m", choices, environ, clock=lambda: NOW)

    return BlogApp(a_vault(folder), build, fill, **options)


@asynccontextmanager
async def blogging(app: BlogApp, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[Any]]:
    """The running application, its list read."""
    async with app.run_test(size=size) as pilot:
        await begun(app)
        yield pilot
    assert app.faults == []


async def begun(app: BlogApp) -> None:
    """Waits until the list is read; nothing blinks then."""
    await until(lambda: app.ready and app.query(BlogPane))
    await until(lambda: str(app.query_one("#shelf-head").visual))
    app.blog.take_focus()
    for field in app.query(Input):
        field.cursor_blink = False
    app.blog.desk.editor.cursor_blink = False


async def opened(app: BlogApp, pilot: Pilot[Any]) -> None:
    """Opens the chosen post."""
    await pilot.press("enter")
    await until(lambda: app.blog.writing)
    await pilot.pause()
