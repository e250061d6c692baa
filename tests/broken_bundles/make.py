"""Writes the set: `python -m broken_bundles.make FOLDER`.

    FOLDER/bundles/NAME.zip          (or a folder NAME)
    FOLDER/trust/NAME.json           the files of pinned keys
    FOLDER/expected.json             {"v": 1, "bundles": [{"name", "path", "fault", "trust", "require", "status", "intact",
                                     "anchored", "attributed", "codes"}, …]}

`status` is the exit status of `deedbox-verify --trust TRUST --require REQUIRE PATH`; paths are relative to FOLDER; `codes` are
the findings' codes, sorted, each once. All is the same at each run, but for signatures by ML-DSA, which are random.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from broken_bundles.cases import Case
from broken_bundles.every import all_cases
from broken_bundles.trusts import TRUSTS
from broken_bundles.zips import plain_zip
from deedbox_sync.bundle import layout
from miniature_log import BUNDLE


def write(folder: Path) -> int:
    """How many bundles were written."""
    (folder / "trust").mkdir(parents=True, exist_ok=True)
    for name, trust in TRUSTS.items():
        (folder / "trust" / f"{name}.json").write_text(json.dumps(trust, indent=1) + "\n")
    told = [_told(case, _lay(case, folder)) for case in all_cases()]
    (folder / "expected.json").write_text(json.dumps({"v": 1, "bundles": told}, indent=1, ensure_ascii=False) + "\n")
    return len(told)


def _lay(case: Case, folder: Path) -> str:
    """The bundle's path below the folder."""
    made = case.make()
    place = folder / "bundles"
    place.mkdir(exist_ok=True)
    if case.folder:
        assert isinstance(made, Mapping)
        root = place / case.name / layout.top_folder(BUNDLE)
        for path, data in made.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return str(root.relative_to(folder))
    archive = place / f"{case.name}.zip"
    archive.write_bytes(plain_zip(made) if isinstance(made, Mapping) else made)
    return str(archive.relative_to(folder))


def _told(case: Case, path: str) -> dict[str, object]:
    expected = case.expected
    return {
        "name": case.name,
        "path": path,
        "fault": case.fault,
        "trust": f"trust/{case.trust}.json",
        "require": case.require,
        "status": expected.status,
        "intact": expected.intact,
        "anchored": expected.anchored,
        "attributed": expected.attributed,
        "codes": sorted(expected.codes),
    }


if __name__ == "__main__":
    print(f"{write(Path(sys.argv[1]))} bundles in {sys.argv[1]}")
