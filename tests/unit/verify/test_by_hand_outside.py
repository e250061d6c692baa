"""VERIFY.md on outside time, and on systems whose tools are others: what holds is told, what does not stops the block."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509 import ReasonFlags

from broken_bundles import story
from broken_bundles.story import FIRST, RESTAMPED, SECOND, STAMPED, WITNESS_VKEYS, Plan, base, base_files, run, tell
from bundle_maker import Files
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.outside import Run, encode_runs
from miniature_log import NOON
from verify_by_hand import BEACONS, BLOCKS, HAS_TOOLS, NAMES, OLDER, REVOKED, STAMPS, TOOLS, USUAL, WITNESSES
from verify_by_hand import run as run_block

Laid = Callable[[Mapping[str, bytes]], Path]

pytestmark = pytest.mark.skipif(not HAS_TOOLS, reason="the page's own tools are not all installed")


@pytest.fixture
def trusted(tmp_path: Path) -> dict[str, str]:
    """The variables that name what a person trusts."""
    roots, witnesses = tmp_path / "roots.pem", tmp_path / "witnesses.txt"
    roots.write_text(FIRST.root_pem + SECOND.root_pem)
    witnesses.write_text("".join(f"{vkey}\n" for vkey in WITNESS_VKEYS))
    return {"ROOTS": str(roots), "WITNESSES": str(witnesses)}


@pytest.mark.parametrize("block", BLOCKS, ids=NAMES)
def test_each_block_holds_for_a_bundle_with_everything(block: str, laid: Laid, trusted: dict[str, str]) -> None:
    result = run_block(block, laid(base_files()), trusted)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "WRONG" not in result.stdout


def test_what_outsiders_say_is_told(laid: Laid, trusted: dict[str, str]) -> None:
    folder = laid(base_files())
    told = "".join(run_block(block, folder, trusted).stdout for block in (OLDER, STAMPS, REVOKED, WITNESSES, BEACONS))
    for line in (
        "data/stamps/10.note: the log of 21 entries begins with these 10.",
        "data/stamps/10-2.tsr: entries below 10 by Mar 14 12:00:11 2026 GMT",
        "data/stamps/19-1.tsr: none of its certificates is on the 2 lists that came with it.",
        "data/stamps/19.note: witness.example/two had seen the 19 entries by Sat Mar 14 12:40:00 UTC 2026",
        "Log entries 4 to 7 are later than round ",
        "Log entries 13 to 14 are later than round ",
    ):
        assert line in told


def test_without_trusted_witnesses_it_says_that_nothing_was_checked(laid: Laid, tmp_path: Path) -> None:
    result = run_block(WITNESSES, laid(base_files()), {"WITNESSES": str(tmp_path / "none")})
    assert (result.returncode, result.stdout) == (0, "You trust no witness yet: nothing was checked.\n")


@pytest.mark.parametrize("block", BLOCKS, ids=NAMES)
def test_each_block_holds_with_the_tools_that_it_names_and_no_others(
    block: str, laid: Laid, trusted: dict[str, str], tmp_path: Path
) -> None:
    tools = tool_box(tmp_path, (*TOOLS, *USUAL))
    result = run_block(block, laid(base_files()), {**trusted, "PATH": str(tools)})
    assert result.returncode == 0, result.stdout + result.stderr
    assert "not found" not in result.stderr


@pytest.mark.parametrize("block", BLOCKS, ids=NAMES)
def test_each_block_holds_where_sha256sum_base64_and_sed_are_those_of_macos(
    block: str, laid: Laid, trusted: dict[str, str], tmp_path: Path
) -> None:
    """As far as a Linux can show it: `shasum`, a base64 that only knows -D, a sed that ends every line."""
    if shutil.which("shasum") is None:
        pytest.skip("shasum is not installed")
    others = [name for name in (*TOOLS, *USUAL) if name not in ("sha256sum", "base64", "sed")]
    tools = tool_box(tmp_path, (*others, "shasum", "perl"))
    base64, sed = shutil.which("base64"), shutil.which("sed")
    script(tools / "base64", f'[ $# = 0 ] && exec {base64}; [ "$*" = -D ] && exec {base64} -d; exit 64')
    script(tools / "sed", f'{sed} "$@" | while IFS= read -r l || [ -n "$l" ]; do printf "%s\\n" "$l"; done')
    result = run_block(block, laid(base_files()), {**trusted, "PATH": str(tools)})
    assert result.returncode == 0, result.stdout + result.stderr


def tool_box(folder: Path, names: tuple[str, ...]) -> Path:
    tools = folder / "tools"
    tools.mkdir()
    for name in names:
        (tools / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is not installed"))
    return tools


def script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


# --- what is wrong


def changed(path: str, change: Callable[[bytes], bytes]) -> Files:
    files = base_files()
    files[path] = change(files[path])
    return files


def emptied(consistency: bytes) -> bytes:
    return consistency[: consistency.index(b"[") + 1] + b"]}"


def resigned(note: bytes) -> bytes:
    return note[:-9] + b"AAAAAAA=\n"


def flipped(token: bytes) -> bytes:
    return token[:-1] + bytes([token[-1] ^ 1])


def swapped(one: str, other: str) -> Files:
    files = base_files()
    return {**files, one: files[other], other: files[one]}


def forged_cosignature() -> Files:
    """The second witness's name and key id over the first one's signature."""
    files = base_files()
    path = layout.stamp_note(RESTAMPED)
    *head, one, two = files[path].decode().splitlines()
    _, _, first = one.split(" ")
    mark, name, second = two.split(" ")
    files[path] = "\n".join([*head, one, f"{mark} {name} {second[:16]}{first[16:]}", ""]).encode()
    return files


def revoked(reason: ReasonFlags | None) -> Files:
    when = NOON + timedelta(seconds=10)
    return tell(Plan(crls=FIRST.crls(when, when - timedelta(days=1), reason))).files()


def other_run(first: int, last: int, *, without: int | None = None) -> Files:
    entries = [
        entry for number, entry in enumerate(base().story.log.entries) if first <= number <= last and number != without
    ]
    return base().but(runs=(Run(first, tuple(entries)),)).files()


def unproven_run() -> Files:
    """It ends in an entry that the bundle does not prove."""
    return {**base_files(), layout.TIME: encode_runs([run(base().story.log, 3, 4)])}


def of_another_log() -> Files:
    """Its older checkpoint is by the same key and name, of a tree with another past."""
    files, other = base_files(), tell(Plan(absent={"absent": "stale", "chain": story.DRAND.chain.hash.hex()})).files()
    return {**files, **{path: other[path] for path in files if path.startswith(f"data/stamps/{STAMPED}")}}


@dataclass(frozen=True)
class Wrong:
    name: str
    block: str
    make: Callable[[], Files]

    def __str__(self) -> str:
        return self.name


@pytest.mark.parametrize(
    "case",
    [
        Wrong("a checkpoint with another past", OLDER, of_another_log),
        Wrong("proofs swapped", OLDER, lambda: swapped("data/stamps/10.json", "data/stamps/19.json")),
        Wrong("a proof cut short", OLDER, lambda: changed("data/stamps/10.json", emptied)),
        Wrong("checkpoints swapped", OLDER, lambda: swapped("data/stamps/10.note", "data/stamps/19.note")),
        Wrong("a stamped text of another tree", OLDER, lambda: swapped("data/stamps/10-1.txt", "data/stamps/19-1.txt")),
        Wrong("a stamped text that the log did not sign", OLDER, lambda: changed("data/stamps/10-1.txt", resigned)),
        Wrong("a stamp over something else", STAMPS, lambda: swapped("data/stamps/10-1.txt", "data/stamps/19-1.txt")),
        Wrong("a bit of a stamp", STAMPS, lambda: changed("data/stamps/10-1.tsr", flipped)),
        Wrong("revoked for a lost key", REVOKED, lambda: revoked(ReasonFlags.key_compromise)),
        Wrong("revoked for no told reason", REVOKED, lambda: revoked(None)),
        Wrong("a cosignature that is another's", WITNESSES, forged_cosignature),
        Wrong("a run with a hole", BEACONS, lambda: other_run(3, 7, without=5)),
        Wrong("a run that begins without a beacon", BEACONS, lambda: other_run(4, 7)),
        Wrong("a run that begins with an absent beacon", BEACONS, lambda: other_run(6, 7)),
        Wrong("a run whose end is not in the log", BEACONS, unproven_run),
        Wrong("a run from another log", BEACONS, lambda: base().but(runs=(run(tell(Plan("other")).story.log, 3, 7),)).files()),
    ],
    ids=str,
)  # fmt: skip
def test_a_block_stops_at_what_is_wrong_outside(case: Wrong, laid: Laid, trusted: dict[str, str]) -> None:
    result = run_block(case.block, laid(case.make()), trusted)
    assert result.returncode != 0, result.stdout + result.stderr


def test_an_authority_that_is_not_trusted_stops_the_block(laid: Laid, trusted: dict[str, str]) -> None:
    Path(trusted["ROOTS"]).write_text(SECOND.root_pem)
    assert run_block(STAMPS, laid(base_files()), trusted).returncode != 0
