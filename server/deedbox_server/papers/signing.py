"""PAdES signatures of papers (ETSI EN 319 142): baseline B-B, or B-T with a time stamp where an authority answers.

The signature is an approval, not a certification: it forbids nobody to sign after it, and empty fields wait for those who do.
pyHanko has no way to the network here: what goes to the authority goes through the box's own door (notary/outside.py).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from asn1crypto import cms, keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, BoxConstraints, Margins, SimpleBoxLayoutRule
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from deedbox_server.notary.stamping import StampRefused, make_request, order_certificates, take_response
from deedbox_server.papers.typeset import SignaturePlace

BOX_FIELD = "Box"  # the field of the box's own signature; any other place on a paper is a person's
_ROOM = 8_192  # bytes kept for the signature with its two certificates
_TOKEN_ROOM = 24_576  # and for a token with its certificates: six to ten thousand
_FRAME = b"0.541 0.392 0.125 RG 0.7 w 0.35 0.35 %d %d re S"  # a hairline in brass; the words are the page's own

#: Sends a request to the authority and gives its answer; OutsideError where there is none.
Ask = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True)
class Credential:
    """The box's key for papers and its certificates."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate
    authority: x509.Certificate


@dataclass(frozen=True)
class StampSource:
    """An authority that has just answered: how to ask it, what it is called, and what its answers are held to."""

    ask: Ask
    name: str
    roots: tuple[x509.Certificate, ...]
    sample: bytes


async def probe(ask: Ask, roots: Sequence[x509.Certificate], data: bytes) -> StampSource:
    """Ask once, over the paper to be, so that the paper can name the authority. OutsideError, StampRefused."""
    request = make_request(data)
    token, stamp = await asyncio.to_thread(take_response, await ask(request.der), request, data, roots)
    return StampSource(ask, stamp.authority, tuple(roots), token)


async def sign_paper(
    pdf: bytes, places: Sequence[SignaturePlace], credential: Credential, stamps: StampSource | None
) -> bytes:
    """The signed PDF: `pdf` with one revision more. OutsideError or StampRefused where the authority failed after all.

    The work is done in a thread; only the call to the authority comes back to this event loop.
    """
    loop = asyncio.get_running_loop()

    async def ask(request: bytes) -> bytes:
        assert stamps is not None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_ask(stamps, request), loop))

    return await asyncio.to_thread(_sign, pdf, places, credential, None if stamps is None else _Authority(ask, stamps))


async def _ask(stamps: StampSource, request: bytes) -> bytes:
    return await stamps.ask(request)


def _sign(pdf: bytes, places: Sequence[SignaturePlace], credential: Credential, authority: _Authority | None) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    for place in places:
        if place.name != BOX_FIELD:
            append_signature_field(writer, _empty_field(place))
    mine = next((place for place in places if place.name == BOX_FIELD), None)
    spec = (
        SigFieldSpec(BOX_FIELD)
        if mine is None
        else SigFieldSpec(BOX_FIELD, mine.page, mine.box, readable_field_name="Signature of the system")
    )
    signer = PdfSigner(
        PdfSignatureMetadata(
            field_name=BOX_FIELD,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            reason="Made from the record by the system. Not the signature of a person.",
        ),
        _signer(credential),
        timestamper=authority,
        stamp_style=None if mine is None else _frame(mine),
        new_field_spec=spec,
    )
    out = io.BytesIO()
    try:
        asyncio.run(
            signer.async_sign_pdf(
                writer, output=out, bytes_reserved=2 * (_ROOM if authority is None else _ROOM + _TOKEN_ROOM)
            )
        )
    except OSError as error:  # what pyHanko makes of an answer that is no stamp
        raise StampRefused("it is not a time stamp") from error
    return out.getvalue()


class _Authority(TimeStamper):
    """pyHanko's side of one authority."""

    def __init__(self, ask: Ask, stamps: StampSource) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko has not typed it
        self._ask = ask
        self._sample = stamps.sample

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(order_certificates(await self._ask(req.dump())))

    async def async_dummy_response(self, _md_algorithm: str) -> cms.ContentInfo:
        """For its size: the answer to the probe will do."""
        return tsp.TimeStampResp.load(self._sample)["time_stamp_token"]


def _signer(credential: Credential) -> SimpleSigner:
    key = credential.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # nor this
    registry.register(_asn1(credential.authority))
    return SimpleSigner(
        signing_cert=_asn1(credential.certificate),
        signing_key=keys.PrivateKeyInfo.load(key),
        cert_registry=registry,
    )


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _empty_field(place: SignaturePlace) -> SigFieldSpec:
    return SigFieldSpec(place.name, place.page, place.box, readable_field_name=f"Signature: {place.name}")


def _frame(place: SignaturePlace) -> StaticStampStyle:
    x0, y0, x1, y1 = place.box
    width, height = x1 - x0, y1 - y0
    drawn = RawContent(_FRAME % (width - 1, height - 1), box=BoxConstraints(width=width, height=height))
    whole = SimpleBoxLayoutRule(
        x_align=AxisAlignment.ALIGN_MIN, y_align=AxisAlignment.ALIGN_MIN, margins=Margins(0, 0, 0, 0)
    )
    return StaticStampStyle(border_width=0, background=drawn, background_layout=whole)
