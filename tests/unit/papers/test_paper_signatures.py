"""What independent readers make of a paper's signature: pyHanko, poppler, openssl; with a time stamp and without."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from kit.tsa_server import Behaviour, TsaServer
from papers_made import Desk, command, fields_of, papers_desk, text_of

pytestmark = pytest.mark.anyio


async def checked(pdf: bytes, desk: Desk, *roots: asn1_x509.Certificate) -> PdfSignatureStatus:
    """The box's signature, as pyHanko sees it with the box's authority pinned and no network."""
    authority = asn1_x509.Certificate.load(desk.office.box.authority.certificate.public_bytes(Encoding.DER))
    reader = PdfFileReader(io.BytesIO(pdf))
    signature = next(one for one in reader.embedded_signatures if one.field_name == "Box")
    return await async_validate_pdf_signature(signature, _pinned([authority]), _pinned(roots))


def _pinned(roots: Sequence[asn1_x509.Certificate]) -> ValidationContext:
    return ValidationContext(trust_roots=list(roots), allow_fetching=False, revocation_mode="soft-fail")


async def test_pyhanko_and_poppler_accept_the_signature_over_the_whole_file(papers: Desk, tmp_path: Path) -> None:
    paper, pdf = await papers.make("certificate-902-14", [papers.exhibits[0]])
    status = await checked(pdf, papers)
    assert status.bottom_line and status.intact and status.trusted
    file = tmp_path / "paper.pdf"
    file.write_bytes(pdf)
    said = command("pdfsig", str(file))
    assert "Signature is Valid" in said and "Total document signed" in said and "ETSI.CAdES.detached" in said
    assert paper.signature == "B-B" and "No time-stamp authority outside the firm confirms it" in text_of(pdf)


async def test_one_changed_byte_is_seen(papers: Desk) -> None:
    _, pdf = await papers.make("exhibit-list", [papers.exhibits[0]])
    at = pdf.index(b"/MediaBox") + 12
    status = await checked(pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :], papers)
    assert not status.bottom_line


async def test_openssl_reads_the_certificate_and_its_one_use(papers: Desk, tmp_path: Path) -> None:
    await papers.make("exhibit-list", [papers.exhibits[0]])
    box = papers.office.box
    row = await box.database.fetch_one("SELECT value FROM setting WHERE name = {}", "certificate.papers")
    assert row is not None
    (tmp_path / "papers.pem").write_text(row["value"])
    (tmp_path / "ca.pem").write_text(box.authority.pem)
    said = command("openssl", "verify", "-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / "papers.pem"))
    assert said.strip().endswith("OK")
    text = command("openssl", "x509", "-in", str(tmp_path / "papers.pem"), "-noout", "-text")
    assert "Non Repudiation" in text and "1.3.6.1.5.5.7.3.36" in text and "CA:FALSE" in text
    refused = command(
        "openssl", "verify", "-purpose", "sslserver", "-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / "papers.pem")
    )
    assert "error" in refused
    assert ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string not in text


async def test_the_same_certificate_signs_the_next_paper(papers: Desk) -> None:
    first = await papers.office.box.authority.papers(papers.office.case.id, "Deedbox", _public())
    again = await papers.office.box.authority.papers(papers.office.case.id, "Deedbox", _public())
    assert first == again


def _public() -> ec.EllipticCurvePublicKey:
    return ec.derive_private_key(7, ec.SECP256R1()).public_key()


async def test_the_declarant_can_sign_after_the_box_and_both_hold(papers: Desk) -> None:
    _, pdf = await papers.make(
        "certificate-902-11", [papers.exhibits[0]], fields=fields_of(papers.office, "certificate-902-11")
    )
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert [str(one.T) for one in opened.Root.AcroForm.Fields] == ["Declarant", "Box"]
        assert "/DocMDP" not in opened.Root.get("/Perms", pikepdf.Dictionary())
    signed = await asyncio.to_thread(_signed_by_declarant, pdf, papers)
    status = await checked(signed, papers)
    assert status.bottom_line and status.modification_level is ModificationLevel.FORM_FILLING


def _signed_by_declarant(pdf: bytes, desk: Desk) -> bytes:
    signer = SimpleSigner.load(*_declarants_key(desk))
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    out = io.BytesIO()
    metadata = PdfSignatureMetadata(field_name="Declarant", md_algorithm="sha256")
    asyncio.run(PdfSigner(metadata, signer).async_sign_pdf(writer, output=out))
    return out.getvalue()


def _declarants_key(desk: Desk) -> tuple[str, str]:
    """A key and a certificate of the declarant's own, from openssl."""
    folder = desk.office.box.settings.data.parent
    key, certificate = folder / "declarant.key", folder / "declarant.pem"
    command(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
        "-days",
        "30",
        "-subj",
        "/CN=Dana Kowalski",
        "-addext",
        "keyUsage=critical,digitalSignature,nonRepudiation",
    )
    return str(key), str(certificate)


