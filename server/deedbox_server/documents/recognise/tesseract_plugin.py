"""OCRmyPDF plugin: Tesseract as a process for each page, its words kept, and pages reported as they are done.

OCRmyPDF loads plugins by module name and calls them from its threads, so what is kept lives in this module: one worker
process reads one document.
"""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from ocrmypdf import OcrElement, OcrEngine, hookimpl
from ocrmypdf.builtin_plugins.tesseract_ocr import TesseractOcrEngine
from ocrmypdf.hocrtransform.hocr_parser import HocrParseError, HocrParser

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Word trees by page, counted from 0, of the document of this process.
RECOGNISED: dict[int, OcrElement] = {}
# Called with the number of pages that OCRmyPDF has finished; set before it starts.
ON_PAGE: list[Callable[[float], None]] = []


class TreeEngine(TesseractOcrEngine):
    """The built-in engine, giving the word tree instead of a file."""

    @staticmethod
    def supports_generate_ocr() -> bool:
        return True

    @staticmethod
    def generate_ocr(input_file: Path, options: Any, page_number: int = 0) -> tuple[OcrElement, str]:
        with tempfile.TemporaryDirectory() as folder:
            hocr, text = Path(folder, "page.hocr"), Path(folder, "page.txt")
            TesseractOcrEngine.generate_hocr(input_file, hocr, text, options)  # type: ignore[no-untyped-call]
            try:
                tree = HocrParser(hocr).parse()
            except HocrParseError:
                # Tesseract writes characters that XML does not allow where it takes noise for text.
                hocr.write_text(_NOT_XML.sub(" ", hocr.read_text(errors="replace")))
                tree = HocrParser(hocr).parse()
        RECOGNISED[page_number] = tree
        return tree, ""


class _Bar:
    """OCRmyPDF's progress, of which only the pages of the recognition itself are passed on."""

    def __init__(self, *, desc: str | None = None, unit: str | None = None, **_: Any) -> None:
        self._counts = desc == "OCR" and unit == "page"
        self._done = 0.0

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def update(self, n: float = 1, *, completed: float | None = None) -> None:
        self._done = completed if completed is not None else self._done + n
        if self._counts:
            for callback in ON_PAGE:
                callback(self._done)


@hookimpl(tryfirst=True)
def get_ocr_engine(options: Any) -> OcrEngine:
    return TreeEngine()


@hookimpl(tryfirst=True)
def get_progressbar_class() -> type[_Bar]:
    return _Bar
