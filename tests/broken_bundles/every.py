"""All bundles of the set."""

from __future__ import annotations

from functools import cache
from itertools import chain

from broken_bundles.cases import Case
from broken_bundles.claims import claim_cases
from broken_bundles.custodies import custody_cases
from broken_bundles.devices import device_cases
from broken_bundles.files import file_cases, zip_cases
from broken_bundles.good import good_cases
from broken_bundles.log import log_cases
from broken_bundles.members import member_cases
from broken_bundles.refiled import refiled_cases
from broken_bundles.statements import statement_cases
from broken_bundles.times import time_cases


@cache
def all_cases() -> tuple[Case, ...]:
    cases = tuple(
        chain(
            good_cases(),
            file_cases(),
            zip_cases(),
            member_cases(),
            claim_cases(),
            log_cases(),
            statement_cases(),
            custody_cases(),
            refiled_cases(),
            device_cases(),
            time_cases(),
        )
    )
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "each name once"
    return cases
