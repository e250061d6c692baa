"""Typst as this package uses it: a template, data, and a PDF, all in memory; and several PDFs made one with pikepdf."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

import pikepdf
import typst

_FORGETS_AFTER = 11  # typst keeps what it computed until ten further documents have not asked for it


def typeset(template: bytes, data: Mapping[str, object], made: datetime) -> bytes:
    """The template with `data` as `json(bytes(sys.inputs.paper))`: PDF/A-2b, or plain PDF where a glyph is missing."""
    inputs = {"paper": json.dumps(data, ensure_ascii=False)}
    try:
        return _compiled(template, inputs, made, ["a-2b"])
    except typst.TypstError:
        return _compiled(template, inputs, made, [])
    finally:
        _forget()


def query(template: bytes, data: Mapping[str, object], selector: str) -> str:
    """The values, as JSON, of the metadata that the set document has under a label."""
    inputs = {"paper": json.dumps(data, ensure_ascii=False)}
    try:
        return typst.Compiler(template, font_paths=_fonts(), sys_inputs=inputs).query(selector, field="value")
    finally:
        _forget()


def _compiled(template: bytes, inputs: dict[str, str], made: datetime, standards: list[typst.PDFStandard]) -> bytes:
    compiler = typst.Compiler(template, font_paths=_fonts(), sys_inputs=inputs)
    result = compiler.compile(format="pdf", pdf_standards=standards, timestamp=made.replace(microsecond=0))
    assert isinstance(result, bytes)
    return result


def _forget() -> None:
    """Without this a process that has set a long paper keeps a MiB for each page of it."""
    for _ in range(_FORGETS_AFTER):
        typst.Compiler(b"", font_paths=_fonts()).compile(format="pdf")


@cache
def _fonts() -> typst.Fonts:
    """Those inside typst set the page; the system's stand in for scripts that they lack. Looking them up takes long."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)


def page_count(document: bytes) -> int:
    with pikepdf.open(io.BytesIO(document)) as opened:
        return len(opened.pages)


def joined(documents: Sequence[bytes]) -> bytes:
    """One PDF of all pages. Its tags go, since they cannot be joined; what makes it PDF/A-2b stays, from the first."""
    with pikepdf.open(io.BytesIO(documents[0])) as whole:
        for document in documents[1:]:
            with pikepdf.open(io.BytesIO(document)) as part:
                whole.pages.extend(part.pages)
        for name in ("/StructTreeRoot", "/MarkInfo"):
            if name in whole.Root:
                del whole.Root[name]
        for page in whole.pages:
            if "/StructParents" in page:
                del page["/StructParents"]
        out = io.BytesIO()
        whole.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()
