"""Contents and names of evidence lie nowhere in the clear: not in data, temporary files or logs, and not after a kill."""

import json
import os
import random
import shutil
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from deedbox_checkout.samples import HIDDEN_WORD, make_samples
from kit.instants import await_instant
from kit.local_site import NewSite, Site
from kit.plaintext import Lookout, Needles
from kit.waiting import until

READ_SECONDS = 180.0
KILLS = 2

CONTENT = "Quibblefrost zeppelin marmalade"
NAME = "Żółwiożerca Brandywine Hesperides"
FOLDER = "Ödegård Snickersnee Tintagel"
SENTENCES = ("The boundary between 12 and 14 Orchard Lane", "describes the eastern boundary", "Tannery Row, Marlbridge")


def evidence(folder: Path, rng: random.Random) -> Needles:
    """Files of every kind that the box reads, and what must not be seen of them: words, names, and pieces of their bytes."""
    below = folder / FOLDER
    below.mkdir()
    (below / f"{NAME}.txt").write_text(f"{CONTENT}\n" * 50)
    (below / f"{NAME}.utf16.txt").write_text(f"{CONTENT}\n" * 50, encoding="utf-16")
    (below / f"{NAME}.html").write_text(f"<html><title>{CONTENT}</title><body>{CONTENT}</body></html>")
    (below / f"{NAME}.rec").write_bytes(rng.randbytes(3 << 20))
    make_samples(folder, large_mb=0)
    files = [path for path in folder.rglob("*") if path.is_file()]
    raw = [(f"bytes of {path.suffix}", _piece(path.read_bytes())) for path in files]
    names = {path.stem for path in files if path.stem not in (NAME, f"{NAME}.utf16")}
    return Needles(words=(CONTENT, NAME, FOLDER, HIDDEN_WORD, *SENTENCES, *sorted(names)), raw=raw)


def _piece(data: bytes) -> bytes:
    """Some bytes from the middle, not all the same."""
    middle = len(data) // 2
    return data[middle : middle + 32]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where programs put their temporary files in this test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for variable in ("TMPDIR", "TMP", "TEMP", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(variable, str(folder))
    return folder


@pytest.mark.crash
def test_evidence_lies_nowhere_in_the_clear(new_site: NewSite, rng: random.Random, temporary: Path) -> None:
    site = new_site()
    needles = evidence(site.watched, rng)
    files = len([path for path in site.watched.rglob("*") if path.is_file()])
    assert len(needles.below(site.watched)) > files  # what is there is found
    secret = [site.box.data, site.desk.state, site.box.secrets, site.desk.secrets, temporary]
    lookout = Lookout(needles, temporary)

    site.desk.start()  # no box is in reach: into the spool with it
    until(lambda: site.counts().get("captured") == files, "all is captured", seconds=240, tell=site.counts)
    site.desk.kill()
    assert (site.desk.state / "journal.db-wal").stat().st_size > 0
    assert needles.below(*secret) == []

    site.start()
    for _ in range(KILLS):
        await_instant(
            [site.box.data / "db/box.db-wal"],
            rng,
            most_writes=10,
            most_seconds=5,
            ended=lambda: not site.box.running,
        )
        site.box.kill()
        site.desk.kill()
        assert needles.below(*secret) == []
        site.start()
    # The scan once more, now that nobody is killed while it is read.
    letter = next(site.watched.glob("*.pdf"))
    shutil.copy(letter, site.watched / FOLDER)
    site.settle(files + 1, seconds=READ_SECONDS)
    await_reading(site)
    assert site.box.ask(f"/api/v1/search?q={HIDDEN_WORD}")["items"], "the scan was not read, so nothing was shown"
    site.box.kill()
    site.desk.kill()
    assert (site.box.data / "db/box.db-wal").stat().st_size > 0
    assert needles.below(*secret) == []
    assert lookout.end() == set()
    print(f"{len(lookout.files)} temporary files were looked into")
    assert site.box.secrets.joinpath("box.log").stat().st_size > 0


def await_reading(site: Site) -> None:
    """Until no document waits to be read. One whose reading was killed twice is given up, and says so."""

    def states() -> set[str]:
        exhibits = site.box.ask("/api/v1/evidence/")["items"]
        jobs = [job for one in exhibits for job in site.box.ask(f"/api/v1/evidence/{one['id']}")["reading"]]
        return {str(job["state"]) for job in jobs}

    until(
        lambda: states() <= {"done", "failed"},
        "the workers have read everything",
        seconds=READ_SECONDS,
        every=0.5,
        tell=states,
    )


@pytest.mark.parametrize(
    "written",
    [
        NAME.encode(),
        b"\x00" + NAME.lower().encode("utf-16-be"),
        CONTENT.encode().hex().upper().encode(),
        *(b64encode(b"x" * shift + CONTENT.encode() + b"tail") for shift in range(3)),
        json.dumps(NAME).encode(),
        quote(NAME).encode(),
    ],
    ids=["UTF-8", "UTF-16", "hex", "base64", "base64, shifted", "base64, shifted twice", "JSON", "URL"],
)
def test_a_word_is_found_however_it_is_written(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "file").write_bytes(os.urandom(1000) + written + os.urandom(1000))
    assert Needles(words=(CONTENT, NAME)).below(tmp_path)
