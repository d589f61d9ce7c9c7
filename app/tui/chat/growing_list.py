"""Lists in an answer that grow while it streams, instead of being built again with every piece."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets._markdown import (
    MarkdownBlock,
    MarkdownBullet,
    MarkdownBulletList,
    MarkdownList,
    MarkdownListItem,
    MarkdownOrderedList,
    MarkdownParagraph,
)


class GrowingBulletList(MarkdownBulletList):
    """A list of which only the last item changes.

    Textual mounts four widgets an item again with every piece: 0.1 s in a list of a hundred.
    """

    async def _update_from_block(self, block: MarkdownBlock) -> None:
        if not (isinstance(block, MarkdownBulletList) and await _grow(self, block)):
            await super()._update_from_block(block)


class GrowingOrderedList(MarkdownOrderedList):
    """The same, with numbers."""

    async def _update_from_block(self, block: MarkdownBlock) -> None:
        if isinstance(block, MarkdownOrderedList):
            symbols = _numbers(_items(block))
            if await _grow(self, block):
                for row, symbol in zip(_rows(self), symbols, strict=True):
                    bullet = row.query_one(MarkdownBullet)
                    if bullet.symbol != symbol:
                        bullet.symbol = symbol
                        bullet.refresh(layout=True)
                return
        await super()._update_from_block(block)


async def _grow(shown: MarkdownList, newer: MarkdownList) -> bool:
    """Adds to a list what a newer version of it has more; false when it is not simply longer."""
    rows, items = _rows(shown), _items(newer)
    if not rows or len(items) < len(rows):
        return False
    kept = len(rows)
    if not await _continue_item(rows[-1].children[-1].children, items[kept - 1]):
        await rows[-1].remove()
        kept -= 1
    newer._blocks = list(items[kept:])
    if newer._blocks:
        await shown.mount_all(newer.compose())
    return True


async def _continue_item(shown: Sequence[Widget], item: MarkdownListItem) -> bool:
    """Whether an item of one paragraph still is one, and has its new text now."""
    newer = item._blocks
    if len(shown) == len(newer) == 1:
        paragraph, text = shown[0], newer[0]
        if isinstance(paragraph, MarkdownParagraph) and isinstance(text, MarkdownParagraph):
            await paragraph._update_from_block(text)
            return True
    return False


def _rows(block: MarkdownList) -> list[Horizontal]:
    return [child for child in block.children if isinstance(child, Horizontal)]


def _items(block: MarkdownList) -> list[MarkdownListItem]:
    return [item for item in block._blocks if isinstance(item, MarkdownListItem)]


def _numbers(items: list[MarkdownListItem]) -> list[str]:
    """What stands before each item: counted from the first one's number, aligned on the right."""
    first = int(items[0].bullet) if items and items[0].bullet.isdecimal() else 1
    numbers = [f"{first + place}. " for place in range(len(items))]
    width = max(map(len, numbers), default=0) + 1
    return [number.rjust(width) for number in numbers]
