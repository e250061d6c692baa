"""`GET /metrics`, and that the alert rules name nothing that it does not give (AP-3)."""

import json
import re
from pathlib import Path

import pytest
import yaml

import deedbox_server
from deedbox_sync import identifier
from deedbox_sync.identifier import Minter
from kit.http_person import Person, stranger
from kit.open_box import Office
from kit.signed_caller import MINT, RECONCILE, signed_caller

pytestmark = pytest.mark.anyio

RULES = Path(deedbox_server.__file__).parents[1] / "alerts.yml"
SAMPLE = re.compile(r'([a-z_]+)(\{[a-z]+="[^"]+"\})? (NaN|[0-9.e+-]+)')
PROMETHEUS_OWN = {"up", "job", "deedbox", "and"}
FALLBACK = Minter(bytes(range(32)), "fallback/0198c0de-0000-7000-8000-00000000000f")


async def measured(owner: Person) -> dict[str, float]:
    answer = await owner.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    samples = [SAMPLE.fullmatch(line) for line in lines]
    assert all(samples), lines
    return {f"{found[1]}{found[2] or ''}": float(found[3]) for found in samples if found}


async def test_minting_and_reconciling_are_counted(desk_and_box: Office, owner: Person) -> None:
    caller = await signed_caller(desk_and_box, owner.client)
    issuers = desk_and_box.box.identifiers.issuers
    await issuers.register(desk_and_box.principal, FALLBACK.key, FALLBACK.namespace, "spare")
    body = json.dumps({"items": [{"content": "00" * 32}] * 3}).encode()
    headers = caller.sign("POST", MINT, body)
    for _ in range(2):
        await caller.client.post(MINT, content=body, headers=headers)
    record = json.loads(identifier.encode(FALLBACK.mint(bytes(32), None, 1)))
    await caller.post(RECONCILE, {"records": [record, None], "issuer_note": None})
    told = await measured(owner)
    assert told['deedbox_identifiers_minted_total{issuer="box"}'] == 3
    assert told['deedbox_identifiers_minted_total{issuer="fallback"}'] == 1
    assert told["deedbox_identifiers_fallback_share"] == 0.25
    assert told['deedbox_reconciliations_total{state="reconciled"}'] == 1
    assert told['deedbox_reconciliations_total{state="refused"}'] == 1
    assert told["deedbox_reconciliations_refused_share"] == 0.5
    assert told["deedbox_nonces_replayed_total"] == 1
    assert told["deedbox_mint_seconds_count"] == told['deedbox_mint_seconds_bucket{le="+Inf"}'] == 1
    assert told['deedbox_mint_seconds_bucket{le="5"}'] <= 1
    assert told["deedbox_alarms"] == 2


async def test_the_beacon_is_present_or_absent(desk_and_box: Office, owner: Person) -> None:
    told = await measured(owner)
    assert (told["deedbox_beacon_expected"], told["deedbox_beacon_present"]) == (0, 0)
    assert told["deedbox_beacon_age_seconds"] != told["deedbox_beacon_age_seconds"], "NaN"


async def test_figures_are_an_administrators_matter(desk_and_box: Office, owner: Person) -> None:
    assert (await owner.client.get("/metrics")).status_code == 401
    assert (await (await stranger(desk_and_box, owner)).get("/metrics")).status_code == 403


async def test_no_name_no_case_and_no_identifier_is_in_the_figures(desk_and_box: Office, owner: Person) -> None:
    text = (await owner.get("/metrics")).text
    for secret in (desk_and_box.owner.name, desk_and_box.case.title, desk_and_box.case.number):
        assert secret not in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|E-[0-9A-Z]{4}-", text)


async def test_the_alert_rules_name_only_what_is_measured(owner: Person) -> None:
    names = {name.partition("{")[0] for name in await measured(owner)}
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    alerts = {rule["alert"]: rule for rule in group["rules"]}
    for rule in alerts.values():
        words = set(re.findall(r"[a-z_]{2,}", rule["expr"]))
        assert words <= names | PROMETHEUS_OWN, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}
    assert alerts["DeedboxDown"]["for"] == "30s"
    assert alerts["DeedboxFallbackShare"]["expr"].endswith("> 0.10")
    assert alerts["DeedboxReconciliationsRefused"]["expr"].endswith("> 0.05")
    assert "deedbox_beacon_present == 0" in alerts["DeedboxBeaconAbsent"]["expr"]
