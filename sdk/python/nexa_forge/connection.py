# SPDX-License-Identifier: Apache-2.0
"""One server over HTTP, with the standard library alone: keys, retries, and errors as exceptions."""

from __future__ import annotations

import email.utils
import http.client
import json
import os
import random
import select
import socket
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
CHUNK_BYTES = 1 << 18

Body = Union[bytes, BinaryIO, None]


def _address_fault(url: str) -> Optional[str]:
    """What keeps `url` from being a server's address; None if nothing does."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "it must be http:// or https:// and a host"
    if parts.username is not None:
        return "it must not hold a user; the key goes into NEXA_API_KEY"
    if parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        return "it must end with a path, in printable ASCII"
    return None


def find_url(given: Optional[str]) -> str:
    """`given`, else NEXA_API_URL, else the local server; a bare host means its /api."""
    url = (given or os.environ.get("NEXA_API_URL") or DEFAULT_URL).rstrip("/")
    fault = _address_fault(url)
    if fault:
        shown = url.rsplit("@", 1)[-1]
        raise ConfigurationError(f"'{shown}' is no address of a server: {fault}; for example {DEFAULT_URL}")
    return url if urllib.parse.urlsplit(url).path else f"{url}/api"


def find_key(given: Optional[str]) -> str:
    """`given`, else NEXA_API_KEY."""
    key = (given or os.environ.get("NEXA_API_KEY") or "").strip()
    if not key:
        raise ConfigurationError("no API key: give api_key=…, or set NEXA_API_KEY")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError("the API key is more than one word of printable ASCII: is there one key alone?")
    return key


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to wherever it points."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


class _UntilAnswered:
    """Sends no more once the server has answered: it need not take bytes that it has already, or refuses."""

    _is_answered = False

    def send(self, data):
        self._is_answered = self._is_answered or self._has_words()
        if self._is_answered:
            return
        try:
            super().send(data)
        except (BrokenPipeError, ConnectionResetError):
            self._is_answered = True  # what it said before it hung up can still be read

    def _has_words(self) -> bool:
        is_plain = type(self.sock) is socket.socket  # TLS has messages of its own
        return is_plain and bool(select.select([self.sock], [], [], 0)[0])


class _HttpConnection(_UntilAnswered, http.client.HTTPConnection):
    pass


class _HttpsConnection(_UntilAnswered, http.client.HTTPSConnection):
    pass


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req):
        return self.do_open(_HttpConnection, req, blocksize=CHUNK_BYTES)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req):
        return self.do_open(_HttpsConnection, req, blocksize=CHUNK_BYTES)


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and HTTPS, over the environment's proxies, and no other scheme."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _NoRedirects(),
        _HttpHandler(),
        _HttpsHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes):
        self.status = status
        self.headers = headers
        self.body = body

    def may_be_repeated(self, once: bool) -> bool:
        verdict = self.headers.get("x-should-retry")
        if verdict == "false":
            return False
        if once:
            return self.status in (429, 503)
        return verdict == "true" or self.status in (408, 429) or self.status >= 500

    def link(self) -> Optional[str]:
        """Where a 307 sends to, if that is a whole URL: into the server's store."""
        target = self.headers.get("location", "")
        is_url = urllib.parse.urlsplit(target).scheme in ("http", "https")
        return target if self.status == 307 and is_url else None

    def asked_delay(self) -> Optional[float]:
        """The seconds of Retry-After, which is a number or a date; None without it."""
        text = self.headers.get("retry-after")
        if text is None:
            return None
        try:
            return max(float(text), 0.0)
        except ValueError:
            pass
        try:
            return max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
        except (TypeError, ValueError):
            return None


def _never_arrived(broken: Exception) -> bool:
    reason = getattr(broken, "reason", broken)
    return isinstance(reason, (ConnectionRefusedError, socket.gaierror))


def _backoff(attempt: int) -> float:
    """Doubles from half a second to eight; up to a quarter less, so that clients do not come together."""
    return min(RETRY_DELAY_MIN_SECONDS * 2**attempt, RETRY_DELAY_MAX_SECONDS) * (1 - 0.25 * random.random())


