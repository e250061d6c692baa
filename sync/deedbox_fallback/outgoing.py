"""Calls that the service makes: capped in time and size, to the address that was set and nowhere else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx


class OutgoingError(Exception):
    """No usable answer: the message is a few words, without the address."""


@dataclass(frozen=True)
class Answer:
    """Whatever was said, success or not."""

    status: int
    content: bytes


def outside_client() -> httpx.AsyncClient:
    """For others' servers: proxies are those of the environment, never for loopback."""
    mounts = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
    return httpx.AsyncClient(mounts=mounts, follow_redirects=False, headers={"user-agent": "deedbox-fallback"})


def box_client(authority_pem: str) -> httpx.AsyncClient:
    """For the box alone: believes its authority and no other, speaks TLS 1.3, and takes no proxy."""
    context = ssl.create_default_context(cadata=authority_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return httpx.AsyncClient(verify=context, trust_env=False, follow_redirects=False)


async def fetch(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    seconds: float,
    limit: int,
) -> Answer:
    """An answer of at most `limit` bytes, all of it within `seconds`; else OutgoingError."""
    try:
        async with (
            asyncio.timeout(seconds),
            client.stream(method, url, content=content, headers=headers, timeout=seconds) as answer,
        ):
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > limit:
                    raise OutgoingError(f"answered with more than {limit:,} bytes")
            return Answer(answer.status_code, bytes(body))
    except TimeoutError:
        raise OutgoingError(f"did not answer within {seconds:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as problem:
        raise OutgoingError("could not be reached") from problem
