"""A stranger still verifies: the bundle that was given out before a disposal, and the one made after it."""

from pathlib import Path

import pytest

from deedbox_server.errors import BadRequest
from deedbox_verify.command import main
from kit.open_box import Office
from kit.retention_office import colleague, disposed, faults, received

pytestmark = pytest.mark.anyio


async def exported(office: Office, path: Path) -> Path:
    sequencer = office.run_sequencer()
    try:
        prepared = await office.box.bundling.prepare(office.principal, office.case.id, None, "hearing")
        with path.open("wb") as file:
            async for piece in prepared.stream():
                file.write(piece)
    finally:
        sequencer.cancel()
    return path


async def test_old_and_new_bundles_verify_and_the_new_one_has_what_is_there(
    desk_and_box: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = await colleague(desk_and_box)
    first, _, last = await received(desk_and_box, b"one", b"two", b"three")
    old = await exported(desk_and_box, tmp_path / "old.zip")
    await disposed(desk_and_box, other, [first, last])
    new = await exported(desk_and_box, tmp_path / "new.zip")
    assert main([str(old)]) == 0
    assert main([str(new)]) == 0
    capsys.readouterr()
    assert new.stat().st_size < old.stat().st_size
    assert await faults(desk_and_box) == []
    sequencer = desk_and_box.run_sequencer()
    try:
        with pytest.raises(BadRequest):
            await desk_and_box.box.bundling.prepare(desk_and_box.principal, desk_and_box.case.id, [first], None)
    finally:
        sequencer.cancel()
