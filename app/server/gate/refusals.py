"""What the gate refuses, one class a cause. None of them repeats a secret that it was given."""

from __future__ import annotations

from app.errors import PlaygroundError


class RefusalError(PlaygroundError):
    """A request that does not reach the protocols.

    Attributes:
        retry_after_s: seconds after which the same request may be answered; None when waiting changes nothing.
    """

    title = "Refused"
    code = "refused"

    def __init__(self, message: str, remedy: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after_s = retry_after_s


class HostRefusedError(RefusalError):
    """The Host header names something that this server is not."""

    code = "host_refused"


class OriginRefusedError(RefusalError):
    """A web page of another origin asks."""

    code = "origin_refused"


class KeyRefusedError(RefusalError):
    """There is no key, or not one that is valid now."""

    code = "invalid_api_key"


class ScopeRefusedError(RefusalError):
    """The key is valid, but not for this."""

    code = "missing_scope"


class MalformedRequestError(RefusalError):
    """The request itself is not well formed."""

    code = "malformed_request"


class BodyTooLargeError(RefusalError):
    """The body has more bytes than are allowed."""

    code = "request_too_large"


class EncodingRefusedError(RefusalError):
    """The body is compressed, and nothing here decompresses."""

    code = "unsupported_encoding"


class HeadTooLargeError(RefusalError):
    """The headers have more bytes than are allowed."""

    code = "headers_too_large"


class BodyLateError(RefusalError):
    """The body did not arrive in time."""

    code = "request_timeout"


class TooManyRequestsError(RefusalError):
    """A limit of requests or tokens a minute is reached, or the address has been blocked for a while."""

    code = "rate_limit_exceeded"


class QuotaSpentError(RefusalError):
    """A key's tokens of this month are spent."""

    code = "insufficient_quota"
