"""The audit holds beacons and time stamps against the log, and names those that were changed behind its back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deedbox_server.audit import Report, Sources, audit
from kit.drand_network import DrandNetwork
from kit.open_box import Office, office
from kit.tsa_server import TsaServer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stamped(office_url: str | None, tmp_path: Path) -> AsyncIterator[Office]:
    """An office that has a beacon, an absent one, and a stamp."""
    with DrandNetwork() as network, TsaServer(tmp_path / "tsa") as authority:
        endpoint = network.endpoint()
        settings = {
            "outside": True,
            "beacon_urls": (endpoint.url,),
            "beacon_chain": network.setting,
            "stamp_urls": (authority.url,),
            "stamp_roots": (str(authority.tsa.root_file),),
        }
        async with office(tmp_path, office_url, **settings) as made:
            await made.box.beacons.step()
            await made.settle()
            await made.box.database.execute("UPDATE time_beacon SET created = {}", datetime(2020, 1, 1, tzinfo=UTC))
            endpoint.behaviour = "absent"
            await made.box.beacons.step()
            await made.box.stamps.step()
            await made.settle()
            await made.box.brackets.of([0])
            yield made


async def audited(office: Office) -> Report:
    report = Report()
    box = office.box
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    return report


async def test_an_honest_box_audits_clean_and_says_how_much_there_was(stamped: Office) -> None:
    report = await audited(stamped)
    assert report.findings == []
    assert (report.counts["beacons"], report.counts["time stamps"]) == (2, 1)


TAMPERINGS = {
    "a round is changed": ("UPDATE time_beacon SET round = round + 1", "beacon", "is not what the log has"),
    "an absence is made a presence": ("UPDATE time_beacon SET absent = 'stale'", "beacon", "is not what the log has"),
    "a place is changed": ("UPDATE time_beacon SET seq = seq - 1", "beacon", "is not what the log has"),
    "a beacon is taken out": ("DELETE FROM time_beacon", "log entry", "is not kept any more"),
    "a stamp is taken out": ("DELETE FROM time_stamp", "log entry", "is not kept any more"),
    "a stamp is of a larger tree": ("UPDATE time_stamp SET size = size + 5", "time stamp", "is not what the log has"),
    "a response is replaced": ("UPDATE time_stamp SET token = record", "time stamp", "is not what the log has"),
    "a note is replaced": ("UPDATE time_stamp SET note = 'x'", "time stamp", "is not what the log has"),
    "revocation data is lost": ("DELETE FROM revocation_list", "time stamp", "has lost revocation data"),
    "revocation data is changed": (
        "UPDATE revocation_list SET der = digest",
        "revocation data",
        "not what was fetched",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_what_is_changed_in_the_database_is_found_and_named(what: str, stamped: Office) -> None:
    sql, where, says = TAMPERINGS[what]
    if "token = record" in sql and stamped.box.database.dialect == "postgres":
        sql = "UPDATE time_stamp SET token = 'x'::bytea"
    await stamped.box.database.execute(sql)
    report = await audited(stamped)
    assert any(finding.where.startswith(where) and says in finding.what for finding in report.findings), report.findings
