"""Check 1: every file is listed, every digest is right, nothing is unlisted, and nothing is there without a purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deedbox_sync.bundle import bag, layout
from deedbox_sync.bundle.index import BundleIndex
from deedbox_sync.bundle.names import safe_name, shown
from deedbox_sync.errors import FormatError
from deedbox_verify.contents import Contents, Measured
from deedbox_verify.errors import UncheckableError
from deedbox_verify.findings import FILES, Findings, counted
from deedbox_verify.reader import BundleFiles, Progress, measure, read_whole


def check_bag(files: BundleFiles, findings: Findings, progress: Progress) -> Contents:
    """Measures every file and holds it against the manifests. UncheckableError where this is no bundle at all."""
    for path in (layout.BAGIT, layout.MANIFEST, layout.INDEX):
        if path not in files.sizes:
            raise UncheckableError(f"this is not a Deedbox bundle: it has no {path}")
    measures: dict[str, Measured] = {}
    for path in sorted(files.sizes):
        try:
            size, digests = measure(files, path, ("sha256",), progress)
        except OSError as problem:
            findings.fault(FILES, "file.unreadable", shown(path), f"cannot be read: {problem.strerror}")
            continue
        measures[path] = Measured(size, digests["sha256"])
    present = set(files.sizes)
    listed = _listed(files, layout.MANIFEST, layout.MAX_MANIFEST, findings)
    tags = _listed(files, layout.TAG_MANIFEST, layout.MAX_TAG_FILE, findings)
    _compare(layout.MANIFEST, listed, bag.payload(present), measures, findings)
    roots = [path for path in present if not path.startswith("data/") and path != layout.TAG_MANIFEST]
    _compare(layout.TAG_MANIFEST, tags, roots, measures, findings)
    for path in layout.TAG_FILES:
        if tags is not None and path not in tags:
            findings.fault(FILES, "bag.tag", layout.TAG_MANIFEST, f"does not list {path}")
    contents = Contents(files, measures, findings)
    _check_tag_texts(contents, measures, findings)
    total = sum(one.size for one in measures.values())
    findings.counted[FILES] = (
        f"{counted(len(measures), 'file')}, {size_in_words(total)}, every digest right, nothing unlisted"
    )
    return contents


def _listed(files: BundleFiles, path: str, limit: int, findings: Findings) -> Mapping[str, bytes] | None:
    if path not in files.sizes:
        findings.fault(FILES, "bag.missing", path, "is missing")
        return None
    data = read_whole(files, path, limit)
    if data is None:
        findings.fault(FILES, "file.too-long", path, f"is longer than the {limit} bytes that it may have")
        return None
    try:
        return bag.parse_manifest(data, path)
    except FormatError as problem:
        findings.fault(FILES, "bag.manifest", shown(problem.where), problem.what)
        return None


def _compare(
    manifest: str,
    listed: Mapping[str, bytes] | None,
    present: Iterable[str],
    measures: Mapping[str, Measured],
    findings: Findings,
) -> None:
    if listed is None:
        return
    for path in sorted(listed):
        if path not in measures:
            findings.fault(FILES, "bag.missing", shown(path), f"is listed in {manifest} and is missing")
        elif measures[path].sha256 != listed[path]:
            findings.fault(
                FILES, "bag.digest", shown(path), f"is not the file that {manifest} lists: its SHA-256 is another"
            )
    for path in sorted(set(present) - set(listed)):
        hint = "; if this computer put it there, delete it and check again" if path.split("/")[-1] in _LITTER else ""
        findings.fault(FILES, "bag.unlisted", shown(path), f"is not listed in {manifest}{hint}")


#: Files that desktops leave in folders people look at.
_LITTER = frozenset([".DS_Store", "Thumbs.db", "desktop.ini", ".directory"])


def _check_tag_texts(contents: Contents, measures: Mapping[str, Measured], findings: Findings) -> None:
    text = contents.read(FILES, layout.BAGIT, layout.MAX_TAG_FILE)
    if text is not None and text != bag.BAGIT_TEXT:
        findings.fault(FILES, "bag.tag", layout.BAGIT, "is not that of BagIt 1.0 in UTF-8")
    data = contents.read(FILES, layout.BAG_INFO, layout.MAX_TAG_FILE)
    if data is None:
        return
    with findings.catching(FILES, "bag.info", layout.BAG_INFO):
        info = bag.parse_bag_info(data)
        paths = bag.payload(measures)
        octets = sum(measures[path].size for path in paths)
        if (info.octets, info.files) != (octets, len(paths)):
            told, found = f"{info.octets}.{info.files}", f"{octets}.{len(paths)}"
            findings.fault(FILES, "bag.info", layout.BAG_INFO, f"tells a payload of {told}, there is {found}")


def check_layout(files: BundleFiles, contents: Contents, index: BundleIndex, findings: Findings) -> None:
    """Every file has its place in the layout for this index, and every place has its file."""
    expected = set(expected_paths(index))
    present = set(contents.measures)
    for path in sorted(expected - present):
        findings.fault(FILES, "bag.absent", shown(path), "belongs to the bundle and is missing")
    for path in sorted(present - expected):
        findings.fault(FILES, "bag.purpose", shown(path), "has no place in the bundle that data/bundle.json describes")
    if files.folder.startswith("deedbox-bundle-") and files.folder != layout.top_folder(index.bundle):
        findings.remark(f"The folder is called {shown(files.folder)}, the bundle {index.bundle}.")
    data = contents.read(FILES, layout.BAG_INFO, layout.MAX_TAG_FILE)
    if data is not None:
        try:
            info = bag.parse_bag_info(data)
        except FormatError:
            return  # told by check_bag
        if info.bundle != index.bundle or info.made != index.made.date():
            findings.fault(FILES, "bag.info", layout.BAG_INFO, "names another bundle or day than data/bundle.json")


def expected_paths(index: BundleIndex) -> Iterable[str]:
    """All files of a bundle with this index; what the index itself says of paths must agree."""
    yield from (*layout.TAG_FILES, layout.TAG_MANIFEST)
    yield from (layout.INDEX, layout.CUSTODY_PAPER, layout.CHECKPOINT, layout.LOG_KEY, layout.ENTRIES, layout.TIME)
    for device in index.devices:
        yield from (layout.device_record(device), layout.device_key(device))
    for stamp in index.stamps:
        size = stamp.size
        yield from (layout.stamp_note(size), layout.stamp_consistency(size))
        for number in range(1, stamp.tokens + 1):
            yield from (layout.stamp_token(size, number), layout.stamp_text(size, number))
            yield layout.stamp_revocation(size, number)
    for exhibit in index.exhibits:
        number = exhibit.number
        yield layout.original(number, safe_name(exhibit.name))
        yield from (layout.statement(number), layout.sigstore(number), layout.receipt(number), layout.custody(number))
        for derived in exhibit.derived:
            yield derived.path


def size_in_words(count: int) -> str:
    """A size in words for people, in decimal units as desktops count."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{count} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
