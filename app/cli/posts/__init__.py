"""``playground posts``: what is written here."""

from __future__ import annotations

import click

from app.cli.lazy import LazyGroup

_COMMANDS = {
    "delete": ("app.cli.posts.changes:delete", "Put posts into the bin; --forever removes them."),
    "export": ("app.cli.posts.taking_out:export_post", "Print one, or write one or all: Markdown, HTML, Hugo, Jekyll."),
    "import": ("app.cli.posts.changes:import_posts", "Take in Markdown files with or without front matter."),
    "list": ("app.cli.posts.listing:list_posts", "Show what is kept, the latest first."),
    "publish": ("app.cli.posts.taking_out:publish_post", "Write one into a site's folder, and note that it is out."),
    "restore": ("app.cli.posts.changes:restore", "Take posts out of the bin."),
    "revisions": ("app.cli.posts.listing:revisions", "Show how a post was before, or print one of its revisions."),
    "search": ("app.cli.posts.listing:search", "Find posts by their words, and show where the words stand."),
    "show": ("app.cli.posts.listing:show", "Print a post."),
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def posts() -> None:
    """Posts that are kept: list, search, show, export, publish, import, change.

    POST is an id, the beginning of one, a slug, or a title.
    """
