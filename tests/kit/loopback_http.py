"""A small real HTTP server on loopback, for simulators of what stands outside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int
    content_type: str
    content: bytes


class LoopbackServer:
    """Answers as `answer` says, None being a connection that is dropped. Each request has a thread of its own."""

    def __init__(self, answer: Callable[[Asked], Told | None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                content = self.rfile.read(length)
                told = answer(Asked(self.command, self.path, self.headers.get("content-type", ""), content))
                if told is None:
                    self.close_connection = True
                    return
                try:
                    self.send_response(told.status)
                    self.send_header("content-type", told.content_type)
                    self.send_header("content-length", str(len(told.content)))
                    self.end_headers()
                    self.wfile.write(told.content)
                except ConnectionError:  # who asked has gone: the box does not wait for all
                    self.close_connection = True

            do_GET = do_POST = handle_one  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: object) -> None:
                """Silence."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that went away is no error of ours."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