async def test_an_authority_stamps_the_paper_and_the_paper_names_it(tmp_path: Path) -> None:
    with TsaServer(tmp_path / "tsa", "Example Time Authority") as server:
        async with papers_desk(
            tmp_path / "box",
            outside=True,
            beacon_urls=(),
            stamp_urls=(server.url,),
            stamp_roots=(str(server.tsa.root_file),),
        ) as desk:
            paper, pdf = await desk.make("certificate-902-14", [desk.exhibits[0]])
            root = asn1_x509.Certificate.load(server.root.public_bytes(Encoding.DER))
            status = await checked(pdf, desk, root)
    assert paper.signature.startswith("B-T by ") and server.stamps == 2
    assert status.bottom_line
    assert (
        status.timestamp_validity is not None and status.timestamp_validity.valid and status.timestamp_validity.trusted
    )
    assert "confirmed by a time stamp (RFC 3161) of" in text_of(pdf)


@pytest.mark.parametrize(
    "behaviour", ["absent", "ill", "garbage", "refusing", "other-bytes", "other-nonce", "other-root"]
)
async def test_an_authority_that_fails_leaves_a_paper_that_says_so(tmp_path: Path, behaviour: Behaviour) -> None:
    with TsaServer(tmp_path / "tsa") as server:
        server.behaviour = behaviour
        async with papers_desk(
            tmp_path / "box",
            outside=True,
            beacon_urls=(),
            stamp_urls=(server.url,),
            stamp_roots=(str(server.tsa.root_file),),
        ) as desk:
            paper, pdf = await desk.make("exhibit-list", [desk.exhibits[0]])
            assert (await checked(pdf, desk)).bottom_line
    assert paper.signature == "B-B" and "No time-stamp authority outside the firm confirms it" in text_of(pdf)


async def test_an_authority_that_fails_at_the_second_call_does_too(tmp_path: Path) -> None:
    with TsaServer(tmp_path / "tsa") as server:

        def fail_later() -> None:
            server.behaviour = "honest" if server.stamps < 2 else "garbage"

        server.before_answer = fail_later
        async with papers_desk(
            tmp_path / "box",
            outside=True,
            beacon_urls=(),
            stamp_urls=(server.url,),
            stamp_roots=(str(server.tsa.root_file),),
        ) as desk:
            paper, pdf = await desk.make("exhibit-list", [desk.exhibits[0]])
    assert server.stamps == 2 and paper.signature == "B-B"
    assert "No time-stamp authority outside the firm confirms it" in text_of(pdf)


async def test_papers_are_archival_and_tagged_where_the_fonts_allow(papers: Desk) -> None:
    _, pdf = await papers.make("certificate-902-14", [papers.exhibits[0]])
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        with opened.open_metadata() as metadata:
            assert metadata.pdfa_status == "2B"
        assert opened.Root.MarkInfo.Marked and "/StructTreeRoot" in opened.Root
        assert str(opened.Root.Lang).startswith("en")
        for page in opened.pages:
            assert [float(one) for one in page.mediabox] == [0, 0, 612, 792]
            for note in page.obj.get("/Annots", ()):
                assert "/N" in note.AP  # PDF/A-2, 6.3.3
