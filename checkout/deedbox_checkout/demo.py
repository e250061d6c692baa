"""./deedbox demo: the whole main job on real input, from an empty folder to a bundle that a stranger verifies."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deedbox_checkout.local_box import LocalBox, LocalFailure, program
from deedbox_checkout.local_desk import LocalDesk
from deedbox_checkout.outside_words import ask_for_stamps, closing_words, write_trust
from deedbox_checkout.places import state_folder
from deedbox_checkout.samples import HIDDEN_WORD, make_samples
from deedbox_checkout.telling import Teller, wait_until

CASE_NUMBER, CASE_TITLE = "2024-118", "Ødegård v. Müller"
_RECEIPT_SECONDS = 900.0
_READ_SECONDS = 900.0
_MIB = 1 << 20


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("demo", help="the main job, with set-up")
    command.add_argument("--data", type=Path, metavar="DIR", help="an empty folder for the box's data")
    command.add_argument("--exit", action="store_true", help="end after the explanation instead of staying up")
    command.add_argument("--json", action="store_true", help="the last line is one JSON object")
    command.set_defaults(run=_run, takes_rest=False)


@dataclass(frozen=True)
class Places:
    """The box's data, and beside it, outside, all that belongs to the desk and to this demo."""

    data: Path
    beside: Path

    @property
    def watched(self) -> Path:
        return self.beside / "Evidence"

    @property
    def secrets(self) -> Path:
        return self.beside / "secrets"


def _run(options: argparse.Namespace, _rest: list[str]) -> int:
    teller = Teller(quiet=options.json)
    data = (options.data or state_folder() / f"demo-{time.strftime('%Y%m%d-%H%M%S')}").absolute()
    if data.exists() and any(data.iterdir()):
        teller.refused(f"{data} is not empty: choose another folder with --data, so that nothing of yours is touched.")
        return 2
    places = Places(data, data.with_name(f"{data.name}-desk"))
    if places.beside.exists():
        teller.refused(
            f"{places.beside} exists already: the demo keeps its desk there. Choose another folder with --data."
        )
        return 2
    box = LocalBox(places.data, places.secrets, outside=True)
    desk = LocalDesk(places.beside / "state", places.watched, places.secrets)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    try:
        told = _show(box, desk, places, teller)
        if options.json:
            print(json.dumps(told, ensure_ascii=False), flush=True)
        if not options.exit:
            _stay(desk, box, places, teller)
    except (LocalFailure, TimeoutError, urllib.error.URLError, subprocess.SubprocessError) as error:
        teller.refused(f"The demo could not go on: {error}")
        teller.say(f"  Logs: {places.secrets / 'box.log'}, {desk.log_file}")
        return 1
    finally:
        desk.stop()
        box.stop()
    return 0


def _show(box: LocalBox, desk: LocalDesk, places: Places, teller: Teller) -> dict[str, Any]:
    places.watched.mkdir(parents=True)
    teller.step("Making a box: keys, encrypted database, its own certificate authority")
    box.create()
    box.start()
    teller.done(f"The box listens at {box.url} for people and at {box.device_url} for desks")
    case = box.ask("/api/v1/cases/", {"number": CASE_NUMBER, "title": CASE_TITLE})
    desk.pair(box, name="demo desk")
    desk.watch(CASE_NUMBER, quiet=1.0)
    desk.start()
    teller.done("A desk is paired with it by a one-time code, and watches a folder")
    samples = make_samples(places.watched)
    for path in samples.paths:
        teller.say(f"    {path.name:<44} {_size(path.stat().st_size):>10}")
    _wait_for_receipts(desk, len(samples.paths), teller)
    teller.proven(
        f"{len(samples.paths)} files receipted: signed on the desk, stored, in the log, and the desk checked the box's proof"
    )
    exhibits = box.ask(f"/api/v1/evidence/?case={case['id']}")["items"]
    _wait_for_reading(box, exhibits, teller)
    _find(box, case["id"], teller)
    faults = ask_for_stamps(box, teller)
    bundle, verdict = _export(box, case["id"], places, teller)
    _explain(verdict, faults, teller)
    return {
        "api_key": box.api_key,
        "api_key_file": str(box.api_key_file),
        "box_url": box.url,
        "bundle": str(bundle),
        "ca_file": str(box.ca_file),
        "case_id": case["id"],
        "data_dir": str(places.data),
        "device_url": box.device_url,
        "exhibit_ids": [exhibit["id"] for exhibit in exhibits],
        "seconds": round(teller.seconds, 1),
        "verdict": verdict,
        "watch_folder": str(places.watched),
    }


