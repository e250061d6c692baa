"""PDFs and pictures, read by the real worker inside the real walls."""

import dataclasses
import io
import random
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from deedbox_checkout.samples import HIDDEN_WORD, make_samples
from deedbox_server.documents.derived import BOX_UNITS, By, parse_facts, parse_text, parse_words
from deedbox_server.documents.limits import MIB, WorkerLimits
from deedbox_server.documents.states import ReadState

from .documents_made import A4_AT_150, drawn, joined, saved, scanned, stamped, typed

SENTENCE = "The deed of that year describes\nthe boundary as the centre line\nof the old stone wall.\n"
ROOMY = WorkerLimits(
    input_bytes=16 * MIB,
    memory_bytes=1500 * MIB,
    seconds=120.0,
    scratch_bytes=256 * MIB,
    result_bytes=64 * MIB,
    processes=40,
)


class Read:
    """A worker's result with its files parsed."""

    def __init__(self, result) -> None:
        self.state, self.note, self.producer = result.state, result.note, result.producer
        self.files = {file.form: file.data for file in result.files}
        self.pages = parse_text(self.files["text"]) if "text" in self.files else ()
        self.words = parse_words(self.files["words"]) if "words" in self.files else ()
        self.facts = parse_facts(self.files["facts"]) if "facts" in self.files else {}

    def box(self, page: int, word: str) -> tuple[int, int, int, int]:
        text = self.pages[page - 1].text
        return next(entry.box for entry in self.words[page - 1].words if text[entry.start : entry.end] == word)


@pytest.fixture
def read(make_dispatcher, source):
    dispatcher = make_dispatcher(limits=ROOMY)

    async def read(data: bytes) -> Read:
        return Read(await dispatcher.read(source(data)))

    return read


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    make_samples(folder, large_mb=0)
    return folder


async def test_the_scanned_letter_gives_up_the_word_that_exists_only_as_pixels(make_dispatcher, source, samples):
    letter = next(samples.glob("Letter*")).read_bytes()
    assert HIDDEN_WORD.encode() not in letter
    heard = []
    result = Read(await make_dispatcher(limits=ROOMY).read(source(letter), heard.append))
    assert result.state is ReadState.READ
    assert [page.by for page in result.pages] == [By.RECOGNISED, By.RECOGNISED]
    assert HIDDEN_WORD in result.pages[0].text
    assert min(page.confidence for page in result.pages) > 85
    left, top, right, bottom = result.box(1, f"{HIDDEN_WORD}.")
    assert 4500 < left < right < 7000 and 5700 < top < bottom < 6100  # where it stands on the sheet
    assert (heard[0].done, heard[-1].done, heard[-1].total) == (0, 2, 2)
    with pikepdf.open(io.BytesIO(result.files["searchable-pdf"])) as copy:
        assert len(copy.pages) == 2
        assert bool(copy.open_metadata().pdfa_status) is result.facts["searchable_pdfa"]
    assert "ocrmypdf" in result.producer.lower() and "tesseract" in result.producer.lower()


async def test_the_photo_tells_when_and_where_and_has_no_searchable_copy(read, samples):
    result = await read(next(samples.glob("*.jpg")).read_bytes())
    assert result.facts["taken"] == "2024:05:03 07:41:08"
    assert result.facts["gps"] == {
        "latitude": "51.4770167",
        "longitude": "-0.0014750",
        "altitude": "45.5",
        "time_utc": "2024:05:03 06:41:08",
    }
    assert [page.by for page in result.pages] == [By.NONE]
    assert set(result.files) == {"text", "facts"}


async def test_a_digital_document_is_read_without_recognition(read):
    result = await read(typed("A page about conveyance.\nSecond line.", "Another page, on easements."))
    assert [(page.by, page.confidence) for page in result.pages] == [(By.DIGITAL, None)] * 2
    assert result.pages[0].text.split() == ["A", "page", "about", "conveyance.", "Second", "line."]
    assert "searchable-pdf" not in result.files
    left, top, right, bottom = result.box(1, "conveyance.")
    assert 0 < left < right < BOX_UNITS // 2 and 0 < top < bottom < BOX_UNITS // 10


async def test_only_pages_without_usable_text_are_recognised_and_stamps_are_kept(read):
    document = joined(
        typed("A page about conveyance, with more than enough text of its own."),
        scanned(SENTENCE + "MARIGOLD"),
        stamped(scanned(SENTENCE + "TANGERINE"), "HL 000123"),
    )
    result = await read(document)
    assert [page.by for page in result.pages] == [By.DIGITAL, By.RECOGNISED, By.MIXED]
    assert "MARIGOLD" in result.pages[1].text
    assert "HL 000123" in result.pages[2].text and "TANGERINE" in result.pages[2].text
    for page, words in zip(result.pages, result.words, strict=True):
        assert all(page.text[word.start : word.end].strip() for word in words.words)


