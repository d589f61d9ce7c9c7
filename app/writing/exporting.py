"""A post as a file that other programs read: Markdown, a web page, a page of Hugo, a post of Jekyll."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Literal

import msgspec
from msgspec import Struct

from app.vault.posts.records import Post
from app.vault.posts.slugs import LONGEST, address_of

from .front_matter import moment, written

Form = Literal["markdown", "html", "hugo", "jekyll"]
FORMS: tuple[Form, ...] = ("markdown", "html", "hugo", "jekyll")

_STYLE = (
    "body{max-width:42rem;margin:3rem auto;padding:0 1rem;font:1.1rem/1.6 Georgia,serif;color:#222;background:#fff}"
    "pre,code{font-family:ui-monospace,monospace;font-size:.9em;background:#f4f4f2}pre{padding:1rem;overflow:auto}"
    "img{max-width:100%}blockquote{margin-left:0;padding-left:1rem;border-left:3px solid #ccc;color:#555}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3rem .6rem}.meta{color:#777;font-size:.9rem}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}pre,code{background:#222}.meta{color:#999}"
    "blockquote{color:#aaa;border-color:#555}td,th{border-color:#444}}"
)


class Exported(Struct, frozen=True):
    """A post as a file: its place within the folder that it goes to, and its text."""

    path: PurePosixPath
    text: str


def exported(post: Post, form: Form, clock: Callable[[], float] = time.time) -> Exported:
    """The post in one of the forms.

    Hugo: ``content/posts/SLUG/index.md``, a page bundle (https://gohugo.io/content-management/page-bundles/).
    Jekyll: ``_posts/YYYY-MM-DD-SLUG.md`` (https://jekyllrb.com/docs/posts/), or ``_drafts/SLUG.md``; the layout is
    ``post``.

    Args:
        post: what is written; where it has no slug, one is made from its title.
        form: what reads it.
        clock: seconds since 1970, for a published post without a date.
    """
    slug = address_of(post)
    date = post.date if post.date is not None or post.status == "draft" else clock()
    whole = msgspec.structs.replace(post, slug=slug, date=date)
    if form == "html":
        return Exported(PurePosixPath(f"{slug}.html"), _page(whole))
    if form == "hugo":
        return Exported(PurePosixPath("content", "posts", slug, "index.md"), written(whole))
    if form == "jekyll":
        day = "" if date is None else f"{moment(date):%Y-%m-%d}-"
        folder = "_drafts" if post.status == "draft" else "_posts"
        name = f"{day if folder == '_posts' else ''}{slug}.md"
        return Exported(PurePosixPath(folder, name), written(whole, others={"layout": "post"}))
    return Exported(PurePosixPath(f"{slug}.md"), written(whole))


def exported_together(
    posts: Iterable[Post], form: Form, clock: Callable[[], float] = time.time
) -> tuple[Exported, ...]:
    """All of them, no two in one file: of posts that would share an address, the one that chose it and the older one
    have it, and the others' end in the beginning of their ids.
    """
    files: dict[str, Exported] = {}
    for post in sorted(posts, key=lambda post: (not post.slug, post.created_at)):
        file = exported(post, form, clock)
        for end in (post.id[:8], post.id):
            if str(file.path).casefold() in files:
                slug = f"{address_of(post)[: LONGEST - len(end) - 1]}-{end}"
                file = exported(msgspec.structs.replace(post, slug=slug), form, clock)
        files[str(file.path).casefold()] = file
    return tuple(files.values())


def _page(post: Post) -> str:
    from markdown_it import MarkdownIt

    # HTML in the text stays text: an export must not run what a model wrote.
    body = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render(post.body)
    title = html.escape(post.title or "Untitled")
    heading = "" if re.match(r"\s*<h1", body) else f"<h1>{title}</h1>\n"
    facts = [f"<time>{moment(post.date):%Y-%m-%d}</time>"] if post.date is not None else []
    facts += [html.escape(tag) for tag in post.tags]
    meta = f'<p class="meta">{" · ".join(facts)}</p>\n' if facts else ""
    return (
        '<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<article>\n"
        f"{heading}{meta}{body}</article>\n</body>\n</html>\n"
    )
