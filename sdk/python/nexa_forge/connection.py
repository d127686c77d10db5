# SPDX-License-Identifier: Apache-2.0
"""One server over HTTP, with the standard library alone: keys, retries, and errors as exceptions."""

from __future__ import annotations

import http.client
import json
import os
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any, BinaryIO, Mapping, Optional, Union

from .errors import APIConnectionError, APITimeoutError, ConfigurationError, status_error

DEFAULT_URL = "http://localhost:8000/api"
RETRY_DELAY_MIN_SECONDS = 0.5
RETRY_DELAY_MAX_SECONDS = 8.0
RETRY_AFTER_MAX_SECONDS = 120.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to wherever it points."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


def find_url(given: Optional[str]) -> str:
    """`given`, else NEXA_API_URL, else the local server; a bare host means its /api."""
    url = (given or os.environ.get("NEXA_API_URL") or DEFAULT_URL).rstrip("/")
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigurationError(f"'{url}' is no address of a server; for example {DEFAULT_URL}")
    return url if parts.path else f"{url}/api"


def find_key(given: Optional[str]) -> str:
    """`given`, else NEXA_API_KEY."""
    key = (given or os.environ.get("NEXA_API_KEY") or "").strip()
    if not key:
        raise ConfigurationError("no API key: give api_key=…, or set NEXA_API_KEY")
    return key


def _may_retry(status: int, headers: Mapping[str, str]) -> bool:
    verdict = headers.get("x-should-retry")
    if verdict in ("true", "false"):
        return verdict == "true"
    return status in (408, 429) or status >= 500


def _asked_delay(headers: Mapping[str, str]) -> Optional[float]:
    """Seconds that the server asks to wait, if it does and they are few enough to wait."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= RETRY_AFTER_MAX_SECONDS else None


def _delay(attempt: int) -> float:
    """Doubles from half a second to eight; up to a quarter less, so that clients do not come together."""
    return min(RETRY_DELAY_MIN_SECONDS * 2**attempt, RETRY_DELAY_MAX_SECONDS) * (1 - 0.25 * random.random())


class Connection:
    """Sends requests with one key. Safe to use from several threads: it keeps no connection between calls.

    timeout: seconds without a byte from the server until a call is given up; max_retries: of requests that found no server
    or were answered 408, 429 or 5xx. Every POST carries one Idempotency-Key through its retries, so none is done twice.
    """

    def __init__(self, url: str, key: str, timeout: float, max_retries: int):
        self.url = url
        self.timeout = timeout
        self.max_retries = max_retries
        self._key = key
        self._opener = urllib.request.build_opener(_NoRedirects())

    def json(
        self, method: str, path: str, body: Optional[Mapping[str, Any]] = None, query: Optional[Mapping[str, Any]] = None
    ) -> Any:
        """What the server answers, parsed. `path` is below `url`, or an address of its own."""
        headers = {}
        data = None
        if body is not None:
            data = json.dumps(body, allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        answer = self.send(method, path, data, query, headers)
        try:
            return json.loads(answer) if answer else {}
        except ValueError as error:
            raise APIConnectionError(f"the answer of {self._address(path)} is not JSON: is it a Nexa Forge server?") from error

    def send(
        self,
        method: str,
        path: str,
        data: Union[bytes, BinaryIO, None] = None,
        query: Optional[Mapping[str, Any]] = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> bytes:
        """The body of a successful answer. A file in `data` is sent from its beginning, also in a retry."""
        address = self._address(path)
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        if asked:
            address += "?" + urllib.parse.urlencode(asked)
        sent = {"Authorization": f"Bearer {self._key}", "User-Agent": "nexa-forge-python", **(headers or {})}
        if method == "POST":
            sent["Idempotency-Key"] = f"python-{uuid.uuid4()}"
        attempt = 0
        while True:
            request = urllib.request.Request(address, data=data, headers=sent, method=method)
            if data is not None and not isinstance(data, bytes):
                data.seek(0)
            try:
                with self._opener.open(request, timeout=self.timeout) as reply:
                    return reply.read()
            except urllib.error.HTTPError as refusal:
                with refusal:
                    body = refusal.read()
                if attempt == self.max_retries or not _may_retry(refusal.code, refusal.headers):
                    raise status_error(refusal.code, body) from None
                delay = _asked_delay(refusal.headers)
            except (OSError, http.client.HTTPException) as broken:
                if attempt == self.max_retries:
                    raise self._broken(address, broken) from broken
                delay = None
            time.sleep(_delay(attempt) if delay is None else delay)
            attempt += 1

    def _address(self, path: str) -> str:
        return path if "://" in path else self.url + path

    def _broken(self, address: str, broken: Exception) -> APIConnectionError:
        reason = getattr(broken, "reason", broken)
        if isinstance(reason, TimeoutError):
            return APITimeoutError(f"{address}: nothing came for {self.timeout:g} s")
        return APIConnectionError(f"{address}: {reason or type(broken).__name__}; is the server running?")
