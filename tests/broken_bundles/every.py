"""All bundles of the set."""

from __future__ import annotations

from functools import cache
from itertools import chain

from broken_bundles.cases import GOOD, Case
from broken_bundles.files import file_cases, zip_cases
from broken_bundles.members import member_cases
from broken_bundles.story import base_files


@cache
def all_cases() -> tuple[Case, ...]:
    good = (Case("good", "", base_files, GOOD), Case("good-folder", "", base_files, GOOD, folder=True))
    cases = (*good, *chain(file_cases(), zip_cases(), member_cases()))
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "each name once"
    return cases
