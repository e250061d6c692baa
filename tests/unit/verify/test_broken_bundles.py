"""The set of broken bundles: each has one fault, and the verdict that its maker stated."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from broken_bundles.cases import Case
from broken_bundles.every import all_cases
from broken_bundles.trusts import TRUSTS
from deedbox_verify.command import exit_status
from deedbox_verify.errors import UncheckableError
from deedbox_verify.examine import examine
from deedbox_verify.report_json import report_json
from deedbox_verify.trust import Trust, parse_trust
from deedbox_verify.verdict import Verdict
from deedbox_verify.zip_reader import ZipBundle
from memory_bundle import MemoryBundle


@cache
def trust(name: str) -> Trust:
    return parse_trust(json.dumps(TRUSTS[name]).encode())


def judged(case: Case, folder: Path) -> Verdict | None:
    """None where the verifier refuses to look."""
    made = case.make()
    try:
        if not isinstance(made, bytes):
            return examine(MemoryBundle(made), trust(case.trust))
        path = folder / f"{case.name}.zip"
        path.write_bytes(made)
        bundle = ZipBundle(path)
        try:
            return examine(bundle, trust(case.trust))
        finally:
            bundle.close()
    except UncheckableError:
        return None


def test_there_are_hundreds_of_faults_and_many_good_shapes() -> None:
    good = [case for case in all_cases() if not case.fault]
    assert len(all_cases()) - len(good) >= 200
    assert len(good) >= 15
    assert all(case.expected.intact == "yes" for case in good)
    assert all(case.expected.intact != "yes" for case in all_cases() if case.fault)


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_the_verdict_is_the_stated_one(case: Case, tmp_path: Path) -> None:
    verdict = judged(case, tmp_path)
    if verdict is None:
        assert case.expected.status == 2
        return
    told = json.loads(report_json(verdict, exit_status(verdict, frozenset(case.require.split(",")))))
    found = sorted({f"{one['code']}" for one in told["findings"]})
    answers = tuple(told[name]["answer"] for name in ("intact", "anchored", "attributed"))
    expected = case.expected
    assert (found, answers) == (sorted(expected.codes), (expected.intact, expected.anchored, expected.attributed))
    assert told["status"] == expected.status
