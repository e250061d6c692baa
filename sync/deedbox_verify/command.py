"""`deedbox-verify BUNDLE …`: the verdict on each bundle, with no server, no account and no network."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO

from deedbox_sync.bundle import layout
from deedbox_verify.errors import UncheckableError
from deedbox_verify.examine import examine
from deedbox_verify.reader import BundleFiles, FolderBundle
from deedbox_verify.report import PLAIN, Style, report
from deedbox_verify.report_json import report_json, uncheckable_json
from deedbox_verify.trust import MAX_TRUST, Trust, parse_trust
from deedbox_verify.verdict import Verdict
from deedbox_verify.zip_reader import ZipBundle

ANSWERS = ("intact", "anchored", "attributed")
HOLDS, FAILS, UNCHECKABLE = 0, 1, 2
_REDRAW_S = 0.1  # often enough to look alive, seldom enough to cost nothing

_HELP = """\
A bundle is a folder or the ZIP itself; nothing is unpacked. Exit status: 0 intact and all that --require names is
met; 1 not; 2 cannot be checked; of several bundles, 1 if any is 1, else 2 if any is 2. Pinned keys come from a file
that reached you by another way than the bundle, JSON as told in sync/formats/bundle.md: {"logs": [VKEY, …],
"witnesses": [VKEY, …], "quorum": INT, "tsa_roots": [PEM, …], "beacons": [CHAIN, …], "devices": {UUID: HEX key}}, each
part optional.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        trust = _trust(options.trust)
    except UncheckableError as problem:
        return _cannot(problem.what, options.json)
    except OSError as problem:
        return _cannot(f"cannot read {options.trust}: {problem.strerror or problem}", options.json)
    statuses = set()
    for bundle in options.bundles:
        if len(options.bundles) > 1 and not options.json:
            _write(f"{bundle}\n", sys.stdout)
        statuses.add(_verify(bundle, trust, options))
    return next(status for status in (FAILS, UNCHECKABLE, HOLDS) if status in statuses)


def _verify(bundle: Path, trust: Trust, options: argparse.Namespace) -> int:
    try:
        with _opened(bundle) as files, _progress(sys.stderr, options.json) as progress:
            verdict = examine(files, trust, progress)
    except UncheckableError as problem:
        return _cannot(problem.what, options.json)
    except OSError as problem:
        return _cannot(f"cannot read {problem.filename or bundle}: {problem.strerror or problem}", options.json)
    status = exit_status(verdict, options.require)
    if options.json:
        print(report_json(verdict, status))
    else:
        _write(report(verdict, _style(sys.stdout)), sys.stdout)
    return status


def exit_status(verdict: Verdict, required: frozenset[str]) -> int:
    """Intact is always required. A required anchor that only a missing extra could judge cannot be checked."""
    if not verdict.intact.yes:
        return FAILS
    if "attributed" in required and not verdict.attributed:
        return FAILS
    if "anchored" in required and verdict.anchored.before is None:
        return UNCHECKABLE if verdict.unavailable else FAILS
    return HOLDS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deedbox-verify", description="Check an evidence bundle.", epilog=_HELP)
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE", help="folder or ZIP")
    parser.add_argument("--trust", type=Path, metavar="FILE", help="pinned keys, as JSON")
    parser.add_argument(
        "--require",
        type=_required,
        default=frozenset(),
        metavar="ANSWER,…",
        help="fail unless these are met: intact, anchored, attributed",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a bundle, each on its line, instead of text"
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="name and version of this program")
    return parser


class _Version(argparse.Action):
    """Looked up only when asked for: it costs more than half of what else is loaded."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version  # noqa: PLC0415  # see above

        print(f"deedbox-verify {version('deedbox')}")
        parser.exit()


def _required(text: str) -> frozenset[str]:
    names = frozenset(text.split(","))
    if not names <= set(ANSWERS):
        raise argparse.ArgumentTypeError(f"choose from {', '.join(ANSWERS)}")
    return names


def _trust(path: Path | None) -> Trust:
    if path is None:
        return Trust()
    with path.open("rb") as file:
        return parse_trust(file.read(MAX_TRUST + 1))


@contextmanager
def _opened(path: Path) -> Iterator[BundleFiles]:
    if path.is_dir():
        yield FolderBundle(_bag_folder(path))
        return
    bundle = ZipBundle(path)
    try:
        yield bundle
    finally:
        bundle.close()


def _bag_folder(path: Path) -> Path:
    """The folder itself, or the bag in it where an unpacking tool has put a folder of its own around it."""
    if (path / layout.BAGIT).is_file():
        return path
    inner = list(path.glob("deedbox-bundle-*/" + layout.BAGIT))
    return inner[0].parent if len(inner) == 1 and not inner[0].parent.is_symlink() else path


@contextmanager
def _progress(stream: TextIO, quiet: bool) -> Iterator[Callable[[int], None]]:
    """One line that redraws, on a terminal only."""
    if quiet or not stream.isatty():
        yield lambda _: None
        return
    done, drawn = 0, 0.0

    def draw(count: int) -> None:
        nonlocal done, drawn
        done += count
        now = time.monotonic()
        if now - drawn >= _REDRAW_S:
            drawn = now
            stream.write(f"\rChecking … {done / 1e6:,.0f} MB read")
            stream.flush()

    try:
        yield draw
    finally:
        stream.write("\r\x1b[K")
        stream.flush()


def _cannot(what: str, as_json: bool) -> int:
    if as_json:
        print(uncheckable_json(what))
    else:
        _write(f"Cannot be checked: {what}\n", sys.stderr)
    return UNCHECKABLE


def _style(stream: TextIO) -> Style:
    try:
        "✓✕△○".encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return PLAIN
    return Style(colour=stream.isatty() and not os.environ.get("NO_COLOR"))


def _write(text: str, stream: TextIO) -> None:
    """What the terminal's encoding lacks is written as an escape, so that a name can never stop the report."""
    encoding = stream.encoding or "ascii"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
