"""``hf:`` a file in a repository of a model hub.

huggingface-hub finds the file (revision, mirror, token); the bytes come through our own downloader, which resumes and
hashes while it streams.
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from app.engine.download import Report, download
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
        if found is None or ".." in PurePosixPath(found["file"]).parts:
            raise CatalogueError(f"The source hf:{rest} is not of the form hf:OWNER/REPOSITORY@REVISION/FILE.")
        return cls(found["repository"], found["revision"], found["file"])

    @property
    def file_name(self) -> str:
        """The last part of the file's path in the repository."""
        return PurePosixPath(self.file).name

    async def fetch(self, part: Path, policy: ConnectionPolicy, report: Report) -> str:
        """See ``Source.fetch``. The hub's own digest of the file is checked too, where it tells one.

        Raises:
            IntegrityError: when what came is not what the hub says it has.
        """
        policy.require(os.environ.get("HF_ENDPOINT") or "the model hub", f"download {self.file_name}")
        url, headers, expected = await asyncio.to_thread(self._locate)
        digest = await download(url, part, report, headers=headers)
        if expected is not None and digest != expected:
            part.unlink(missing_ok=True)
            raise IntegrityError(
                f"{self.file_name} came with sha256 {digest}; the hub says {expected}.", "Fetch it again."
            )
        return digest

    def _locate(self) -> tuple[str, dict[str, str], str | None]:
        """The address of the file's bytes, the headers to ask with, and the hub's digest of it."""
        # Read at import: no usage reports, no transfer protocol of its own.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("DO_NOT_TRACK", "1")
        import httpx
        import huggingface_hub as hub
        from huggingface_hub.errors import HfHubHTTPError

        url = hub.hf_hub_url(self.repository, self.file, revision=self.revision)
        try:
            facts: Any = hub.get_hf_file_metadata(url)
        except HfHubHTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            hint = "Accept its licence on the hub and set HF_TOKEN." if status in (401, 403) else "Check the catalogue."
            raise DownloadError(f"The hub has no {self.file} in {self.repository} for us ({status}).", hint) from error
        except (httpx.HTTPError, OSError) as error:
            raise OfflineError(
                f"The model hub cannot be reached: {error}.", "Check the network and try again."
            ) from error
        headers = hub.utils.build_hf_headers()
        same_host = httpx.URL(facts.location).host == httpx.URL(url).host
        if not same_host:
            # The bytes lie with another host, which must not see the token.
            headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        digest = facts.etag if facts.etag and _SHA256.fullmatch(facts.etag) else None
        return facts.location, headers, digest
