"""The box on Postgres, as real processes: a desk sends, a kill loses nothing, the audit is clean, a stranger is convinced."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deedbox_checkout.local_box import LocalBox
from deedbox_checkout.local_desk import LocalDesk
from deedbox_checkout.telling import wait_until
from deedbox_verify.command import main as verify


@pytest.fixture
def box(postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalBox]:
    monkeypatch.setenv("DEEDBOX_BOX_DATABASE_URL", postgres_server)
    monkeypatch.setenv("DEEDBOX_BOX_POSTGRES_VOLUME_ENCRYPTED", "true")
    made = LocalBox(tmp_path / "box", tmp_path / "secrets")
    made.create()
    made.start()
    yield made
    made.stop()


def test_the_main_job_runs_on_postgres_and_survives_a_kill(box: LocalBox, tmp_path: Path) -> None:
    box.ask("/api/v1/cases/", {"number": "1", "title": "On Postgres"})
    desk = LocalDesk(tmp_path / "desk", tmp_path / "watched", tmp_path / "secrets")
    desk.pair(box)
    desk.watch("1", quiet=0.2)
    (desk.watched / "small.txt").write_text("the word marmalade stands here")
    (desk.watched / "large.bin").write_bytes(os.urandom(5 << 20))
    assert desk.run_once(patience=60) == 0
    box.kill()
    box.start()
    (desk.watched / "later.txt").write_text("after the kill")
    assert desk.run_once(patience=60) == 0
    exhibits = box.ask("/api/v1/evidence/")["items"]
    assert {exhibit["name"] for exhibit in exhibits} == {"small.txt", "large.bin", "later.txt"}
    wait_until("it is read", lambda: bool(box.ask("/api/v1/search?q=marmalade")["items"]), seconds=120)
    bundle = tmp_path / "bundle.zip"
    with box.request("/api/v1/bundles/", {"case": exhibits[0]["case"]}) as answer, bundle.open("wb") as file:
        shutil.copyfileobj(answer, file)
    assert verify([str(bundle), "--require", "intact,attributed"]) == 0
    done = box.command("audit", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
