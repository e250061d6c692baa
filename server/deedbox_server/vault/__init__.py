"""Keys and bytes at rest: root key, key store, encrypted blobs (formats/keys.md, formats/blob.md)."""

from deedbox_server.vault.blobs import Vault
from deedbox_server.vault.packs import Pack
from deedbox_server.vault.reader import BlobReader
from deedbox_server.vault.stored import StoredBlob
from deedbox_server.vault.writer import BlobWriter

__all__ = ["BlobReader", "BlobWriter", "Pack", "StoredBlob", "Vault"]
