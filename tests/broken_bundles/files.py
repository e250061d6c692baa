"""Faults of files as files: bytes, manifests, tag files, layout. And ZIPs that tools would read in different ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256

from broken_bundles.cases import Case, Make, broken, refused
from broken_bundles.story import RESTAMPED, STAMPED, base_files
from broken_bundles.zips import Member, Zip, plain_zip
from bundle_maker import Files, bagged
from bundle_spoils import ORIGINAL_1
from deedbox_sync.bundle import bag, layout
from miniature_log import BUNDLE, CASE, DESK

TEXT_1 = layout.derived(1, "text.txt")


def spoiled(spoil: Callable[[Files], Files]) -> Make:
    return lambda: spoil(base_files())


def _flip(path: str) -> Make:
    def make() -> Files:
        files = base_files()
        data = bytearray(files[path])
        data[len(data) // 2] ^= 1
        return {**files, path: bytes(data)}

    return make


def _without(path: str, *, listed: bool = False) -> Make:
    def make() -> Files:
        files = base_files()
        del files[path]
        return bagged(files) if listed else files

    return make


def _with(path: str, data: bytes, *, listed: bool = False) -> Make:
    return spoiled(lambda files: bagged({**files, path: data}) if listed else {**files, path: data})


def _tag(path: str, change: Callable[[bytes], bytes]) -> Make:
    """A tag file changed, and the tag manifest right again."""

    def make() -> Files:
        files = base_files()
        files[path] = change(files[path])
        return _tagged(files)

    return make


def _tagged(files: Files) -> Files:
    tags = {path: sha256(files[path]).digest() for path in layout.TAG_FILES if path in files}
    return {**files, layout.TAG_MANIFEST: bag.encode_manifest(tags)}


def file_cases() -> Iterator[Case]:
    yield from _flipped()
    yield from _absent()
    yield from _added()
    yield from _manifests()
    yield from _tags()


def _flipped() -> Iterator[Case]:
    """One bit in the middle of a file, the manifests as they were: whoever is careless, or a bad disk.

    What else the file was to prove does not hold either; where a flipped bit lands in it decides how that is told.
    """
    only = "bag.digest"
    yield broken("flip-custody-paper", "a bit of custody.pdf", _flip(layout.CUSTODY_PAPER), only)
    yield broken("flip-page", "a bit of VERIFY.md", _flip(layout.PAGE), only)
    yield broken(
        "flip-original",
        "a bit of an original",
        _flip(ORIGINAL_1),
        only,
        "statement.content",
        attributed="no",
    )
    yield broken("flip-derived", "a bit of a derived document", _flip(TEXT_1), only, "derived.content")
    yield broken("flip-log-key", "a bit of the log's PEM", _flip(layout.LOG_KEY), only, "log.key")
    yield broken("flip-device-key", "a bit of a device's PEM", _flip(layout.device_key(DESK)), only, "device.pem")
    yield broken("flip-sigstore", "a bit of a Sigstore twin", _flip(layout.sigstore(1)), only, "statement.sigstore")


def _absent() -> Iterator[Case]:
    """A file is gone; in the second half the forger has put the manifests right."""
    needs: list[tuple[str, str, tuple[str, ...], str, str]] = [
        ("original", ORIGINAL_1, ("file.missing",), "before", "no"),
        ("derived", TEXT_1, ("file.missing",), "before", "yes"),
        ("statement", layout.statement(1), ("file.missing",), "before", "no"),
        ("sigstore", layout.sigstore(2), ("file.missing",), "before", "yes"),
        ("receipt", layout.receipt(2), ("file.missing",), "unchecked", "no"),
        ("custody", layout.custody(3), ("file.missing",), "before", "no"),
        ("custody-paper", layout.CUSTODY_PAPER, (), "before", "yes"),
        ("log-key", layout.LOG_KEY, ("file.missing",), "before", "yes"),
        ("device", layout.device_record(DESK), ("file.missing", "statement.device"), "before", "no"),
        ("device-key", layout.device_key(DESK), ("file.missing",), "before", "yes"),
        ("time", layout.TIME, ("file.missing",), "before", "yes"),
        ("stamp-note", layout.stamp_note(STAMPED), ("file.missing",), "before", "yes"),
        ("stamp-consistency", layout.stamp_consistency(STAMPED), ("file.missing",), "before", "yes"),
        ("stamp-token", layout.stamp_token(STAMPED, 1), ("file.missing",), "before", "yes"),
        ("stamp-text", layout.stamp_text(STAMPED, 2), ("file.missing",), "before", "yes"),
        ("stamp-revocation", layout.stamp_revocation(RESTAMPED, 1), ("file.missing",), "before", "yes"),
    ]
    for short, path, codes, anchored, attributed in needs:
        told: tuple[str, ...] = ("bag.missing", "bag.absent", "bag.info", *codes)  # bag-info.txt counts the payload
        yield broken(
            f"without-{short}", f"{path} is gone", _without(path), *told, anchored=anchored, attributed=attributed
        )
        told = ("bag.absent", *codes)
        make = _without(path, listed=True)
        name, fault = f"without-{short}-unlisted", f"{path} is gone, and from the manifest"
        yield broken(name, fault, make, *told, anchored=anchored, attributed=attributed)
    yield broken("without-page", "VERIFY.md is gone", _without(layout.PAGE), "bag.missing", "bag.absent")
    yield broken("without-bag-info", "bag-info.txt is gone", _without(layout.BAG_INFO), "bag.missing", "bag.absent")
    yield broken(
        "without-tag-manifest", "the tag manifest is gone", _without(layout.TAG_MANIFEST), "bag.missing", "bag.absent"
    )
    yield refused("without-bagit", "bagit.txt is gone: no bag", _without(layout.BAGIT))
    yield refused("without-manifest", "the manifest is gone: no bag", _without(layout.MANIFEST))
    yield refused("without-index", "bundle.json is gone: no bundle", _without(layout.INDEX))


def _added() -> Iterator[Case]:
    told: tuple[str, ...] = ("bag.unlisted", "bag.purpose")
    yield broken("extra-payload", "a file more, unlisted", _with("data/extra.txt", b"x"), *told, "bag.info")
    yield broken("extra-beside", "a file more beside data/, unlisted", _with("README.txt", b"x"), *told)
    yield broken("extra-litter", "a desktop's own file", _with("data/.DS_Store", b"x"), *told, "bag.info")
    fault = "a desktop's own file in an unpacked bundle"
    yield broken("folder-litter", fault, _with("data/Thumbs.db", b"x"), *told, "bag.info", folder=True)
    fault = "a byte more in an unpacked original"
    told = ("bag.digest", "bag.info", "statement.content")
    make = spoiled(lambda files: {**files, ORIGINAL_1: files[ORIGINAL_1] + b"x"})
    yield broken("folder-original", fault, make, *told, attributed="no", folder=True)
    yield broken("extra-listed", "a file more, listed", _with("data/extra.txt", b"x", listed=True), "bag.purpose")
    yield broken(
        "extra-exhibit-file",
        "a second original",
        _with("data/exhibits/1/original/other.pdf", b"x", listed=True),
        "bag.purpose",
    )
    yield broken(
        "extra-stamp",
        "a token that the index does not count",
        _with(layout.stamp_token(RESTAMPED, 2), b"x", listed=True),
        "bag.purpose",
    )


def _manifests() -> Iterator[Case]:
    def manifest(change: Callable[[str], str]) -> Make:
        return _tag(layout.MANIFEST, lambda data: change(data.decode()).encode())

    form = "bag.manifest"
    yield broken("manifest-upper-case", "digests in upper case", manifest(_upper_digests), form)
    yield broken("manifest-one-space", "one space between", manifest(lambda text: text.replace("  ", " ")), form)
    yield broken("manifest-crlf", "lines end in CR LF", manifest(lambda text: text.replace("\n", "\r\n")), form)
    yield broken("manifest-no-end", "the last line does not end", manifest(lambda text: text[:-1]), form)
    yield broken(
        "manifest-twice", "a file is listed twice", manifest(lambda text: text + text.splitlines()[0] + "\n"), form
    )
    yield broken("manifest-outside", "a path leads out", manifest(lambda text: text + "0" * 64 + "  ../x\n"), form)
    yield broken("manifest-absolute", "a path is absolute", manifest(lambda text: text + "0" * 64 + "  /etc/x\n"), form)
    yield broken(
        "manifest-lists-nothing",
        "a file is listed that is not there",
        manifest(lambda text: text + "0" * 64 + "  data/zzz\n"),
        "bag.missing",
    )
    yield broken(
        "manifest-wrong-digest",
        "the custody paper's digest is another's",
        manifest(lambda text: _digest_of(text, layout.CUSTODY_PAPER)),
        "bag.digest",
    )
    yield broken(
        "manifest-changed-alone",
        "a line of the manifest is gone, the tag manifest as it was",
        spoiled(lambda files: {**files, layout.MANIFEST: _less(files[layout.MANIFEST], layout.CUSTODY_PAPER)}),
        "bag.digest",
        "bag.unlisted",
    )
    yield broken(
        "tag-manifest-short",
        "the tag manifest leaves VERIFY.md out",
        spoiled(lambda files: {**files, layout.TAG_MANIFEST: _less(files[layout.TAG_MANIFEST], layout.PAGE)}),
        "bag.unlisted",
        "bag.tag",
    )
    yield broken(
        "tag-manifest-junk",
        "the tag manifest is none",
        spoiled(lambda files: {**files, layout.TAG_MANIFEST: b"x"}),
        form,
    )


def _upper_digests(text: str) -> str:
    return "".join(f"{line[:64].upper()}{line[64:]}\n" for line in text.splitlines())


def _digest_of(text: str, path: str) -> str:
    return "".join(f"{'0' * 64 if line.endswith(path) else line[:64]}{line[64:]}\n" for line in text.splitlines())


def _less(data: bytes, path: str) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if not line.rstrip().endswith(path.encode()))


def _tags() -> Iterator[Case]:
    info = partial(_tag, layout.BAG_INFO)
    yield broken(
        "bagit-version",
        "bagit.txt of an older BagIt",
        _tag(layout.BAGIT, lambda data: data.replace(b"1.0", b"0.97")),
        "bag.tag",
    )
    yield broken(
        "bagit-encoding",
        "bagit.txt in another encoding",
        _tag(layout.BAGIT, lambda data: data.replace(b"UTF-8", b"UTF-16")),
        "bag.tag",
    )
    yield broken("info-oxum", "the payload's size told wrong", info(_oxum), "bag.info")
    yield broken(
        "info-day",
        "another day than the index",
        info(lambda data: data.replace(b"2026-03-14", b"2026-03-15")),
        "bag.info",
    )
    yield broken(
        "info-bundle",
        "another bundle than the index",
        info(lambda data: data.replace(str(BUNDLE).encode(), str(CASE).encode())),
        "bag.info",
    )
    yield broken(
        "info-person", "an element more, with a name", info(lambda data: data + b"Contact-Name: Anna\n"), "bag.info"
    )
    yield broken(
        "info-no-date",
        "an element less",
        info(lambda data: data.replace(b"Bagging-Date: 2026-03-14\n", b"")),
        "bag.info",
    )


def _oxum(data: bytes) -> bytes:
    head, _, count = data.rstrip().rpartition(b".")
    return head + b"." + str(int(count) + 1).encode() + b"\n"


def zip_cases() -> Iterator[Case]:
    """A verifier refuses them unread (formats/bundle.md, ZIP)."""
    files = base_files

    def of(change: Callable[[Zip], None]) -> Make:
        def make() -> bytes:
            archive = Zip.of(files())
            change(archive)
            return archive.encode()

        return make

    yield refused("zip-truncated", "the ZIP is cut short", lambda: plain_zip(files())[:-1])
    yield refused("zip-longer", "bytes after the ZIP", lambda: plain_zip(files()) + b"x")
    yield refused("zip-before", "bytes before the ZIP", lambda: b"x" + plain_zip(files()))
    yield refused("zip-comment", "a comment at the end", of(lambda one: one.comment(b"hello")))
    yield refused("zip-file-comment", "a comment at a file", of(lambda one: one.members[3].set(comment=b"hello")))
    yield refused("zip-deflated", "a compressed file", of(lambda one: one.members[3].set(method=8)))
    yield refused("zip-encrypted", "a file marked as encrypted", of(lambda one: one.members[3].set(flags=0x801)))
    yield refused("zip-gap", "bytes between two files", of(lambda one: one.members[3].set(after=b"hidden")))
    yield refused("zip-two-names", "two headers with two names", of(lambda one: one.members[3].set(local_name=b"x")))
    yield refused("zip-twice", "one name twice", of(lambda one: one.repeat(3)))
    yield refused("zip-outside", "a name that leads out", of(lambda one: one.members[3].set(name=b"../evil")))
    yield refused("zip-absolute", "an absolute name", of(lambda one: one.members[3].set(name=b"/evil")))
    yield refused("zip-backslash", "a backslash in a name", of(lambda one: one.members[3].set(name=b"a\\b")))
    yield refused("zip-two-tops", "two top folders", of(lambda one: one.members[3].set(name=b"other/x")))
    yield refused("zip-link", "a symbolic link", of(lambda one: one.members[3].set(mode=0o120777)))
    yield refused(
        "zip-latin-1", "a name that is not UTF-8", of(lambda one: one.members[3].set(name=b"deedbox-bundle-x/\xe9"))
    )
    yield refused("zip-two-sizes", "two sizes for one file", of(lambda one: one.members[3].set(local_size=1)))
    yield refused(
        "zip-hidden-member",
        "a file that the directory does not tell of",
        of(lambda one: one.members[3].set(listed=False)),
    )
    yield refused("zip-count", "the end counts fewer files", of(lambda one: one.miscount(-1)))
    yield refused("zip-64-disagrees", "two end records with two counts", of(_two_counts))
    gap = of(lambda one: one.members[3].set(described=True, after=b"hidden!"))
    yield refused("zip-descriptor-gap", "bytes after a file's descriptor", gap)
    yield refused("zip-folder-bytes", "a folder with bytes in it", of(lambda one: one.members[3].set(name=b"a/")))
    yield refused("zip-nfd", "one name in two Unicode forms", of(_two_forms))
    yield refused("zip-percent", "a percent sign in a name", of(lambda one: one.members[3].set(name=b"a/%2e%2e")))
    yield refused("zip-drive", "a drive in a name", of(lambda one: one.members[3].set(name=b"C:/x")))
    yield refused("zip-control", "a line end in a name", of(lambda one: one.members[3].set(name=b"a/b\nc")))
    yield refused("zip-empty", "no file at all", lambda: b"PK\5\6" + bytes(18))
    yield refused("zip-none", "a text, no ZIP", lambda: b"Dear Mr. Doe, here is the bundle. " * 4)


def _two_counts(archive: Zip) -> None:
    archive.end64, archive.end64_count = True, 3


def _two_forms(archive: Zip) -> None:
    top = archive.members[0].name.partition(b"/")[0]
    for name in ("é", "e\u0301"):
        archive.members.append(Member(top + b"/data/" + name.encode(), b"x"))
