"""A bundle made by the box convinces a stranger who has nothing but the file and the stand-alone verifier."""

import json
import os
from pathlib import Path

import pytest

from deedbox_server.evidence.derive import DerivedDraft
from deedbox_verify.command import main
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def exported(office: Office, folder: Path) -> Path:
    sequencer = office.run_sequencer()
    try:
        prepared = await office.box.bundling.prepare(office.principal, office.case.id, None, "hearing")
    finally:
        sequencer.cancel()
    path = folder / prepared.file_name
    with path.open("wb") as file:
        async for piece in prepared.stream():
            file.write(piece)
    assert path.stat().st_size == prepared.length
    return path


async def test_the_verifier_finds_the_bundle_intact_and_attributed(
    desk_and_box: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk, box = desk_and_box.desk, desk_and_box.box
    items = [
        desk.item("Beweis nº 1 – Straße.txt", b"text"),
        desk.item("b.bin", os.urandom(150_000)),
        desk.item("empty", b""),
    ]
    await box.intake.batch(desk.sender(desk_and_box.owner.id), items, wait=0)
    exhibits = await box.exhibits.page(desk_and_box.principal)
    await box.deriver.add_derived(exhibits[0].id, [DerivedDraft("text", "application/json", b"{}", "tests 1")])
    await desk_and_box.settle()
    bundle = await exported(desk_and_box, tmp_path)
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps({"logs": [box.notary.vkey], "witnesses": [], "tsa_roots": [], "devices": {}}))
    assert main([str(bundle), "--trust", str(trust), "--require", "intact,attributed", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert "yes" in json.dumps(verdict["intact"])


async def test_each_export_ends_with_its_own_event_and_the_next_one_tells_of_it(
    desk_and_box: Office, tmp_path: Path
) -> None:
    desk, box = desk_and_box.desk, desk_and_box.box
    await box.intake.batch(desk.sender(desk_and_box.owner.id), [desk.item("a.txt", b"a")], wait=0)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        assert main([str(await exported(desk_and_box, tmp_path / folder))]) == 0
    (exhibit,) = await box.exhibits.page(desk_and_box.principal)
    kinds = [row["kind"] for row in await box.custody.records([exhibit.id])]
    assert kinds == ["received", "exported", "exported"]
