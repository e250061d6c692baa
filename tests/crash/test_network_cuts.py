"""Between desk and box a network that cuts connections at random bytes, stalls, and goes away: everything arrives once."""

import random
import socket
import time

import pytest

from deedbox_desktop.engine.status import Shown
from kit.bad_network import FAIR, Network, Weather, random_cuts
from kit.load import Load
from kit.local_site import NewSite
from kit.waiting import until
from kit.what_must_hold import Memory, verify_site

SMALL_FILES = 600
LARGE_FILES = 4
LARGE_MIB = 24
FIRST_CUT, LAST_CUT = 500, 24 << 20  # bytes: from within the handshake to within the last large file
CUTS = 12  # at least so many connections are cut before the weather clears up
CUT_SECONDS = 180.0
SETTLE_SECONDS = 240.0


@pytest.mark.crash
def test_connections_cut_at_random_bytes_lose_and_double_nothing(
    new_site: NewSite, rng: random.Random, rounds: int
) -> None:
    site = new_site(with_network=True)
    assert site.network is not None
    network = site.network
    network.weather = Weather(cut_after=random_cuts(rng, FIRST_CUT, LAST_CUT))
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    load.large(LARGE_FILES, mib=LARGE_MIB)
    load.small(SMALL_FILES)
    site.start()
    wanted = max(CUTS, rounds)
    until(
        lambda: network.cuts >= wanted or site.counts().keys() == {"receipted"},
        "the network cut enough connections",
        seconds=CUT_SECONDS * max(1, rounds // 10),
    )
    print(f"{network.cuts} of {network.connections} connections were cut")
    network.weather = FAIR
    load.small(SMALL_FILES // 10)
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    verify_site(site, memory, load)


@pytest.mark.crash
def test_a_network_that_stalls_then_refuses_then_comes_back(new_site: NewSite, rng: random.Random) -> None:
    site = new_site(with_network=True)
    assert site.network is not None
    network = site.network
    memory = Memory(site.desk)
    load = Load(site.watched, rng.randrange(1 << 32))
    network.weather = Weather(delay=0.02, rate=4 << 20)
    site.start()
    load.large(1, mib=12)
    load.small(50)
    until(lambda: "receipted" in site.counts(), "something came through the slow network", seconds=240)
    network.weather = Weather(stuck=True)
    load.small(50)
    until(lambda: sum(site.counts().values()) >= len(load.made), "the desk saw the files", seconds=240)
    network.weather = Weather(refused=True)
    network.cut_all()
    load.small(50)
    until(
        lambda: (
            all(file.spooled for file in site.look().files if file.state is Shown.CAPTURED)
            and site.counts().keys() <= {"captured", "receipted", "sending"}
        ),
        "what cannot be sent is in the spool",
        seconds=240,
        tell=site.counts,
    )
    network.weather = FAIR
    site.settle(len(load.made), seconds=SETTLE_SECONDS)
    verify_site(site, memory, load)


# --- the network itself


@pytest.fixture
def echo() -> "socket.socket":
    return socket.create_server(("127.0.0.1", 0))


def connected(server: socket.socket, network: Network) -> tuple[socket.socket, socket.socket]:
    near = socket.create_connection(("127.0.0.1", network.port), timeout=10)
    far, _ = server.accept()
    far.settimeout(10)
    return near, far


def test_a_connection_carries_just_the_bytes_it_may(echo: socket.socket) -> None:
    network = Network(0, echo.getsockname()[1])
    network.weather = Weather(cut_after=lambda: 1000)
    near, far = connected(echo, network)
    with echo, near, far:
        near.sendall(b"x" * 5000)
        received = 0
        with pytest.raises(ConnectionResetError):
            while piece := far.recv(4096):
                received += len(piece)
            raise ConnectionResetError  # an orderly end is an end too
        assert received <= 1000
        until(lambda: network.cuts == 1, "the cut is counted", seconds=60)
    network.close()


def test_fair_weather_passes_everything_both_ways(echo: socket.socket) -> None:
    network = Network(0, echo.getsockname()[1])
    near, far = connected(echo, network)
    with echo, near, far:
        near.sendall(b"question")
        assert far.recv(100) == b"question"
        far.sendall(b"answer")
        far.shutdown(socket.SHUT_WR)
        assert near.recv(100) == b"answer"
        assert near.recv(100) == b""
    network.close()


def test_a_stuck_connection_goes_on_when_the_weather_clears(echo: socket.socket) -> None:
    network = Network(0, echo.getsockname()[1])
    network.weather = Weather(stuck=True)
    near, far = connected(echo, network)
    with echo, near, far:
        near.sendall(b"late")
        far.settimeout(0.3)
        with pytest.raises(TimeoutError):
            far.recv(100)
        network.weather = FAIR
        far.settimeout(10)
        assert far.recv(100) == b"late"
    network.close()


def test_bytes_take_as_long_as_the_rate_says(echo: socket.socket) -> None:
    network = Network(0, echo.getsockname()[1])
    network.weather = Weather(rate=100_000)
    near, far = connected(echo, network)
    with echo, near, far:
        began = time.monotonic()
        near.sendall(b"x" * 50_000)
        received = 0
        while received < 50_000:
            received += len(far.recv(65536))
        assert time.monotonic() - began >= 0.4
    network.close()
