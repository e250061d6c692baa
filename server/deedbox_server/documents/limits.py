"""What one reading may cost. Every limit that is met becomes a state that a person sees, never a box that stops."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class WorkerLimits:
    """The bounds of one worker, whatever it is given."""

    # The bytes of a document live in memory (a sealed memfd) while they are read: what is larger stays unread, visibly.
    input_bytes: int = 256 * MIB
    # Address space of each process, and resident memory of all of a worker's processes together. OCR of an A4 page at 300 dpi
    # takes 400 MB at most; a page of an architect's plan a gigabyte.
    memory_bytes: int = 2048 * MIB
    # From start to last result, and the same again in processor time of each process.
    seconds: float = 900.0
    # The private in-memory scratch folder, which is also the largest file that can be written.
    scratch_bytes: int = 1024 * MIB
    # All results of a worker together, and so what the box holds in memory for it.
    result_bytes: int = 512 * MIB
    # Processes and threads together; OCRmyPDF with two Tesseracts has about ten.
    processes: int = 64
    # Nobody waits for the OCR of more pages than this in one go: an hour's work for two cores.
    recognised_pages: int = 2000
