// The page itself: takes a bundle and, if wished, a trust file, shows how far it is, and then the report.

import { droppedFiles, pickedFiles } from "./dropped.js";
import { ReadError, UncheckableError } from "./errors.js";
import { examine, openBundle } from "./examine.js";
import { counted, sizeInWords } from "./findings.js";
import { BAGIT } from "./layout.js";
import { cannotBeChecked, report } from "./report.js";
import { exitStatus, reportJson, uncheckableJson } from "./report_json.js";
import { moment } from "./timestamp.js";
import { MAX_TRUST, NO_TRUST, parseTrust } from "./trust.js";

const REDRAW_MS = 100; // often enough to look alive, seldom enough to cost nothing

/** What was asked for last; an earlier check that is still running sees that it is not wanted any more. */
const state = { run: 0, dropped: null, trust: NO_TRUST, json: null };

class Abandoned extends Error {}

/** The verdict on dropped files: {verdict (null where it cannot be checked), json (as `deedbox-verify --json`)}. */
async function judge(dropped, trust, required, progress) {
  try {
    const verdict = await examine(await openBundle(dropped), trust, progress);
    return { verdict, json: reportJson(verdict, exitStatus(verdict, required)) };
  } catch (error) {
    if (!(error instanceof UncheckableError || error instanceof ReadError)) throw error;
    return { verdict: null, json: uncheckableJson(error.message) };
  }
}

/** For tests and for other programs that open this page: `files` are [{path, file}] or one ZIP as a File, `trust` the trust
 *  file as a File or null, `required` the answers that the status asks for. Gives the JSON result and draws nothing. */
async function examineFiles(files, trust = null, required = []) {
  const dropped = files instanceof File ? [{ path: files.name, file: files }] : files;
  try {
    const pinned = trust ? parseTrust(new Uint8Array(await trust.arrayBuffer())) : NO_TRUST;
    return (await judge(dropped, pinned, required, async () => {})).json;
  } catch (error) {
    if (!(error instanceof UncheckableError)) throw error;
    return uncheckableJson(error.message);
  }
}

const byId = (id) => document.getElementById(id);

/** Checks what was dropped last under the trust that was given last, and draws the report. */
async function check() {
  if (!state.dropped) return show([], "");
  const run = ++state.run;
  show([], "Checking …");
  document.body.classList.add("busy");
  try {
    const { verdict, json } = await judge(state.dropped, state.trust, [], progressOf(run));
    if (run !== state.run) return;
    state.json = json;
    const elements = verdict ? report(verdict) : cannotBeChecked(json.error);
    show(elements, spoken(verdict, json));
    byId("report").querySelector("h2").focus({ preventScroll: true });
    byId("report").scrollIntoView({ block: "start" });
  } catch (error) {
    if (error instanceof Abandoned) return;
    show(cannotBeChecked(`this page has failed, which says nothing of the bundle (${error.message})`), "This page has failed");
    throw error;
  } finally {
    if (run === state.run) document.body.classList.remove("busy");
  }
}

function show(elements, words) {
  byId("report").replaceChildren(...elements);
  byId("verdict").textContent = words;
  byId("actions").hidden = !elements.length;
}

/** The three answers in one sentence, for a screen reader. */
function spoken(verdict, json) {
  if (!verdict) return `Cannot be checked: ${json.error}.`;
  const { intact, anchored, attributed } = json;
  const self = intact.answer === "yes" && !intact.pinned ? ", self-consistent only" : "";
  const faults = intact.faults ? `, ${counted(intact.faults, "fault")}` : "";
  const before = anchored.before ? ` ${moment(anchored.before)}` : "";
  return `Intact: ${intact.answer}${self}${faults}. Anchored: ${anchored.answer}${before}. Attributed: ${attributed.answer}.`;
}

/** Draws how far the run is and lets the page breathe. Throws once another run has begun. */
function progressOf(run) {
  const total = state.dropped.reduce((sum, { file }) => sum + file.size, 0);
  let [done, drawn] = [0, performance.now()];
  return async (count) => {
    if (run !== state.run) throw new Abandoned();
    done += count;
    if (performance.now() - drawn < REDRAW_MS) return;
    byId("verdict").textContent = `Checking … ${sizeInWords(Math.min(done, total))} of ${sizeInWords(total)} read`;
    byId("bar").value = total ? Math.min(done / total, 1) : 0;
    await new Promise((resolve) => setTimeout(resolve));
    drawn = performance.now();
  };
}

/** What was dropped or picked: a bundle, a trust file, or both at once. */
async function take(files) {
  const keys = files.find(({ path, file }) => /^[^/]+\.json$/i.test(path) && file.size <= MAX_TRUST);
  const bundle = files.filter((one) => one !== keys || files.some(({ path }) => path === BAGIT));
  if (keys && !bundle.includes(keys) && !(await takeTrust(keys.file))) return;
  if (bundle.length) {
    state.dropped = bundle;
    const [{ path }] = bundle;
    byId("chosen").textContent = bundle.length === 1 ? path : `${path.split("/")[0]} (${counted(bundle.length, "file")})`;
  }
  await check();
}

/** Whether the file is a trust file; if not, the page says why. */
async function takeTrust(file) {
  try {
    state.trust = parseTrust(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    if (!(error instanceof UncheckableError)) throw error;
    refuse(error);
    return false;
  }
  byId("trusted").textContent = `${file.name}: ${trustWords(state.trust)}`;
  byId("forget").hidden = false;
  return true;
}

function refuse(error) {
  state.run += 1;
  state.json = uncheckableJson(error.message);
  show(cannotBeChecked(error.message), `Cannot be checked: ${error.message}.`);
}

function trustWords({ logs, witnesses, quorum, tsaRoots, beacons, devices }) {
  const parts = [
    [logs.length, "log"],
    [witnesses.length, "witness", "witnesses"],
    [tsaRoots.length, "time-stamp root"],
    [beacons.length, "beacon chain"],
    [devices.size, "device"],
  ];
  const words = parts.filter(([count]) => count).map(([count, one, many]) => counted(count, one, many)).join(", ");
  return `${words || "nothing pinned"}${quorum > 1 ? `, ${quorum} witnesses needed` : ""}`;
}

function forgetTrust() {
  state.trust = NO_TRUST;
  byId("trust").value = "";
  byId("trusted").textContent = "none";
  byId("forget").hidden = true;
  return check();
}

function save() {
  const text = JSON.stringify(state.json, null, 2);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `verdict-${state.json.bundle ?? "none"}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Opens what is folded and draws what was left out, so that paper has it all. */
function beforePrint() {
  for (const section of document.querySelectorAll("section")) section.dispatchEvent(new Event("deedbox-show-all"));
  for (const details of document.querySelectorAll("details")) details.open = true;
}

function start() {
  for (const id of ["zip", "folder", "trust"]) {
    byId(id).addEventListener("change", (event) => event.target.files.length && take(pickedFiles(event.target)));
  }
  byId("forget").addEventListener("click", forgetTrust);
  byId("print").addEventListener("click", () => print());
  byId("save").addEventListener("click", save);
  addEventListener("beforeprint", beforePrint);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("over"));
  addEventListener("drop", async (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    try {
      await take(await droppedFiles(event.dataTransfer));
    } catch (error) {
      if (!(error instanceof UncheckableError)) throw error;
      refuse(error);
    }
  });
}

start();
window.deedbox = { examine: examineFiles };
