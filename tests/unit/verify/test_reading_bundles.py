"""Folders and ZIPs are read in place; whatever could lead elsewhere, hide or expand is refused before it is read."""

from __future__ import annotations

import os
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bundle_maker import Files, good_bundle
from deedbox_sync.bundle import layout
from deedbox_verify.errors import UncheckableError
from deedbox_verify.examine import examine
from deedbox_verify.reader import FolderBundle
from deedbox_verify.trust import Trust
from deedbox_verify.zip_reader import ZipBundle
from miniature_log import BUNDLE

Laid = Callable[[Mapping[str, bytes]], Path]
TOP = layout.top_folder(BUNDLE)


def zipped(path: Path, files: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """A ZIP by another implementation than ours."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name in sorted(files):
            archive.writestr(f"{TOP}/{name}", files[name])
    return path


def refused(path: Path) -> str:
    with pytest.raises(UncheckableError) as caught:
        ZipBundle(path).close()
    return caught.value.what


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "bundle.zip"


# -- ZIP


def test_a_zip_made_by_another_tool_verifies(archive: Path) -> None:
    bundle = ZipBundle(zipped(archive, good_bundle()))
    assert examine(bundle, Trust()).intact.yes
    bundle.close()


def test_folder_entries_are_passed_over(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as out:
        out.mkdir(f"{TOP}/")
        out.mkdir(f"{TOP}/data/")
        for name, data in good_bundle().items():
            out.writestr(f"{TOP}/{name}", data)
    bundle = ZipBundle(archive)
    assert bundle.sizes.keys() == good_bundle().keys()
    bundle.close()


def test_a_compressed_zip_says_what_to_do(archive: Path) -> None:
    assert "unpack it and check the folder" in refused(zipped(archive, good_bundle(), zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        f"{TOP}/../../evil",
        "/etc/passwd",
        f"{TOP}//x",
        f"{TOP}/./x",
        f"{TOP}/a\\b",
        f"{TOP}/C:evil",
        f"{TOP}/a\x01",
    ],
)
def test_names_that_lead_elsewhere_are_refused(archive: Path, name: str) -> None:
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(zipfile.ZipInfo(name), b"x")
    assert "refused" in refused(archive)


def test_a_name_that_is_there_twice_is_refused(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as out, pytest.warns(UserWarning, match="Duplicate"):
        out.writestr(f"{TOP}/a", b"1")
        out.writestr(f"{TOP}/a", b"2")
    assert "twice" in refused(archive)


def test_a_name_that_is_there_in_two_unicode_forms_is_refused(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(f"{TOP}/\u00e9", b"1")
        out.writestr(f"{TOP}/e\u0301", b"2")
    assert "twice" in refused(archive)


def test_a_link_is_refused(archive: Path) -> None:
    info = zipfile.ZipInfo(f"{TOP}/link")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(info, b"/etc/passwd")
    assert "link" in refused(archive)


def test_two_top_folders_are_refused(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("one/a", b"1")
        out.writestr("two/b", b"2")
    assert "top folder" in refused(archive)


def test_bytes_before_the_first_file_are_refused(archive: Path) -> None:
    whole = zipped(archive, {"a": b"1"}).read_bytes()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(f"{TOP}/a", b"1")
    archive.write_bytes(b"#!/bin/sh\n" + whole)
    assert "directory" in refused(archive)


def test_a_comment_is_refused(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(f"{TOP}/a", b"1")
        out.comment = b"hello"
    assert "end like one" in refused(archive)


def test_a_hidden_file_between_two_files_is_refused(archive: Path) -> None:
    """A file with a local header that the directory does not name: a streaming reader would see it."""
    zipped(archive, {"a": b"1", "b": b"2", "c": b"3"})
    whole = archive.read_bytes()
    first = whole.index(b"PK\1\2")
    middle = whole.index(b"PK\1\2", first + 1)
    last = whole.index(b"PK\1\2", middle + 1)
    end = bytearray(whole[-22:])
    struct.pack_into("<HHI", end, 8, 2, 2, len(whole) - 22 - first - (last - middle))
    archive.write_bytes(whole[:middle] + whole[last:-22] + bytes(end))
    assert "hides bytes" in refused(archive)


def test_two_headers_that_disagree_are_refused(archive: Path) -> None:
    zipped(archive, {"a": b"1"})
    archive.write_bytes(archive.read_bytes().replace(f"{TOP}/a".encode(), f"{TOP}/b".encode(), 1))
    assert "do not agree" in refused(archive)


def test_a_zip_cut_short_is_refused_wherever_it_is_cut(archive: Path) -> None:
    whole = zipped(archive, {"a": b"1", "b": b"22"}).read_bytes()
    for length in range(len(whole)):
        archive.write_bytes(whole[:length])
        assert refused(archive)


# -- folder


def test_a_folder_verifies(laid: Laid) -> None:
    assert examine(FolderBundle(laid(good_bundle())), Trust()).intact.yes


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links here")
@pytest.mark.parametrize("target", ["data/exhibits", "data/log/checkpoint", "/etc/passwd"])
def test_a_symbolic_link_in_a_folder_is_refused(laid: Laid, target: str) -> None:
    root = laid(good_bundle())
    (root / "data" / "link").symlink_to(target)
    with pytest.raises(UncheckableError, match="symbolic link"):
        FolderBundle(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_a_folder_is_refused(laid: Laid) -> None:
    root = laid(good_bundle())
    os.mkfifo(root / "data" / "pipe")
    with pytest.raises(UncheckableError, match="neither a file nor a folder"):
        FolderBundle(root)


def test_folders_without_end_are_refused(laid: Laid) -> None:
    root = laid(good_bundle())
    (root / "/".join("abcdefghijkl")).mkdir(parents=True)
    with pytest.raises(UncheckableError, match="nested deeper"):
        FolderBundle(root)


def test_names_that_a_file_system_took_apart_are_put_together(laid: Laid) -> None:
    """Some file systems give names back in normal form D; the manifest has C."""
    files: Files = good_bundle()
    path = next(path for path in files if "Мой договор" in path)
    files[unicodedata.normalize("NFD", path)] = files.pop(path)
    assert unicodedata.normalize("NFD", path) != path
    assert examine(FolderBundle(laid(files)), Trust()).intact.yes


@pytest.mark.parametrize("missing", [layout.BAGIT, layout.MANIFEST, layout.INDEX])
def test_a_folder_that_is_no_bundle_is_refused(laid: Laid, missing: str) -> None:
    files = good_bundle()
    del files[missing]
    with pytest.raises(UncheckableError, match="not a Deedbox bundle"):
        examine(FolderBundle(laid(files)), Trust())