class Connection:
    """Sends requests with one key. Threads may share it: it keeps no connection between calls.

    timeout: seconds without a byte from the server until a call is given up; max_retries: of calls that found no server, lost
    it, or were answered 408, 429 or 5xx. A POST carries one Idempotency-Key through its retries. What is done a second time
    by a second call all the same (`once`) is repeated only if the server never had it, or said 429 or 503.
    """

    def __init__(self, url: str, key: str, timeout: float, max_retries: int):
        if not isinstance(max_retries, int) or max_retries < 0:
            raise ConfigurationError(f"max_retries={max_retries!r} must be a whole number, 0 or more")
        if not timeout > 0:
            raise ConfigurationError(f"timeout={timeout!r} must be more than 0 seconds")
        self.url = url
        self.timeout = timeout
        self.max_retries = max_retries
        self._key = key
        self._opener = _opener()

    def json(
        self,
        method: str,
        path: str,
        body: Optional[Mapping[str, Any]] = None,
        *,
        query: Optional[Mapping[str, Any]] = None,
        once: bool = False,
    ) -> Any:
        """What the server answers, parsed; {} if that is nothing. `path` is below `url`."""
        address = self.url + path
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        if asked:
            address += "?" + urllib.parse.urlencode(asked)
        return _parsed(address, self._send(method, address, *_as_json(body), once=once, timeout=self.timeout))

    def json_elsewhere(self, address: str, body: Mapping[str, Any], timeout: float) -> Any:
        """A POST to a gateway that this server named, done once. The key goes there, so never in clear where it was not."""
        fault = _address_fault(address)
        if fault:
            raise APIConnectionError(f"the server named '{address}' as a gateway: {fault}")
        if self.url.startswith("https:") and not address.startswith("https:"):
            raise ConfigurationError(f"the gateway at {address} is not behind https, as the server is: the key stays here")
        return _parsed(address, self._send("POST", address, *_as_json(body), once=True, timeout=timeout))

    def read(self, path: str) -> bytes:
        """The bytes of an answer, from the store if the server names a link into it: the key does not go there."""
        return self._send("GET", self.url + path, None, {}, once=False, timeout=self.timeout, follows_link=True)

    def put_by_link(self, url: str, headers: Mapping[str, str], file: BinaryIO, size: int) -> None:
        """Sends a file by a link that the server gave: with its headers, and no key."""
        sent = {**headers, "Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._send("PUT", url, file, sent, once=False, timeout=self.timeout, with_key=False)

    def put_file(self, path: str, file: BinaryIO, size: int) -> None:
        """Sends a file of that many bytes, from its beginning, also in a retry."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._send("PUT", self.url + path, file, headers, once=False, timeout=self.timeout)

    def _send(
        self, method: str, address: str, body: Body, headers: Mapping[str, str], *, once: bool, timeout: float,
        with_key: bool = True, follows_link: bool = False,
    ) -> bytes:
        sent = {"User-Agent": "nexa-forge-python", **headers}
        if with_key:
            sent["Authorization"] = f"Bearer {self._key}"
        if method == "POST":
            sent["Idempotency-Key"] = f"python-{uuid.uuid4()}"
        attempt = 0
        while True:
            delay = _backoff(attempt)
            try:
                return self._attempt(urllib.request.Request(address, data=body, headers=sent, method=method), timeout)
            except _Refused as refused:
                link = refused.link() if follows_link else None
                if link is not None:
                    return self._send("GET", link, None, {}, once=once, timeout=timeout, with_key=False)
                asked = refused.asked_delay()
                is_last = attempt >= self.max_retries or (asked or 0) > RETRY_AFTER_MAX_SECONDS
                if is_last or not refused.may_be_repeated(once):
                    raise status_error(refused.status, refused.headers, refused.body) from None
                delay = delay if asked is None else asked
            except (OSError, http.client.HTTPException) as broken:
                if attempt >= self.max_retries or (once and not _never_arrived(broken)):
                    raise _connection_error(address, broken, timeout) from broken
            time.sleep(delay)
            attempt += 1

    def _attempt(self, request: urllib.request.Request, timeout: float) -> bytes:
        if hasattr(request.data, "seek"):
            request.data.seek(0)
        try:
            with self._opener.open(request, timeout=timeout) as reply:
                return reply.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                try:
                    body = refusal.read()
                except (OSError, http.client.HTTPException):
                    body = b""  # the status says enough
            raise _Refused(refusal.code, refusal.headers, body) from None


def _parsed(address: str, answer: bytes) -> Any:
    try:
        return json.loads(answer) if answer else {}
    except ValueError as error:
        raise APIConnectionError(f"the answer of {address} is not JSON: is it a Nexa Forge server?") from error


def _as_json(body: Optional[Mapping[str, Any]]):
    """The bytes and the headers of a request with that body."""
    if body is None:
        return None, {}
    return json.dumps(body, allow_nan=False).encode(), {"Content-Type": "application/json"}


def _connection_error(address: str, broken: Exception, timeout: float) -> APIConnectionError:
    reason = getattr(broken, "reason", broken)
    if isinstance(reason, (TimeoutError, socket.timeout)):  # two classes until Python 3.10
        return APITimeoutError(f"{address}: nothing came for {timeout:g} s")
    return APIConnectionError(f"{address}: {reason or type(broken).__name__}; is the server running?")
