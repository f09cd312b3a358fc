"""What an `Api` may raise, by Kubernetes' own reasons; everything else is our own bug."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from oneco.errors import OnecoError, Refused, Unavailable


class Cause(NamedTuple):
    """One field's mistake: Kubernetes' `StatusCause`."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"


class ApiError(OnecoError):
    """An API server's refusal or failure; `code` and `reason` are those of its Status object."""

    code = 500
    reason = "InternalError"

    def __init__(
        self, message: str, *, causes: Sequence[Cause] = (), details: dict[str, Any] | None = None
    ) -> None:
        Exception.__init__(self, message)
        self.message, self.causes, self.details = message, tuple(causes), details or {}

    def status(self) -> dict[str, Any]:
        """The `Status` object that says this over the wire."""
        details = dict(self.details)
        if self.causes:
            details["causes"] = [
                {"reason": cause.reason, "message": cause.message}
                | ({"field": cause.field} if cause.field else {})
                for cause in self.causes
            ]
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            **({"reason": self.reason} if self.reason else {}),
        }
        return body | ({"details": details} if details else {}) | {"code": self.code}


class ApiRefusal(ApiError, Refused):
    """The request must change before it can succeed."""

    where, found, wanted = "", None, ""


class ApiOutage(ApiError, Unavailable):
    """The server or the way to it must change; the same request may succeed later."""

    retry_after_seconds: float | None = None


class BadRequest(ApiRefusal):
    """The request cannot be understood."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiRefusal):
    """Nobody knows who is asking."""

    code, reason = 401, "Unauthorized"


class Forbidden(ApiRefusal):
    """The one who asks may not."""

    code, reason = 403, "Forbidden"


class NotFound(ApiRefusal):
    """There is no such object or no such resource."""

    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiRefusal):
    """The resource does not do that."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiRefusal):
    """None of the representations asked for can be given."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiRefusal):
    """The name is taken."""

    code, reason = 409, "AlreadyExists"


class Conflict(ApiRefusal):
    """The object changed meanwhile, or another manager owns the field."""

    code, reason = 409, "Conflict"


class Expired(ApiRefusal):
    """The version asked for is older than what the server remembers: list again."""

    code, reason = 410, "Expired"


class TooLarge(ApiRefusal):
    """The request is larger than the server accepts."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiRefusal):
    """The body's format is not one the server reads."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiRefusal):
    """Fields of the object are wrong; `causes` names each."""

    code, reason = 422, "Invalid"


class TooManyRequests(ApiOutage):
    """The server asks for patience."""

    code, reason = 429, "TooManyRequests"


class InternalError(ApiOutage):
    """The server failed."""

    code, reason = 500, "InternalError"


class Unstated(ApiRefusal):
    """An applied value has the wrong type, which servers call a failure of their own."""

    code, reason = 500, ""


class ServiceUnavailable(ApiOutage):
    """The server cannot be reached or does not serve now."""

    code, reason = 503, "ServiceUnavailable"


class Untrusted(ServiceUnavailable):
    """Whoever answers there is certified by another authority than the one that is trusted."""


class Timeout(ApiOutage):
    """No answer came in time; the request may have been carried out."""

    code, reason = 504, "Timeout"


MISTYPED = "failed to create typed patch object"
"""How the message of an `Unstated` begins."""
_BY_REASON = {
    kind.reason: kind
    for kind in (
        BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable,
        AlreadyExists, Conflict, Expired, TooLarge, UnsupportedMediaType, Invalid,
        TooManyRequests, InternalError, ServiceUnavailable, Timeout,
    )
}  # fmt: skip
_BY_CODE = {kind.code: kind for kind in _BY_REASON.values() if kind is not AlreadyExists}


def from_status(status: dict[str, Any], code: int = 500) -> ApiError:
    """The error that a `Status` object tells of; `code` is the HTTP status it came with."""
    code = status.get("code") or code
    fallback = _BY_CODE.get(code, InternalError if code >= 500 else BadRequest)
    kind: type[ApiError] = _BY_REASON.get(status.get("reason") or "", fallback)
    if code == Unstated.code and (status.get("message") or "").startswith(MISTYPED):
        # Tried again it would be refused again, and nobody would ever hear of it.
        kind = Unstated
    details = dict(status.get("details") or {})
    causes = tuple(
        Cause(one.get("field", ""), one.get("message", ""), one.get("reason", ""))
        for one in details.pop("causes", None) or ()
    )
    return kind(status.get("message") or f"HTTP status {code}", causes=causes, details=details)
