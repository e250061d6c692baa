"""Where each file of a bundle lies (formats/bundle.md). Paths are relative to the bag, with `/`, and made only here."""

from __future__ import annotations

from uuid import UUID

BAGIT = "bagit.txt"
BAG_INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
PAGE = "VERIFY.md"
INDEX = "data/bundle.json"
CUSTODY_PAPER = "data/custody.pdf"
CHECKPOINT = "data/log/checkpoint"
LOG_KEY = "data/log/key.pem"
ENTRIES = "data/log/entries.json"
TIME = "data/time.json"

#: The tag files that the tag manifest lists; it cannot list itself.
TAG_FILES = (PAGE, BAG_INFO, BAGIT, MANIFEST)

MAX_TAG_FILE = 1 << 16  # bagit.txt, bag-info.txt, VERIFY.md: a page or two
MAX_MANIFEST = 1 << 26  # 200,000 files of 128-byte names take 45 MiB
MAX_INDEX = 1 << 26  # 10,000 exhibits with five derived documents take 20 MiB
MAX_ENTRIES = 1 << 28  # 100,000 entries with proofs of 20 hashes take 180 MiB
MAX_CUSTODY = 1 << 24  # 10,000 events of one exhibit
MAX_DEVICE = 1 << 22  # a certificate a month for fifty years
MAX_PEM = 1 << 12  # one Ed25519 key
MAX_NOTE = 4 * 98_304  # what note.py takes in characters, all of them the widest
MAX_TOKEN = 1 << 18  # a time stamp with a long certificate chain
MAX_TOKENS = 16  # authorities that stamped one checkpoint
MAX_REVOCATION = 1 << 24  # the CRLs of a public authority's whole chain; the largest have some megabytes
MAX_RUN = 20_000  # entries from a beacon to an exhibit: a day of a busy box
MAX_TIME = 1 << 28  # as many entries as MAX_ENTRIES
MAX_CONSISTENCY = 1 << 14  # 64 hashes
MAX_FILES = 200_000  # files in one bundle; more exhibits go into a second one


def top_folder(bundle: UUID) -> str:
    """The one folder a bundle's ZIP holds."""
    return f"deedbox-bundle-{bundle}"


def device_record(device: UUID) -> str:
    return f"data/devices/{device}.json"


def device_key(device: UUID) -> str:
    return f"data/devices/{device}.pem"


def stamp_note(size: int) -> str:
    return f"data/stamps/{size}.note"


def stamp_consistency(size: int) -> str:
    return f"data/stamps/{size}.json"


def stamp_token(size: int, number: int) -> str:
    return f"data/stamps/{size}-{number}.tsr"


def stamp_text(size: int, number: int) -> str:
    """The note as it was when it was stamped."""
    return f"data/stamps/{size}-{number}.txt"


def stamp_revocation(size: int, number: int) -> str:
    return f"data/stamps/{size}-{number}.json"


def original(exhibit: int, safe: str) -> str:
    """`safe` comes from `safe_name`."""
    return f"data/exhibits/{exhibit}/original/{safe}"


def statement(exhibit: int) -> str:
    return f"data/exhibits/{exhibit}/statement.dsse.json"


def sigstore(exhibit: int) -> str:
    return f"data/exhibits/{exhibit}/sigstore.json"


def receipt(exhibit: int) -> str:
    return f"data/exhibits/{exhibit}/receipt.json"


def custody(exhibit: int) -> str:
    return f"data/exhibits/{exhibit}/custody.json"


def derived(exhibit: int, safe: str) -> str:
    """`safe` comes from `derived_names`."""
    return f"data/exhibits/{exhibit}/derived/{safe}"
