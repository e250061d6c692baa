"""A fallback service as a real process over TLS, whose box is away for good."""

import socket
from collections.abc import Iterator
from uuid import uuid4

import pytest

from kit.local_fallback import LocalFallback


@pytest.fixture(scope="package")
def fallback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFallback]:
    """One for all tests here: none of them may rely on what was asked before."""
    folder = tmp_path_factory.mktemp("fallback")
    service = LocalFallback(folder / "data", folder / "secrets")
    service.create()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"https://127.0.0.1:{taken.getsockname()[1]}"  # somebody listens there and never answers
        (folder / "box-ca.pem").write_text((folder / "secrets" / "ca.pem").read_text())
        service.stand_in_for(url, folder / "box-ca.pem", str(uuid4()), "dbx_a-key-of-the-box-that-is-away")
        service.start()
        yield service
        service.kill()
