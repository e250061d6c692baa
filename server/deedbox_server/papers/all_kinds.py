"""The registry: every kind of paper, in the order in which people are offered them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from deedbox_server.papers import (
    certificate_902_11,
    certificate_902_13,
    certificate_902_14,
    certificate_illinois,
    custody_form,
    custody_full,
    custody_short,
    exhibit_copy,
    exhibit_list,
    notice_902,
    packet,
    validation_report,
)
from deedbox_server.papers.kind import Kind

KINDS: Final[Mapping[str, Kind]] = {
    module.KIND.name: module.KIND
    for module in (
        certificate_902_11,
        certificate_902_13,
        certificate_902_14,
        notice_902,
        certificate_illinois,
        custody_short,
        custody_full,
        exhibit_list,
        exhibit_copy,
        custody_form,
        validation_report,
        packet,
    )
}
