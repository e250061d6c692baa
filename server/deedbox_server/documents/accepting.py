"""A worker's result files, believed only as far as they can be checked: known forms, strict formats, words within texts."""

import re
from collections.abc import Mapping

from deedbox_server.documents.derived import (
    FACTS,
    JSON_TYPE,
    PDF_TYPE,
    SEARCHABLE_PDF,
    TEXT,
    WORDS,
    PageText,
    PageWords,
    parse_facts,
    parse_text,
    parse_words,
)
from deedbox_server.documents.worker_protocol import WorkerResult
from deedbox_sync.errors import FormatError

# It is kept in the job's row, which may be seen where contents may not.
_NOTE = re.compile(r"[0-9A-Za-z:_-]{0,80}")
_TYPES: Mapping[str, str] = {TEXT: JSON_TYPE, WORDS: JSON_TYPE, FACTS: JSON_TYPE, SEARCHABLE_PDF: PDF_TYPE}


def check_result(result: WorkerResult) -> None:
    """FormatError names the file that is not what it says it is. A searchable PDF is only known to begin as one."""
    if not _NOTE.fullmatch(result.note):
        raise FormatError("note", "is no word of ours")
    files = {file.form: file for file in result.files}
    for form, file in files.items():
        if _TYPES.get(form) != file.media_type:
            raise FormatError(form, f"cannot be {file.media_type}")
    if SEARCHABLE_PDF in files and not files[SEARCHABLE_PDF].data.startswith(b"%PDF-"):
        raise FormatError(SEARCHABLE_PDF, "is no PDF")
    if FACTS in files:
        parse_facts(files[FACTS].data)
    texts = parse_text(files[TEXT].data) if TEXT in files else ()
    words = parse_words(files[WORDS].data) if WORDS in files else ()
    if len(texts) != result.pages:
        raise FormatError(TEXT, f"has {len(texts)} pages, not {result.pages}")
    _check_places(texts, words)


def _check_places(texts: tuple[PageText, ...], words: tuple[PageWords, ...]) -> None:
    lengths = {page.page: len(page.text) for page in texts}
    for page in words:
        if page.page not in lengths:
            raise FormatError(WORDS, f"has a page {page.page} that the text has not")
        if page.words and page.words[-1].end > lengths[page.page]:
            raise FormatError(WORDS, f"lies beyond the text of page {page.page}")
