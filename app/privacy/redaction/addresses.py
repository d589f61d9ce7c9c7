"""E-mail and IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from .spans import Span

_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}\Z")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_][\w-]{0,61}[^\W_]")
_LOCAL_ENDS = ".'`*{}|/=?&#!"
# fmt: off
_FILE_SUFFIXES = frozenset((
    "avif", "bmp", "bz2", "cfg", "conf", "css", "csv", "gif", "gz", "htm", "html", "ico", "ini", "jar", "jpeg",
    "jpg", "js", "json", "jsx", "lock", "log", "lua", "map", "md", "mdx", "mjs", "mp3", "mp4", "pdf", "php",
    "png", "py", "rb", "rs", "sass", "scss", "svg", "tar", "toml", "ts", "tsx", "txt", "vue", "wasm", "wav",
    "webm", "webp", "xml", "yaml", "yml", "zip"
))
# fmt: on
"""What stands behind the last dot of ``logo@2x.png``; none of them is a top-level domain that people have mail at.

``md``, ``rs``, ``py`` and ``zip`` are top-level domains, so those count with a name of letters before them only.
"""

_NAMED_AFTER = re.compile(r"[^\W\d].*\.(?:[a-z]{2}|com|org|net|edu|gov|info)", re.IGNORECASE)
"""Before a file's suffix: ``jane@example.org.png`` is called after an address, ``logo@2x.min.js`` is not."""

_DOMAINS_TOO = frozenset(("md", "rs", "py", "zip", "js"))


class EmailDetector:
    """Addresses as people write them (RFC 5322 without quotes and comments), in any script."""

    kinds = frozenset(("email",))

    def find(self, text: str) -> Iterator[Span]:
        """See ``Detector.find``."""
        at = text.find("@")
        while at >= 0:
            local = _LOCAL.search(text, max(0, at - 64), at)
            domain = _DOMAIN.match(text, at + 1) if local else None
            if local and domain and not _is_something_else(text, local[0], domain):
                start = at - len(local[0].lstrip(_LOCAL_ENDS))
                if start < at and text[at - 1] != ".":
                    yield Span(start, domain.end(), "email")
            at = text.find("@", at + 1)


def _is_something_else(text: str, local: str, domain: re.Match[str]) -> bool:
    """A picture for sharp screens, a repository reached over SSH, a package's version."""
    name, _, suffix = domain[0].rpartition(".")
    if suffix.lower() in _FILE_SUFFIXES and (suffix.lower() not in _DOMAINS_TOO or name[0].isdigit()):
        return not _NAMED_AFTER.fullmatch(name)
    behind = text[domain.end() : domain.end() + 2]
    return local == "git" and behind[:1] == ":" and behind[1:].strip() != ""


_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:|::)(?:[0-9A-Fa-f]{0,4}:){0,7}[0-9A-Fa-f.]{0,15}(?![\w:])")
_VERSION = re.compile(
    r"(?:\b(?:version|versions|ver|release|released|build|firmware|driver|v|section|chapter|clause|table|figure|step"
    r"|upgrade|upgraded|update|updated|downgrade|downgraded|==|>=|<=|~=|\^)(?:\s+(?:is|to|from|after|before|since|until|number|no\.?))?"
    r"|==|>=|<=|~=|\^|@|§)[\s:=\"'(]{0,3}\Z",
    re.IGNORECASE,
)
_NOBODYS = frozenset(("127.0.0.1", "0.0.0.0", "255.255.255.255"))  # noqa: S104 - not bound, only recognised


class IpDetector:
    """IPv4 and IPv6 addresses; those that tell nothing (loopback, unspecified, netmasks) and versions are left."""

    kinds = frozenset(("ip",))

    def find(self, text: str) -> Iterator[Span]:
        """See ``Detector.find``."""
        if "." in text:
            for found in _V4.finditer(text):
                if _is_telling(found[0]) and not _VERSION.search(text, max(0, found.start() - 24), found.start()):
                    yield Span(*found.span(), "ip")
        if ":" in text:
            for found in _V6.finditer(text):
                written = found[0].rstrip(".")
                # Words of a few letters with colons are code (`dead::beef`); clock times have too few groups.
                if written.count(":") >= 2 and any(map(str.isdigit, written)) and _is_telling(written):
                    yield Span(found.start(), found.start() + len(written), "ip")


def _is_telling(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified or written in _NOBODYS:
        return False
    if address.version == 4:
        return not (written.startswith(("255.", "0.")) or written.endswith(".0.0.0"))
    # A slice in code is written like an address too: `data[2::4]`.
    return "::" not in written or max(map(len, written.split(":"))) >= 3
