"""Several tagged PDFs made one, tags and all: a reader for the blind finds headings and tables in a packet too.

The structure trees become parts of one document; marked content keeps its numbers, which are per page, and pages and
annotations get new keys in the joined parent tree (ISO 32000-1, 14.7). The whole says that it is PDF/A only if every part does.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf

_DEEPEST = 200  # levels of a structure or number tree; what typst makes has ten
_PDFA = re.compile(rb"\s*<pdfaid:(part|conformance)>[^<]*</pdfaid:\1>")


@dataclass
class _Tree:
    """What the joined root will have."""

    tops: list[Object] = field(default_factory=list)
    parents: list[tuple[int, Object]] = field(default_factory=list)
    ids: list[tuple[bytes, Object]] = field(default_factory=list)
    next_key: int = 0


def tagged_join(documents: Sequence[bytes]) -> bytes:
    """All pages in order; metadata and output intent are the first document's."""
    tree, archival = _Tree(), True
    with pikepdf.open(io.BytesIO(documents[0])) as whole:
        _graft(tree, whole.Root.get(Name.StructTreeRoot), whole, 0, 0)
        archival = _is_archival(whole)
        for number, data in enumerate(documents[1:], start=1):
            with pikepdf.open(io.BytesIO(data)) as part:
                archival = archival and _is_archival(part)
                first = len(whole.pages)
                whole.pages.extend(part.pages)
                root = part.Root.get(
                    Name.StructTreeRoot
                )  # copied after its pages, so that it points to the copied pages
                _graft(
                    tree, None if root is None else whole.copy_foreign(part.make_indirect(root)), whole, first, number
                )
        _plant(tree, whole)
        if not archival and Name.Metadata in whole.Root:
            whole.Root.Metadata.write(_PDFA.sub(b"", whole.Root.Metadata.read_bytes()))
        out = io.BytesIO()
        whole.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def _graft(tree: _Tree, root: Object | None, whole: Pdf, first: int, number: int) -> None:
    """Take over one document's tree; its pages are those of `whole` from `first`."""
    offset = tree.next_key
    for page in list(whole.pages)[first:]:
        for item, key in (
            (page.obj, Name.StructParents),
            *((note, Name.StructParent) for note in page.obj.get(Name.Annots, ())),
        ):
            if key in item:
                if root is None:
                    del item[key]
                else:
                    item[key] = int(item[key]) + offset
    if root is None:
        return
    tops = _items(root.get(Name.K))
    tree.tops += tops
    for top in tops:
        _prefix(tree, top, b"%d-" % number, 0)
    for place, parent in _numbers(root.get(Name.ParentTree), 0):
        tree.parents.append((place + offset, parent))
        tree.next_key = max(tree.next_key, place + offset + 1)


def _prefix(tree: _Tree, element: Object, prefix: bytes, depth: int) -> None:
    """Identifiers are unique in the whole, and headers of tables are named by them."""
    if depth > _DEEPEST:
        raise pikepdf.PdfError("a structure tree is too deep")
    if Name.ID in element:
        renamed = prefix + bytes(element.ID)
        element.ID = pikepdf.String(renamed)
        tree.ids.append((renamed, element))
    for attributes in _items(element.get(Name.A)):
        if isinstance(attributes, Dictionary) and Name.Headers in attributes:
            attributes.Headers = Array([pikepdf.String(prefix + bytes(one)) for one in attributes.Headers])
    for child in _items(element.get(Name.K)):
        if isinstance(child, Dictionary) and Name.S in child:
            _prefix(tree, child, prefix, depth + 1)


def _numbers(node: Object | None, depth: int) -> Iterator[tuple[int, Object]]:
    """Keys and values of a number tree (7.9.7)."""
    if node is None or depth > _DEEPEST:
        return
    flat = list(node.get(Name.Nums, ()))
    for at in range(0, len(flat) - 1, 2):
        yield int(flat[at]), flat[at + 1]
    for kid in node.get(Name.Kids, ()):
        yield from _numbers(kid, depth + 1)


def _plant(tree: _Tree, whole: Pdf) -> None:
    if not tree.tops:
        return
    root = whole.make_indirect(Dictionary(Type=Name.StructTreeRoot, ParentTreeNextKey=tree.next_key))
    document = whole.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, P=root, K=Array(tree.tops)))
    root.K = document
    for top in tree.tops:
        top.P = document
        if top.get(Name.S) == Name.Document:
            top.S = Name.Part
    flat: list[object] = []
    for key, parent in sorted(tree.parents, key=lambda one: one[0]):
        flat += [key, parent]
    root.ParentTree = whole.make_indirect(Dictionary(Nums=Array(flat)))
    if tree.ids:
        names: list[object] = []
        for identifier, element in sorted(tree.ids, key=lambda one: one[0]):
            names += [pikepdf.String(identifier), element]
        limits = Array([names[0], names[-2]])
        root.IDTree = whole.make_indirect(
            Dictionary(Kids=Array([whole.make_indirect(Dictionary(Names=Array(names), Limits=limits))]))
        )
    old = whole.Root.get(Name.StructTreeRoot)
    if old is not None and Name.RoleMap in old:
        root.RoleMap = old.RoleMap
    whole.Root.StructTreeRoot = root
    whole.Root.MarkInfo = Dictionary(Marked=True)


def _items(value: Object | None) -> list[Object]:
    if value is None:
        return []
    return list(value) if isinstance(value, Array) else [value]


def _is_archival(document: Pdf) -> bool:
    return Name.Metadata in document.Root and b"pdfaid:part" in document.Root.Metadata.read_bytes()
