# SPDX-License-Identifier: Apache-2.0
"""What a call can raise: a NexaError, or what Python says of a local file or of an argument that is no JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Mapping, Optional

if TYPE_CHECKING:
    from .models import JobView


class NexaError(Exception):
    """Anything that this package raises on purpose."""


class ConfigurationError(NexaError):
    """The client was given no key, or an address that is none."""


class APIConnectionError(NexaError):
    """No answer came: the server is not there, or the connection broke."""


class APITimeoutError(APIConnectionError):
    """Nothing came for as long as the client's `timeout`."""


class APIStatusError(NexaError):
    """The server refused. Its problem document (RFC 9457) is in the attributes.

    status: the HTTP status; code: what is wrong, in one word; detail: the sentence; param: the field it is about; hint: what
    to do; request_id: to look it up in the server's log.
    """

    def __init__(self, status: int, problem: dict):
        self._problem = problem
        self.status = status
        self.code: str = problem.get("code") or ""
        self.detail: str = problem.get("detail") or f"the server answered {status}"
        self.param: Optional[str] = problem.get("param")
        self.hint: Optional[str] = problem.get("hint")
        self.request_id: Optional[str] = problem.get("request_id")
        where = f"{self.param}: " if self.param else ""
        hint = f" ({self.hint})" if self.hint else ""
        super().__init__(f"{where}{self.detail}{hint}")

    def __reduce__(self):
        return type(self), (self.status, self._problem)


class BadRequestError(APIStatusError):
    """400: the request is not what the API takes."""


class AuthenticationError(APIStatusError):
    """401, or 403 with the code `unauthenticated`: no key, or one that is unknown, expired or revoked."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or it is not yours."""


class ConflictError(APIStatusError):
    """409: it is not in a state for that."""


class UnprocessableEntityError(APIStatusError):
    """422: a field has a value that cannot be; `param` names it."""


class RateLimitError(APIStatusError):
    """429: too many requests, also after the retries."""


class InternalServerError(APIStatusError):
    """500 and above, also after the retries."""


class WrongKindError(NexaError):
    """An artifact of another kind than asked for."""


class JobError(NexaError):
    """A job that was waited for has failed or was cancelled; `job` is its last state."""

    def __init__(self, job: JobView):
        self.job = job
        error = job.get("error")
        reason = f": {error['message']}" if error else ""
        hint = f" ({error['hint']})" if error and error.get("hint") else ""
        super().__init__(f"job {job['job_id']} ({job['job_type']}) is {job['status']}{reason}{hint}")

    def __reduce__(self):
        return type(self), (self.job,)


class JobTimeoutError(NexaError, TimeoutError):
    """A job that was waited for has not ended in time; it goes on."""


_BY_STATUS = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def _problem_of(body: bytes) -> dict:
    """The members of a problem document, or of OpenAI's envelope; empty if it is neither."""
    try:
        problem = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(problem, dict):
        return {}
    envelope = problem.get("error")
    if isinstance(envelope, dict):
        return {"detail": envelope.get("message"), "code": envelope.get("code"), "param": envelope.get("param")}
    return problem


def status_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """The exception for an answer that is not a success."""
    problem = _problem_of(body)
    problem.setdefault("request_id", headers.get("x-request-id"))
    if problem.get("code") == "unauthenticated":
        return AuthenticationError(status, problem)
    fallback = InternalServerError if status >= 500 else APIStatusError
    return _BY_STATUS.get(status, fallback)(status, problem)
