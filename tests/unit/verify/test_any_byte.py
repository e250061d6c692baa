"""No byte of a bundle can change without being noticed, and nothing that a file may hold makes the verifier fall over."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from broken_bundles.story import base_files
from broken_bundles.trusts import TRUSTS
from bundle_maker import bagged
from deedbox_sync.bundle import layout
from deedbox_verify.errors import UncheckableError
from deedbox_verify.examine import examine
from deedbox_verify.trust import parse_trust
from deedbox_verify.zip_reader import ZipBundle
from memory_bundle import MemoryBundle
from miniature_log import BUNDLE

PATHS = sorted(path for path, data in base_files().items() if data)
TRUST = parse_trust(json.dumps(TRUSTS["all"]).encode())


def intact(files: dict[str, bytes]) -> bool:
    """False also where there is nothing to judge."""
    try:
        return examine(MemoryBundle(files), TRUST).intact.yes
    except UncheckableError:
        return False


def test_unchanged_it_is_intact() -> None:
    assert intact(base_files())


@given(st.data())
def test_a_flipped_bit_anywhere_is_noticed(data: st.DataObject) -> None:
    files = base_files()
    path = data.draw(st.sampled_from(PATHS))
    place = data.draw(st.integers(0, len(files[path]) - 1))
    changed = bytearray(files[path])
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    assert not intact({**files, path: bytes(changed)})


#: What nothing but the manifests covers, and the verdict says so: the paper, the page, and the firm's own words.
READING_ONLY = {layout.CUSTODY_PAPER, layout.PAGE, layout.INDEX}
#: A token has parts that its authority did not sign; where one of them is not its own, it proves nothing, and is no fault. Nor is
#: a CRL that nobody signed.
OUTSIDERS = {path for path in PATHS if path.startswith("data/stamps/") and "-" in path and not path.endswith(".txt")}
PROVEN = [path for path in PATHS if path.startswith("data/") and path not in READING_ONLY | OUTSIDERS]


def proven_length(content: bytes) -> int:
    """Of a note all up to the witnesses' lines: one whose name changes is of a witness whom nobody pinned, and says nothing."""
    found = content.find("\n— witness".encode())
    return len(content) if found < 0 else found + 1


@given(st.data())
def test_a_flipped_bit_under_right_manifests_is_noticed_in_all_that_is_proven(data: st.DataObject) -> None:
    files = base_files()
    path = data.draw(st.sampled_from(PROVEN))
    place = data.draw(st.integers(0, proven_length(files[path]) - 1))
    changed = bytearray(files[path])
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    assert not intact(bagged({**files, path: bytes(changed)}))


@given(st.data())
def test_whatever_stands_in_a_file_is_judged_not_thrown_at(data: st.DataObject) -> None:
    files = base_files()
    path = data.draw(st.sampled_from([path for path in PATHS if path.startswith("data/")]))
    part = data.draw(st.binary(max_size=40))
    at = data.draw(st.integers(0, len(files[path])))
    cut = data.draw(st.integers(0, 40))
    examine(MemoryBundle(bagged({**files, path: files[path][:at] + part + files[path][at + cut :]})), TRUST)


@cache
def as_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in sorted(base_files().items()):
            archive.writestr(zipfile.ZipInfo(f"{layout.top_folder(BUNDLE)}/{name}", (2026, 3, 14, 12, 0, 0)), data)
    return out.getvalue()


@settings(max_examples=60)
@given(st.data())
def test_a_flipped_bit_in_a_zip_changes_no_file_unnoticed(data: st.DataObject) -> None:
    """Bits that no reader looks at (times, CRCs) may change; the files read must then be the same."""
    whole = bytearray(as_zip())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        path.write_bytes(whole)
        try:
            bundle = ZipBundle(path)
        except UncheckableError:
            return
        try:
            verdict = examine(bundle, TRUST)
            if verdict.intact.yes:
                assert bundle.sizes == {name: len(content) for name, content in base_files().items()}
        except UncheckableError:
            pass
        finally:
            bundle.close()
