"""``hf:`` a file in a repository of a model hub.

huggingface-hub finds the file (revision, mirror, token); the bytes come through our own downloader, which resumes and
hashes while it streams.
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from app.engine.files.download import Report, download
from app.errors import CatalogueError, DownloadError, IntegrityError, OfflineError
from app.privacy.connections import ConnectionPolicy

_FORM = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[\w./-]+?)/(?P<file>[^/@].*)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class HubSource:
    """A file of ``repository`` at ``revision``: a branch, a tag or, surest, a commit."""

    repository: str
    revision: str
    file: str

    @classmethod
    def parse(cls, rest: str) -> HubSource:
        """From what follows ``hf:``: ``OWNER/REPOSITORY@REVISION/FILE``."""
        found = _FORM.fullmatch(rest)
        if found is None or ".." in PurePosixPath(rest.replace("@", "/")).parts:
            raise CatalogueError(f"The source hf:{rest} is not of the form hf:OWNER/REPOSITORY@REVISION/FILE.")
        return cls(found["repository"], found["revision"], found["file"])

    @property
    def file_name(self) -> str:
        """The last part of the file's path in the repository."""
        return PurePosixPath(self.file).name

    def room(self, size: int) -> int:
        """See ``Source.room``."""
        return size

    def kept(self, part: Path) -> tuple[Path, ...]:
        """See ``Source.kept``."""
        return ()

    async def fetch(self, part: Path, policy: ConnectionPolicy, report: Report) -> str:
        """See ``Source.fetch``. The hub's own digest of the file is checked too, where it tells one.

        Raises:
            IntegrityError: when what came is not what the hub says it has.
        """
        purpose = f"download {self.file_name}"
        policy.require(os.environ.get("HF_ENDPOINT") or "the model hub", purpose)
        url, headers, expected = await asyncio.to_thread(self._locate)
        guard = partial(policy.require, purpose=purpose)
        digest = await download(url, part, report, headers=headers, guard=guard)
        if expected is not None and digest != expected:
            raise IntegrityError(
                f"{self.file_name} came with sha256 {digest}; the hub says {expected}.", "Fetch it again."
            )
        return digest

    def _locate(self) -> tuple[str, dict[str, str], str | None]:
        """The file's address at the hub, the headers to ask with, and the hub's digest of it.

        The address names the commit and stays the same, so that a part can be continued another day. The hub sends
        whoever asks there on to where the bytes lie, by an address that is signed anew and soon ends.
        """
        # Read at import: no usage reports.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("DO_NOT_TRACK", "1")
        import huggingface_hub as hub

        # Its HTTP library has changed before (requests, httpx, httpx2): it names the base of that one's errors itself.
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError
        from huggingface_hub.utils import build_hf_headers

        try:
            url = hub.hf_hub_url(self.repository, self.file, revision=self.revision)
            facts: Any = hub.get_hf_file_metadata(url)
            url = hub.hf_hub_url(self.repository, self.file, revision=facts.commit_hash or self.revision)
        except HFValidationError as error:
            raise CatalogueError(f"{self.repository} cannot be a repository: {error}.") from error
        except HfHubHTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status in (401, 403):
                hint = "Accept its licence on the hub and set HF_TOKEN."
            else:
                hint = "Check the catalogue." if status == 404 else "Try again later."
            raise DownloadError(f"The hub has no {self.file} in {self.repository} for us ({status}).", hint) from error
        except (HTTPError, OSError) as error:
            raise OfflineError(
                f"The model hub cannot be reached: {error}.", "Check the network and try again."
            ) from error
        # The token alone. It goes to the hub, and is left out by httpx where that redirects to another host.
        headers = {name: value for name, value in build_hf_headers().items() if name == "authorization"}
        digest = facts.etag if facts.etag and _SHA256.fullmatch(facts.etag) else None
        return url, headers, digest
