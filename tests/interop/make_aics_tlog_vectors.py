"""Writes aics_tlog_vectors.json with aics-tlog (C2SP tlog-tiles, signed-note, tlog-cosignature in pure Python; >= 3.12).

python -m pip install aics-tlog==0.2.1 && python tests/interop/make_aics_tlog_vectors.py
"""

import hashlib
import json
from pathlib import Path

import aics_tlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COUNT = 70_000
ORIGIN, WITNESS, TIME = "deedbox/0195a3c40000700080000000000000b0/0", "witness.example/w1", 1_773_489_600
PLACES = [(0, 1), (0, 70_000), (255, 256), (256, 257), (12_345, 65_536), (65_536, 65_537), (69_999, 70_000)]


def main() -> None:
    entries = [b"entry %d" % number for number in range(COUNT)]
    reader = aics_tlog.TileWriter(entries).to_memory_reader()
    files = aics_tlog.TileWriter(entries).materialise()
    together = hashlib.sha256()
    for path in sorted(files):
        together.update(f"{path} {len(files[path])}\n".encode() + files[path])
    root = aics_tlog.tree_root_from_tiles(reader, COUNT)
    log, witness = (Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (1, 2))
    signed = aics_tlog.sign_checkpoint(aics_tlog.Checkpoint(ORIGIN, COUNT, root), log, ORIGIN)
    _, line = aics_tlog.sign_cosignature(witness, WITNESS, TIME, ORIGIN, COUNT, root)
    vectors = {
        "files": len(files),
        "files_sha256": together.hexdigest(),
        "root": root.hex(),
        "roots": {str(size): aics_tlog.tree_root_from_tiles(reader, size, COUNT).hex() for _, size in PLACES},
        "inclusion": [
            {
                "index": index,
                "size": size,
                "path": _hex(aics_tlog.inclusion_proof_from_tiles(reader, index, size, COUNT)),
            }
            for index, size in PLACES
        ],
        "consistency": [
            {"old": old, "new": COUNT, "path": _hex(aics_tlog.consistency_proof_from_tiles(reader, old, COUNT, COUNT))}
            for _, old in PLACES
        ],
        "note": aics_tlog.Note(signed.text, (*signed.signatures, line)).serialise(),
        "log": aics_tlog.format_vkey(aics_tlog.vkey_from_ed25519(ORIGIN, log.public_key())),
        "witness": aics_tlog.format_vkey(aics_tlog.cosignature_vkey(WITNESS, witness.public_key())),
    }
    target = Path(__file__).with_name("aics_tlog_vectors.json")
    target.write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _hex(proof: list[bytes]) -> list[str]:
    return [node.hex() for node in proof]


if __name__ == "__main__":
    main()
