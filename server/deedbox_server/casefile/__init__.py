"""A whole case as one SQLite file, for anyone with an SQLite browser (CA-1). It is plaintext on its receiver's machine, by their
choice; on the box nothing of it touches the disk unencrypted."""

from deedbox_server.casefile.service import CaseFile, CaseFiles

__all__ = ["CaseFile", "CaseFiles"]
