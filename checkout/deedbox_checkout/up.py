"""./deedbox up: a box and a desk for real use. A second start finds everything as it was."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from deedbox_checkout.boxes import finish_rotation
from deedbox_checkout.local_box import LocalBox, LocalFailure
from deedbox_checkout.local_desk import LocalDesk
from deedbox_checkout.places import state_folder
from deedbox_checkout.telling import Teller

PEOPLE_PORT, DEVICE_PORT = 8443, 8444
FIRST_CASE = ("UNSORTED", "To be sorted")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("up", help="start a box and a desk for real use")
    command.add_argument("--data", type=Path, metavar="DIR", help="the box's data folder")
    command.add_argument("--listen", default="0.0.0.0", metavar="ADDRESS", help="default: the local network")  # noqa: S104
    command.add_argument("--watch", type=Path, metavar="DIR", help="the folder that this desk watches")
    command.set_defaults(run=_run, takes_rest=False)


def _run(options: argparse.Namespace, _rest: list[str]) -> int:
    teller = Teller()
    home = state_folder() / "up"
    data = (options.data or home / "box").absolute()
    box = LocalBox(data, home / "secrets", options.listen, PEOPLE_PORT, DEVICE_PORT, outside=True)
    watched = (options.watch or Path.home() / "Deedbox").absolute()
    desk = LocalDesk(home / "desk", watched, home / "secrets")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        finish_rotation(box.data, box.secrets / "passphrase")
        box.create()
        box.start()
        teller.done(f"The box listens at {box.url} (people) and {box.device_url} (desks)")
        if not desk.paired:
            if not box.ask("/api/v1/cases/")["items"]:
                box.ask("/api/v1/cases/", {"number": FIRST_CASE[0], "title": FIRST_CASE[1]})
            desk.pair(box)
            desk.watch(FIRST_CASE[0])
        desk.start()
        teller.done(f"This desk watches {watched}")
        teller.attention(
            f"The box is unlocked by {box.secrets / 'passphrase'}: keep a copy elsewhere; without it nothing can be read."
        )
        teller.say("  `./deedbox audit` reads everything and says what does not hold. End with Ctrl-C.")
        while box.running and desk.running:
            time.sleep(1.0)
        raise LocalFailure("the box or the desk ended by itself: see the logs beside the passphrase")
    except LocalFailure as error:
        teller.refused(str(error))
        return 1
    finally:
        desk.stop()
        box.stop()
