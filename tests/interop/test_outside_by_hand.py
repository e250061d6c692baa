"""A real box's bundle with all that outsiders say of it, in the hands of somebody with openssl, a shell and bagit-python only."""

from __future__ import annotations

import zipfile
from contextlib import ExitStack
from pathlib import Path

import bagit
import pytest

from kit.drand_network import DrandNetwork
from kit.open_box import Office, office
from kit.tsa_server import TsaServer
from kit.witness_server import witness_server
from verify_by_hand import BEACONS, BLOCKS, HAS_TOOLS, NAMES, REVOKED, STAMPS, WITNESSES, run

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not HAS_TOOLS, reason="the page's own tools are not all installed"),
]


async def take(made: Office, name: str) -> None:
    items = [made.desk.item(name, name.encode())]
    await made.box.intake.batch(made.desk.sender(made.owner.id), items, wait=0)
    await made.settle()


async def exported(made: Office, folder: Path) -> Path:
    """The bundle, unpacked."""
    sequencer = made.run_sequencer()
    try:
        prepared = await made.box.bundling.prepare(made.principal, made.case.id, None, "trial")
    finally:
        sequencer.cancel()
    path = folder / prepared.file_name
    path.write_bytes(b"".join([piece async for piece in prepared.stream()]))
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return path.with_suffix("")


async def test_every_command_of_the_page_holds_for_a_real_box(tmp_path: Path) -> None:
    with ExitStack() as stack:
        network = stack.enter_context(DrandNetwork())
        one = stack.enter_context(TsaServer(tmp_path / "one", "First authority", intermediate=True))
        two = stack.enter_context(TsaServer(tmp_path / "two", "Second authority"))
        settings = {
            "outside": True,
            "beacon_urls": (network.endpoint().url,),
            "beacon_chain": network.setting,
            "stamp_urls": (one.url, two.url),
            "stamp_roots": (str(one.tsa.root_file), str(two.tsa.root_file)),
        }
        async with office(tmp_path, None, **settings) as made:
            witness = stack.enter_context(witness_server("witness.example", made.box.notary.vkey))
            await made.box.witnesses.add(witness.vkey, witness.url)
            await made.box.beacons.step()
            await take(made, "first.txt")
            await made.box.stamps.stamp_now()
            await made.settle()
            await take(made, "second.txt")
            await made.box.stamps.stamp_now()
            await made.settle()
            await made.box.witnesses.step()
            await made.settle()
            bundle = await exported(made, tmp_path)

    (tmp_path / "roots.pem").write_text(one.tsa.root + two.tsa.root)
    (tmp_path / "witnesses.txt").write_text(f"{witness.vkey}\n")
    trusted = {"ROOTS": str(tmp_path / "roots.pem"), "WITNESSES": str(tmp_path / "witnesses.txt")}
    told = {}
    for name, block in zip(NAMES, BLOCKS, strict=True):
        result = run(block, bundle, trusted)
        assert result.returncode == 0, f"{name}: {result.stdout}{result.stderr}"
        told[block] = result.stdout
    assert told[STAMPS].count("Verification: OK") == len(list(bundle.glob("data/stamps/*.tsr"))) > 0
    assert "none of its certificates is on the 1 lists" in told[REVOKED]
    assert "witness.example had seen the " in told[WITNESSES]
    assert "are later than round " in told[BEACONS]
    assert bagit.Bag(str(bundle)).is_valid()