async def test_a_page_lying_on_its_head_is_turned(read, samples):
    with pypdfium2.PdfDocument(next(samples.glob("Letter*"))) as letter:
        sheet = letter[0].render(scale=200 / 72).to_pil()
    result = await read(scanned(sheet.rotate(180).resize(A4_AT_150)))
    assert HIDDEN_WORD in result.pages[0].text
    assert result.words[0].turned == 180
    assert result.box(1, f"{HIDDEN_WORD}.")[1] > 5500  # as the copy shows it: in the lower half again


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("TIFF", {"save_all": True, "append_images": [drawn(SENTENCE + "APRICOT")], "compression": "tiff_lzw"}),
    ],
)
async def test_scans_in_image_files_are_read(read, form, options):
    result = await read(saved(drawn(SENTENCE + "CHESTNUT"), form, dpi=(150, 150), **options))
    assert "CHESTNUT" in result.pages[0].text
    assert len(result.pages) == (2 if form == "TIFF" else 1)
    assert "searchable-pdf" in result.files


async def test_transparent_and_unusual_pictures_are_read_too(read):
    picture = drawn(SENTENCE + "SAFFRON", size=(900, 500)).convert("RGBA")
    picture.putalpha(Image.eval(picture.getchannel("R"), lambda value: 255 - value))
    assert "SAFFRON" in (await read(saved(picture, "PNG"))).pages[0].text


async def test_a_locked_document_says_so(read):
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(typed("secret"))) as document:
        document.save(made, encryption=pikepdf.Encryption(user="word", owner="word"))
    assert (await read(made.getvalue())).state is ReadState.LOCKED


async def test_a_document_locked_only_against_changes_is_read(read):
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(scanned(SENTENCE + "MARIGOLD"))) as document:
        document.save(made, encryption=pikepdf.Encryption(user="", owner="word"))
    result = await read(made.getvalue())
    assert "MARIGOLD" in result.pages[0].text
    assert result.facts["locked_for_editing"] is True


async def test_a_signed_document_is_read_and_named_as_signed(read):
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(scanned(SENTENCE + "MARIGOLD"))) as document:
        field = document.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Sig, T="Signature", V=pikepdf.Dictionary()))
        document.Root.AcroForm = pikepdf.Dictionary(SigFlags=3, Fields=[field])
        document.save(made)
    result = await read(made.getvalue())
    assert result.facts["signed"] is True
    assert "MARIGOLD" in result.pages[0].text


@pytest.mark.parametrize("damage", [b"%PDF-1.7\nnothing follows", b"\xff\xd8\xff\xe0 no picture", b"\x89PNG\r\n\x1a\n"])
async def test_damaged_documents_say_so(read, damage):
    assert (await read(damage)).state is ReadState.DAMAGED


async def test_a_picture_that_would_fill_the_memory_is_too_large(read):
    bomb = saved(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < MIB
    assert (await read(bomb)).state is ReadState.TOO_LARGE


async def test_a_missing_language_is_named_and_may_pass(make_dispatcher, source):
    dispatcher = make_dispatcher(limits=ROOMY, languages=("xyz",))
    state = (await dispatcher.read(source(scanned(SENTENCE)))).state
    assert state is ReadState.LANGUAGE_MISSING
    assert state.may_pass


async def test_more_pages_than_allowed_are_read_in_part_and_it_says_so(make_dispatcher, source):
    limits = dataclasses.replace(ROOMY, recognised_pages=1)
    document = scanned(SENTENCE + "MARIGOLD", SENTENCE + "APRICOT")
    result = Read(await make_dispatcher(limits=limits).read(source(document)))
    assert result.note == "partly-recognised"
    assert [page.by for page in result.pages] == [By.RECOGNISED, By.NONE]


async def test_documents_with_random_damage_end_in_a_state_of_theirs(read):
    chance = random.Random(7)
    whole = joined(typed("A page about conveyance, with enough text of its own."), scanned(SENTENCE))
    states = set()
    for _ in range(10):
        damaged = bytearray(whole)
        for _ in range(40):
            damaged[chance.randrange(9, len(damaged))] = chance.randrange(256)
        states.add((await read(bytes(damaged[: chance.randrange(len(damaged) // 2, len(damaged))]))).state)
    assert states <= {ReadState.READ, ReadState.DAMAGED}
