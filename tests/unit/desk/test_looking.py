"""Looking at real folders, and knowing what is no evidence."""

import os
from pathlib import Path

import pytest

from deedbox_desktop.engine.watch.file_system import is_network, mount_type
from deedbox_desktop.engine.watch.rules import IgnoreRules
from deedbox_desktop.engine.watch.scan import FolderUnreachable, Kind, scan


def test_a_look_names_every_file_with_its_facts(tmp_path: Path) -> None:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "sub" / "deep" / "a").write_bytes(b"12345")
    [entry] = scan(os.fsencode(tmp_path)).entries
    facts = (tmp_path / "sub" / "deep" / "a").stat()
    assert entry == (b"sub/deep/a", Kind.FILE, 5, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)


def test_a_look_follows_no_link_and_opens_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    kinds = {entry.path: entry.kind for entry in scan(os.fsencode(tmp_path)).entries}
    assert kinds == {b"loop": Kind.LINK, b"dangling": Kind.LINK, b"pipe": Kind.SPECIAL}


def test_a_folder_that_is_not_there_says_nothing_about_its_files(tmp_path: Path) -> None:
    with pytest.raises(FolderUnreachable):
        scan(os.fsencode(tmp_path / "gone"))


@pytest.mark.parametrize(
    "name",
    [b"~$brief.docx", b"sub/.DS_Store", b"Thumbs.db", b"THUMBS.DB", b"x.tmp", b"film.part", b".x.swp", b"._photo.jpg"],
)
def test_helper_files_are_passed_over(name: bytes) -> None:
    assert IgnoreRules().reason(name)


@pytest.mark.parametrize(
    "name", [b"brief.docx", b"tmp", b"part.pdf", b"~brief.docx", b"x.tmp.pdf", b"DS_Store", b"\xff.pdf"]
)
def test_evidence_is_not_passed_over(name: bytes) -> None:
    assert IgnoreRules().reason(name) is None


def test_a_folders_own_patterns_match_names_or_paths() -> None:
    rules = IgnoreRules(["*.BAK", "drafts/*"])
    assert rules.reason(b"deep/in/x.bak")
    assert rules.reason(b"Drafts/x.pdf")
    assert rules.reason(b"other/drafts/x.pdf") is None


MOUNTS = rb"""22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
40 22 0:40 / /mnt/office\040share rw,relatime shared:9 master:2 - cifs //server/share rw
41 22 0:41 / /mnt/office rw - nfs4 server:/x rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [(b"/home/a", "ext4"), (b"/mnt/office share/x", "cifs"), (b"/mnt/office", "nfs4"), (b"/mnt/officer", "ext4")],
)
def test_the_file_system_of_a_path_is_that_of_its_nearest_mount(path: bytes, kind: str) -> None:
    assert mount_type(path, MOUNTS) == kind


def test_a_folder_of_this_machine_is_not_on_the_network(tmp_path: Path) -> None:
    assert not is_network(os.fsencode(tmp_path))
