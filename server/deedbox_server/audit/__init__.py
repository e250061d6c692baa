"""An audit of log, database and blobs that trusts none of the code that wrote them: every byte is read, every link followed."""

from deedbox_server.audit.report import Finding, Report
from deedbox_server.audit.run import Sources, audit, audit_pages, audit_presence

__all__ = ["Finding", "Report", "Sources", "audit", "audit_pages", "audit_presence"]
