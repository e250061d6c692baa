// All checks in order: files in, verdict out. No network, no clock, nothing written.

import { checkBag, checkLayout } from "./bag_check.js";
import { parseIndex } from "./bundle_index.js";
import { checkCustody, checkDerived } from "./custody_check.js";
import { checkDevices, checkUses } from "./device_check.js";
import { UncheckableError } from "./errors.js";
import { FILES, Findings } from "./findings.js";
import { BAGIT, INDEX, MAX_INDEX } from "./layout.js";
import { checkEntries, checkLog } from "./log_check.js";
import { openFolder } from "./reader.js";
import { checkReceipts } from "./receipt_check.js";
import { checkCases, checkStatements } from "./statement_check.js";
import { checkTime } from "./time_check.js";
import { buildVerdict, stoppedVerdict } from "./verdict.js";
import { openZip } from "./zip_reader.js";

/** A bundle's files out of what was dropped: [{path, file}], one ZIP, a folder's files, or all that lies in a bundle's. */
export async function openBundle(dropped) {
  if (!dropped.length) throw new UncheckableError("nothing was given: drop the bundle's ZIP or its folder");
  if (dropped.some(({ path }) => path === BAGIT)) {
    return openFolder(dropped.map(({ path, file }) => ({ path: `bundle/${path}`, file })));
  }
  const alone = dropped.length === 1 && !dropped[0].path.includes("/");
  return alone ? openZip(dropped[0].file) : openFolder(dropped);
}

/** The verdict on a bundle. UncheckableError where it is none; whatever is wrong inside one is a finding. `progress` is
 *  awaited with the number of bytes just read. */
export async function examine(files, trust, progress) {
  const findings = new Findings();
  const contents = await checkBag(files, findings, progress);
  const bytes = await contents.read(FILES, INDEX, MAX_INDEX);
  if (!bytes) return stoppedVerdict(findings, `${INDEX} cannot be read`);
  const index = findings.catchingInPlace(FILES, "index.form", () => parseIndex(bytes));
  if (!index) return stoppedVerdict(findings, `${INDEX} is damaged, so that the other checks could not be made`);
  await checkLayout(files, contents, index, findings);
  const log = await checkLog(contents, index, trust, findings);
  const held = await checkEntries(contents, log, findings);
  const devices = await checkDevices(contents, index, held, trust, findings);
  const statements = await checkStatements(contents, index, devices, findings, progress);
  const receipts = await checkReceipts(contents, index, log, held, findings);
  const custody = await checkCustody(contents, index, held, findings);
  checkCases(index, statements, new Map([...custody].map(([number, { firstCase }]) => [number, firstCase])), findings);
  checkDerived(contents, index, custody, findings);
  const makers = new Map([...statements].map(([number, { statement }]) => [number, statement.device.id]));
  const uses = checkUses(index, devices, makers, findings);
  const time = await checkTime(contents, index, log, held, statements, receipts, trust, findings);
  return buildVerdict(index, { log, devices, uses, statements, receipts, custody, time }, findings);
}
