"""Which headers of a client go on to an endpoint (RFC 9110), and what is done to them then."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.backends.endpoint import HeaderRules
from app.backends.header_rules import CREDENTIALS, OF_THE_CONNECTION
from app.errors import InvalidRequestError, SettingsError
from app.settings.substitute import substitute

_OF_THE_CLIENT = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "origin", "referer"}
)
"""Where the client is: it goes on where it is named, never because everything does."""

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TELLING = re.compile(
    r"(?:^|[-_])(?:auth|authorization|token|secret|password|passwd|cookie|credentials?|api-?key)(?:$|[-_])"
)
"""Names that say of themselves that they carry a credential."""


class BadHeaderError(ValueError):
    """A rule cannot be used; the message says why, and never repeats a value."""


class HeaderChoice:
    """Header rules, ready to use. Their values are never shown.

    Args:
        rules: as the catalogue has them; ``${NAME}`` in values stands for a variable of the environment.
        environ: the process's environment.

    Raises:
        BadHeaderError: for what is no header's name or value, belongs to the connection, or refers to what is not set.
    """

    def __init__(self, rules: HeaderRules, environ: Mapping[str, str]) -> None:
        self._mode = rules.mode
        self._names = frozenset(_name(name) for name in rules.names)
        self._drop = frozenset(_name(name) for name in rules.drop)
        self._secrets: set[str] = set()
        self._force = self._values("force", rules.force, environ)
        self._add = self._values("add", rules.add, environ)
        if rules.mode == "passthrough" and rules.names:
            raise BadHeaderError("mode is passthrough, which sends all; `names` has no meaning with it")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that came from the environment, so that they can be masked elsewhere."""
        return tuple(self._secrets)

    @property
    def lets_pass(self) -> bool:
        """Whether any header of a client may go on."""
        return self._mode != "whitelist" or bool(self._names)

    def apply(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers that go on, with lower-case names.

        Raises:
            InvalidRequestError: when a header that would go on could be read as more than one.
        """
        of_connection = {
            name.strip().lower()
            for key, value in headers.items()
            if key.lower() == "connection"
            for name in value.split(",")
        }
        going: dict[str, str] = {}
        for key, value in headers.items():
            name = key.lower()
            if name in of_connection or not self._goes(name):
                continue
            if not _NAME.fullmatch(name) or not _is_value(value):
                raise InvalidRequestError(f"The header {key[:80]!r} has characters that a header cannot have.")
            going[name] = value
        going.update(self._force)
        for name, value in self._add.items():
            going.setdefault(name, value)
        return {name: value for name, value in going.items() if name not in self._drop}

    def _goes(self, name: str) -> bool:
        if name in OF_THE_CONNECTION or name in CREDENTIALS or name.startswith((":", "proxy-")):
            return False
        if self._mode == "whitelist":
            return name in self._names
        if _TELLING.search(name) or name in _OF_THE_CLIENT:
            return False
        return self._mode == "passthrough" or name not in self._names

    def _values(self, what: str, values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, text in values.items():
            name = _name(key)
            if name in OF_THE_CONNECTION or name.startswith("proxy-"):
                raise BadHeaderError(
                    f"`{what}` sets {name!r}, which belongs to the connection; expected another header"
                )
            try:
                value, referred = substitute(text, environ, f"`{what}` of {name!r}")
            except SettingsError as error:
                raise BadHeaderError(str(error).removesuffix(".")) from None
            if not _is_value(value):
                raise BadHeaderError(f"`{what}` of {name!r} has characters that a header cannot have, or none")
            if referred:
                self._secrets.add(value)
                self._secrets.update(environ[part] for part in _referred(text) if environ.get(part))
            found[name] = value
        return found

    def __repr__(self) -> str:
        return f"HeaderChoice(mode={self._mode!r})"


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise BadHeaderError(f"{text!r} is no header's name; expected letters, digits and '-'")
    return text.lower()


def _is_value(text: str) -> bool:
    """Visible characters, spaces and tabs, and nothing that ends a line; none at the edges."""
    return text == text.strip(" \t") and all(
        " " <= part <= "~" or part == "\t" or "\xa0" <= part <= "\xff" for part in text
    )


def _referred(text: str) -> list[str]:
    return re.findall(r"\$\{([A-Za-z_][A-Za-z0-9_]*)", text)
