"""An OpenID provider in a process of its own: its libraries warn of themselves, and warnings are errors in ours."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


@contextlib.contextmanager
def oidc_provider(people: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """The issuer: an address on loopback. `people` are subjects and what is said of them."""
    command = [sys.executable, "-W", "ignore", "-m", "kit.oidc_provider_process", json.dumps(people)]
    path = [entry for entry in sys.path if entry]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": ":".join(path)},
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://localhost:{int(process.stdout.readline())}"
        finally:
            process.kill()


def main() -> None:
    import oidc_provider_mock

    people = [oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in json.loads(sys.argv[1])]
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        print(server.server_port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