def _wait_for_receipts(desk: LocalDesk, files: int, teller: Teller) -> None:
    def settled() -> bool:
        status = desk.status()
        if not desk.running:
            raise LocalFailure("the desk ended by itself")
        counts: dict[str, int] = status["counts"]
        shown = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
        teller.progress(f"{shown or 'looking'}")
        if counts.get("held"):
            held = next(file for file in status["files"] if file["state"] == "held")
            raise LocalFailure(f"{held['path']} is held: {held['words']}")
        return counts.get("receipted", 0) >= files

    wait_until("all files receipted", settled, seconds=_RECEIPT_SECONDS, every=0.5)


def _wait_for_reading(box: LocalBox, exhibits: list[dict[str, Any]], teller: Teller) -> None:
    ids = [exhibit["id"] for exhibit in exhibits]

    def read() -> bool:
        jobs = [job for exhibit in ids for job in box.ask(f"/api/v1/evidence/{exhibit}")["reading"]]
        done = sum(bool(job["ended"]) for job in jobs)
        teller.progress(f"reading: {done} of {len(jobs)} documents")
        return bool(done == len(jobs))

    wait_until("the scans read", read, seconds=_READ_SECONDS, every=0.5)
    states = [job["state"] for exhibit in ids for job in box.ask(f"/api/v1/evidence/{exhibit}")["reading"]]
    teller.done(f"{states.count('done')} documents read by workers that have no network, no keys and no database")


def _find(box: LocalBox, case: str, teller: Teller) -> None:
    found = box.ask(f"/api/v1/search?q={quote(HIDDEN_WORD)}&case={case}")["items"]
    if not found:
        raise LocalFailure(f"the word {HIDDEN_WORD}, which stands only in the picture of the letter, was not found")
    hit = found[0]
    teller.proven(f"“{HIDDEN_WORD}” exists only as pixels; search finds it in {hit['name']}, page {hit['page']}:")
    teller.say(f"      {_marked(hit)}")


def _marked(hit: dict[str, Any]) -> str:
    text, marked = hit["snippet"], ""
    at = 0
    for start, end in hit["highlights"]:
        marked += f"{text[at:start]}[{text[start:end]}]"
        at = end
    return " ".join((marked + text[at:]).split())


def _export(box: LocalBox, case: str, places: Places, teller: Teller) -> tuple[Path, dict[str, Any]]:
    bundle = places.beside / "bundle.zip"
    with box.request("/api/v1/bundles/", {"case": case, "purpose": "demo"}) as answer, bundle.open("wb") as file:
        shutil.copyfileobj(answer, file, _MIB)
    teller.done(f"Bundle exported: {bundle} ({_size(bundle.stat().st_size)})")
    trust = places.beside / "trust.json"
    write_trust(trust, box)
    command = [
        *program("deedbox_verify"),
        str(bundle),
        "--trust",
        str(trust),
        "--require",
        "intact,attributed",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalFailure(f"the stand-alone verifier refused the bundle: {done.stdout or done.stderr}")
    verdict: dict[str, Any] = json.loads(done.stdout)
    shown = subprocess.run(
        [*command[:-1]], capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"}
    )
    teller.proven("The stand-alone verifier, with no server and no network, says:")
    for line in shown.stdout.splitlines():
        teller.say(f"    {line}")
    return bundle, verdict


def _explain(verdict: dict[str, Any], faults: list[str], teller: Teller) -> None:
    teller.say()
    teller.say(
        "Proven: each of these files was signed by the paired desk's key; the bytes are the signed ones; their custody is"
    )
    teller.say(
        "numbered without a hole, ends with this very export, and stands in a log whose order cannot be changed unseen."
    )
    for proven, line in closing_words(verdict["anchored"], faults):
        (teller.proven if proven else teller.attention)(line)


def _stay(desk: LocalDesk, box: LocalBox, places: Places, teller: Teller) -> None:
    teller.say()
    teller.say(f"The box stays up at {box.url}. Drop files into {places.watched} and watch them arrive.")
    teller.say(f"  API key: {box.api_key_file}    certificate: {box.ca_file}    end with Ctrl-C")
    while box.running and desk.running:
        time.sleep(1.0)
    raise LocalFailure("the box or the desk ended by itself")


def _size(number: int) -> str:
    if number < 1024:
        return f"{number} B"
    for unit in ("KiB", "MiB", "GiB"):
        number_in = number / 1024
        if number_in < 1024 or unit == "GiB":
            return f"{number_in:.0f} {unit}" if number_in >= 10 else f"{number_in:.1f} {unit}"
        number = int(number_in)
    raise AssertionError("unreachable")
