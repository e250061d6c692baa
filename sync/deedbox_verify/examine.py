"""All checks in order: files in, verdict out. No network, no clock, nothing written."""

from __future__ import annotations

from deedbox_sync.bundle import layout
from deedbox_sync.bundle.index import parse_index
from deedbox_sync.errors import FormatError
from deedbox_verify.bag_check import check_bag, check_layout
from deedbox_verify.custody_check import check_custody, check_derived
from deedbox_verify.device_check import check_devices, check_uses
from deedbox_verify.findings import FILES, Findings
from deedbox_verify.log_check import check_entries, check_log
from deedbox_verify.reader import BundleFiles, Progress
from deedbox_verify.receipt_check import check_receipts
from deedbox_verify.statement_check import check_cases, check_statements
from deedbox_verify.time_check import check_time
from deedbox_verify.trust import Trust
from deedbox_verify.verdict import Proven, Verdict, build_verdict, stopped_verdict


def examine(files: BundleFiles, trust: Trust, progress: Progress = lambda _: None) -> Verdict:
    """The verdict on a bundle. UncheckableError where it is none; whatever is wrong inside one is a finding."""
    findings = Findings()
    contents = check_bag(files, findings, progress)
    data = contents.read(FILES, layout.INDEX, layout.MAX_INDEX)
    if data is None:
        return stopped_verdict(findings, f"{layout.INDEX} cannot be read")
    try:
        index = parse_index(data)
    except FormatError as problem:
        findings.fault(FILES, "index.form", problem.where, problem.what)
        return stopped_verdict(findings, f"{layout.INDEX} is damaged, so that the other checks could not be made")
    check_layout(files, contents, index, findings)
    log = check_log(contents, index, trust, findings)
    held = check_entries(contents, log, findings)
    devices = check_devices(contents, index, held, trust, findings)
    statements = check_statements(contents, index, devices, findings, progress)
    receipts = check_receipts(contents, index, log, held, findings)
    custody = check_custody(contents, index, held, findings)
    check_cases(index, statements, {number: one.first_case for number, one in custody.items()}, findings)
    check_derived(contents, index, custody, findings)
    makers = {number: item.statement.device.id for number, item in statements.items()}
    uses = check_uses(index, devices, makers, findings)
    time = check_time(contents, index, log, held, statements, receipts, trust, findings)
    return build_verdict(index, Proven(log, devices, uses, statements, receipts, custody, time), findings)
