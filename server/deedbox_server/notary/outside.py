"""Calls that a box makes to others' servers: short, small, to the address that was set and nowhere else."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.request import getproxies

import httpx

from deedbox_server.people.fetching import Unreachable

_NAME_SECONDS = 2.0  # that looking up a name may take; without a way out a resolver may sit for half a minute


class OutsideError(Unreachable):
    """No usable answer: the message is a few words for people, without the address."""


@dataclass(frozen=True)
class OutsideAnswer:
    """Whatever was said, success or not; nothing of it is to be believed."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Outside:
    """One client for all of it. Redirects are answers, not followed; proxies are those of the environment, never for loopback."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @classmethod
    def open(cls, trust: ssl.SSLContext | None = None) -> Outside:
        """Opens nothing before the first call. `trust` says whose certificates count; else those that the client knows."""
        mounts = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
        verify = True if trust is None else trust
        headers = {"user-agent": "deedbox"}
        return cls(httpx.AsyncClient(mounts=mounts, follow_redirects=False, headers=headers, verify=verify))

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, url: str, *, seconds: float, limit: int) -> bytes:
        """The body of a 200, at most `limit` bytes, all of it within `seconds`; else OutsideError."""
        return _success(await self.ask("GET", url, seconds=seconds, limit=limit))

    async def post(self, url: str, content: bytes, content_type: str, *, seconds: float, limit: int) -> bytes:
        """As `get`, for what is asked with a body."""
        return _success(
            await self.ask("POST", url, content, {"content-type": content_type}, seconds=seconds, limit=limit)
        )

    async def ask(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float,
        limit: int,
    ) -> OutsideAnswer:
        """Any answer at all of at most `limit` bytes, all of it within `seconds`; else OutsideError."""
        try:
            async with asyncio.timeout(seconds):
                await _look_up(httpx.URL(url))
                request = self._client.stream(method, url, content=content, headers=headers, timeout=seconds)
                async with request as answer:
                    body = bytearray()
                    async for piece in answer.aiter_bytes():
                        body += piece
                        if len(body) > limit:
                            raise OutsideError(f"answered with more than {limit:,} bytes")
                    return OutsideAnswer(answer.status_code, answer.headers, bytes(body))
        except TimeoutError:
            raise OutsideError(f"did not answer within {seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as problem:
            raise OutsideError("could not be reached") from problem


def _success(answer: OutsideAnswer) -> bytes:
    if answer.status != httpx.codes.OK:
        raise OutsideError(f"answered with status {answer.status}")
    return answer.content


async def _look_up(url: httpx.URL) -> None:
    """Fail fast where names are not answered, in a thread that nobody waits for: a pool's thread would hold up the box's end.

    What is found here, the client finds again at once. Behind a proxy names are the proxy's to look up.
    """
    if getproxies().get(url.scheme) or not url.host:
        return
    loop = asyncio.get_running_loop()
    found: asyncio.Future[None] = loop.create_future()

    def tell(problem: OSError | None) -> None:
        if found.done():
            return
        if problem is None:
            found.set_result(None)
        else:
            found.set_exception(problem)

    def look() -> None:
        problem = None
        try:
            socket.getaddrinfo(url.host, url.port or url.scheme, type=socket.SOCK_STREAM)
        except OSError as error:
            problem = error
        try:
            loop.call_soon_threadsafe(tell, problem)
        except RuntimeError:  # the loop is closed: the box has ended meanwhile
            return

    threading.Thread(target=look, name="name look-up", daemon=True).start()
    async with asyncio.timeout(_NAME_SECONDS):
        await found
