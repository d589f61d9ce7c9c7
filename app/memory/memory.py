"""Memory as the rest of the program meets it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from app.settings.memory import MemorySettings
from app.vault import Vault
from app.vault.recall.vectors import Source, Standing

from .attention import Attention
from .embedding import Embedder
from .index import Index
from .recall import Recall, Recalled, within
from .remembering import Progress, Remembering


class Memory:
    """Remembers in the background, recalls, and forgets.

    Args:
        vault: open or locked.
        embedder: whose vectors are used.
        settings: how much is recalled.

    Attributes:
        attention: to be told when somebody types and when an answer comes.
        settings: as given.
    """

    def __init__(self, vault: Vault, embedder: Embedder, settings: MemorySettings = MemorySettings()) -> None:  # noqa: B008
        self.settings = settings
        self.attention = Attention()
        self._vault, self._embedder = vault, embedder
        self._index = Index(vault, embedder.model)
        self._recall = Recall(vault, embedder, self._index)

    def remembering(self, told: Callable[[Progress], None] = lambda progress: None) -> Remembering:
        """The work in the background; run it as a task, and cancel it at the end."""
        return Remembering(self._vault, self._embedder, self.attention, told)

    async def recall(
        self, question: str, *, without: Collection[str] = frozenset(), most_tokens: int | None = None
    ) -> tuple[Recalled, ...]:
        """What goes with a question: only passages that fit it, within the budget. Nothing while memory is off.

        Args:
            question: what the person said.
            without: ids of messages that the model sees already.
            most_tokens: a smaller budget than the settings', for a small context window.

        Raises:
            PlaygroundError: as ``search``.
        """
        settings = self.settings
        budget = settings.budget if most_tokens is None else min(settings.budget, most_tokens)
        if not settings.enabled or budget <= 0:
            return ()
        return within(await self.search(question, settings.most * 3, without=without), budget, settings.most)

    async def search(
        self, words: str, limit: int = 10, *, without: Collection[str] = frozenset()
    ) -> tuple[Recalled, ...]:
        """What fits best by meaning and by words, whether it fits well or not.

        Raises:
            VaultLockedError: while the vault is locked.
            PlaygroundError: when the embedding model is not there or fails.
        """
        return await self._recall.search(words, limit, without=without)

    async def forget(self, source: Source, source_id: str) -> None:
        """Removes a message or a post from memory for good; the message itself stays where it is."""
        await self._vault.vectors.forget(source, [source_id])

    async def status(self) -> Standing:
        """How far memory is. Counts, so it takes a while in a large vault."""
        return await self._vault.vectors.standing(self._embedder.model)

    async def rebuild(self) -> int:
        """Drops every vector, of other models too, so that all is embedded anew; gives how many there were."""
        dropped = await self._vault.vectors.drop()
        self._index.close()
        return dropped

    def close(self) -> None:
        """Forgets the index; for when the vault is locked."""
        self._index.close()
