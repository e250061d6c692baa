"""The messages of pairing and renewal: written and read back, and refused when they are not canonical."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import device_record, renewal
from deedbox_sync import pairing_messages as messages
from deedbox_sync.device_certificate import certificate_request, parse_request
from deedbox_sync.errors import FormatError, ProofError

KEYS = st.binary(min_size=32, max_size=32)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=50)
LABELS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=100)
MESSAGES = st.binary(min_size=33, max_size=33)
EXCHANGES = st.binary(min_size=16, max_size=16).map(bytes.hex)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
NAMEPLATES = st.integers(0, 999).map("{:03}".format)

FORMATS = [
    (messages.encode_start, messages.parse_start, st.builds(messages.StartRequest, NAMEPLATES, MESSAGES)),
    (messages.encode_start_answer, messages.parse_start_answer, st.builds(messages.StartAnswer, EXCHANGES, MESSAGES)),
    (messages.encode_finish, messages.parse_finish, st.builds(messages.FinishRequest, EXCHANGES, st.binary(), KEYS)),
    (messages.encode_finish_answer, messages.parse_finish_answer, st.builds(messages.FinishAnswer, st.binary(), KEYS)),
    (messages.encode_offer, messages.parse_offer, st.builds(messages.Offer, TEXTS, LABELS, LABELS, KEYS)),
    (
        messages.encode_grant,
        messages.parse_grant,
        st.builds(
            messages.Grant,
            st.uuids(),
            TEXTS,
            st.uuids(),
            TEXTS,
            TEXTS,
            TEXTS.map("https://{}".format),
            TEXTS,
            TEXTS,
            KEYS,
        ),
    ),
    (
        messages.encode_renew,
        messages.parse_renew,
        st.builds(messages.RenewRequest, st.binary(), st.binary(min_size=64, max_size=64)),
    ),
    (messages.encode_renew_answer, messages.parse_renew_answer, TEXTS),
    (
        renewal.encode_renewal,
        renewal.parse_renewal,
        st.builds(renewal.Renewal, st.uuids(), TEXTS, st.binary(min_size=16, max_size=16), TIMES),
    ),
    (
        device_record.encode_device_record,
        device_record.parse_device_record,
        st.builds(
            device_record.DeviceRecord,
            st.sampled_from([device_record.PAIRED, device_record.RENEWED]),
            TIMES,
            TEXTS,
            st.uuids(),
            st.uuids(),
            TEXTS,
            KEYS,
            KEYS,
            st.integers(1, 2**159).map(device_record.serial_text),
        ),
    ),
]
NAMES = [parse.__name__ for _, parse, _ in FORMATS]


@pytest.mark.parametrize(("encode", "parse", "values"), FORMATS, ids=NAMES)
@given(data=st.data())
def test_every_message_reads_back_as_itself(encode, parse, values, data):
    value = data.draw(values)
    assert parse(encode(value)) == value


@pytest.mark.parametrize(("encode", "parse", "values"), FORMATS, ids=NAMES)
@given(data=st.data())
def test_a_changed_byte_is_refused_or_another_message(encode, parse, values, data):
    body = bytearray(encode(data.draw(values)))
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = parse(bytes(body))
    except FormatError:
        return
    assert encode(changed) == bytes(body)


@pytest.mark.parametrize("parse", [parse for _, parse, _ in FORMATS], ids=NAMES)
@given(body=st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_format_error(parse, body):
    with pytest.raises(FormatError):
        parse(body)


@pytest.mark.parametrize(("encode", "parse", "values"), FORMATS, ids=NAMES)
@given(data=st.data())
def test_an_unknown_member_is_refused(encode, parse, values, data):
    body = encode(data.draw(values))
    with pytest.raises(FormatError, match="unknown member"):
        parse(body[:-1] + b',"zzz":1}')


@pytest.mark.parametrize("name", ["", " Ada", "Ada\n", "a" * 101, "Ada\u202egnp.exe", "\x1b[31mAda"])
def test_names_that_could_mislead_in_a_list_are_refused(name):
    offer = messages.Offer("csr", name, "Linux", bytes(32))
    with pytest.raises(FormatError, match=r"offer\.name"):
        messages.parse_offer(messages.encode_offer(offer))


def test_a_grant_must_lead_to_a_tls_address():
    grant = messages.Grant(uuid4(), "", uuid4(), "", "", "http://box", "", "", bytes(32))
    with pytest.raises(FormatError, match="device_url"):
        messages.parse_grant(messages.encode_grant(grant))


@pytest.mark.parametrize(
    "change", [{"kind": "device.lost"}, {"certificate": None}, {"serial": None}, {"serial": "00ab"}, {"serial": "AB"}]
)
def test_a_device_record_says_exactly_what_was_issued(change):
    members = {
        "kind": device_record.PAIRED,
        "time": datetime(2026, 1, 1, tzinfo=UTC),
        "by": "account:x",
        "device": uuid4(),
        "account": uuid4(),
        "name": "Ada",
        "statement_key": bytes(32),
        "certificate": bytes(32),
        "serial": "ab",
    }
    device_record.encode_device_record(device_record.DeviceRecord(**members))
    with pytest.raises(FormatError):
        device_record.encode_device_record(device_record.DeviceRecord(**(members | change)))


def test_a_revocation_names_no_certificate():
    record = device_record.DeviceRecord(
        device_record.REVOKED,
        datetime(2026, 1, 1, tzinfo=UTC),
        "account:x",
        uuid4(),
        uuid4(),
        "Ada",
        bytes(32),
        None,
        None,
    )
    assert device_record.parse_device_record(device_record.encode_device_record(record)) == record


@pytest.mark.parametrize("key", [Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())])
def test_a_request_gives_its_key(key):
    assert parse_request(certificate_request(key), where="csr") == key.public_key()


def test_a_request_signed_by_another_key_is_refused():
    key = Ed25519PrivateKey.generate()
    request = bytearray(
        x509.load_pem_x509_csr(certificate_request(key).encode()).public_bytes(serialization.Encoding.DER)
    )
    request[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(request)).public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(FormatError, match="not signed by its own key"):
        parse_request(forged, where="csr")


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)])
def test_keys_that_we_do_not_use_are_refused(key):
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    with pytest.raises(FormatError, match="neither Ed25519 nor P-256"):
        parse_request(request.public_bytes(serialization.Encoding.PEM).decode(), where="csr")


@pytest.mark.parametrize(
    "text",
    ["", "x", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "é" * 9, "x" * 5000],
)
def test_what_is_no_request_is_refused(text):
    with pytest.raises(FormatError, match="csr"):
        parse_request(text, where="csr")


def test_a_renewal_is_believed_by_its_signature_alone():
    key = Ed25519PrivateKey.generate()
    asked = renewal.Renewal(uuid4(), "csr", bytes(16), datetime(2026, 1, 1, tzinfo=UTC))
    request = renewal.sign_renewal(asked, key)
    renewal.verify_renewal(request, key.public_key().public_bytes_raw())
    assert renewal.parse_renewal(request.message) == asked
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(ProofError):
        renewal.verify_renewal(request, other)
    bare = messages.RenewRequest(request.message, key.sign(request.message))
    with pytest.raises(ProofError):
        renewal.verify_renewal(bare, key.public_key().public_bytes_raw())


def test_a_clock_may_be_ten_minutes_off():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    asked = renewal.Renewal(uuid4(), "csr", bytes(16), now)
    assert renewal.in_window(asked, now + timedelta(minutes=10))
    assert not renewal.in_window(asked, now + timedelta(minutes=10, microseconds=1))
    assert not renewal.in_window(asked, now - timedelta(minutes=10, microseconds=1))
