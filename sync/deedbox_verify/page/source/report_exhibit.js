// One exhibit on the screen: what it is, who captured it and how, the bracket, its life line, every event.

import { digestElement, h, shape, svg, timeElement, typed } from "./elements.js";
import { sizeInWords } from "./findings.js";
import { lifeLine, symbol } from "./life_line.js";

const METHODS = {
  command: "by command",
  courier: "brought in by courier file",
  upload: "uploaded to the box",
  "watched-folder": "from a watched folder",
};
const CLOCKS = {
  within: "It agrees with the outside times.",
  early: "It was behind: the outside times show otherwise.",
  late: "It was ahead: the outside times show otherwise.",
  unknown: "No outside time can be held against it.",
};

export function exhibitCard(exhibit) {
  const title = h("h4", {}, h("span", { class: "number" }, `Exhibit ${exhibit.number}`), h("span", { class: "name" }, typed(exhibit.name)));
  const line = lifeLine(exhibit);
  const drawing = line && h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Life line" }, line);
  return h(
    "article",
    { class: "sheet exhibit", "data-exhibit": exhibit.number },
    title,
    digestElement(exhibit.content, `the SHA-256 of exhibit ${exhibit.number}`),
    h("dl", {}, ...facts(exhibit)),
    drawing,
    line && legend(exhibit),
    events(exhibit),
  );
}

function row(name, ...value) {
  return [h("dt", {}, name), h("dd", {}, ...value)];
}

function facts(exhibit) {
  const { attributed, statement, anchored } = exhibit;
  return [
    ...row("Size", sizeInWords(exhibit.size)),
    ...(attributed.captured ? captured(exhibit) : received(exhibit)),
    ...(statement ? row("How", how(statement)) : []),
    ...row("Not before", ...vouched(anchored.after, anchored.afterBy)),
    ...row("Not after", ...vouched(anchored.before, anchored.by)),
    ...(attributed.yes ? [] : row("Not proven", shape("refused"), sentences(attributed.reasons))),
    ...(statement?.exceptions.length ? row("Exceptions", sentences(statement.exceptions.map(exception))) : []),
  ];
}

function captured({ captured: time, clock, attributed }) {
  const who = `${typed(attributed.operator ?? "nobody named")}, ${authenticated(attributed.authenticated)}`;
  const device = typed(attributed.deviceName ?? attributed.device ?? "an unknown device");
  const state = ["early", "late"].includes(clock) ? shape("attention") : "";
  return [
    ...row("Captured by", `${who}, on ${device}`, pinned(attributed)),
    ...(time ? row("Desk’s clock", timeElement(time), ". ", state, CLOCKS[clock]) : []),
  ];
}

function received({ attributed }) {
  const who = `${typed(attributed.operator ?? "nobody named")} (${typed(attributed.authenticated ?? "unknown")})`;
  return row("Received from", `${who}, by the box, without a desk`, pinned(attributed));
}

function pinned({ pinned: trusted }) {
  return trusted ? h("span", { class: "faded" }, " (under a device key you trust)") : "";
}

function authenticated(word) {
  return word === null || word === "none" ? "not authenticated" : `authenticated by ${typed(word.replaceAll("-", " "))}`;
}

function how({ method, tool, source, file, place, purpose }) {
  const parts = [METHODS[method] ?? method, `${tool.name} ${tool.version}`];
  const taken = [source.medium, source.make, source.serial && `serial number ${source.serial}`, source.account && `account ${source.account}`];
  if (taken.some((one) => one)) parts.push(`from ${taken.filter((one) => one).join(", ")}`);
  if (file.path.length) parts.push(`folder ${file.path.join(" / ")}`);
  if (place) parts.push(`at ${place}`);
  if (purpose) parts.push(`for ${purpose}`);
  return typed(parts.join("; "), 600);
}

function vouched(time, by) {
  return time ? [timeElement(time), `, by ${typed(by)}`] : [h("span", { class: "faded" }, "no outsider says")];
}

function exception({ kind, detail }) {
  return `${kind.replaceAll("-", " ")}: ${detail}`;
}

function sentences(texts) {
  return typed(texts.join("; "), 600);
}

function legend(exhibit) {
  const kinds = [...new Set([exhibit.captured && "captured", ...[...exhibit.records.values()].map(({ kind }) => kind)])];
  const words = kinds.filter((kind) => kind && kind !== "derived").map((kind) => {
    const drawing = svg("svg", { class: "life key", width: 12, height: 12, viewBox: "-6 -6 12 12", "aria-hidden": "true" }, symbol(kind));
    return h("li", {}, drawing, kind);
  });
  if (kinds.includes("derived")) words.push(h("li", {}, "below the line: derived documents"));
  const { after, before } = exhibit.anchored;
  if (after || before) words.push(h("li", {}, h("span", { class: "band-key", "aria-hidden": "true" }), "not before, not after"));
  return h("ul", { class: "legend", "aria-hidden": "true" }, ...words);
}

function events({ custody, records, withheld }) {
  if (!custody.length) return null;
  const rows = custody.map((event, place) => eventRow(event, records.get(place + 1)));
  const head = ["No.", "Event", "When (UTC)", "Who", "What"].map((name) => h("th", { scope: "col" }, name));
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
  const hidden = withheld ? `, ${withheld} of them withheld and accounted for` : "";
  const count = custody.length === 1 ? "One event" : `${custody.length} events`;
  return h("details", {}, h("summary", {}, `${count}${hidden}`), h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Custody events" }, table));
}

function eventRow(event, record) {
  const cells = [h("td", {}, String(event.number))];
  if (record) {
    cells.push(h("td", {}, record.kind), h("td", {}, timeElement(record.time, record.time.slice(0, 19).replace("T", " "))));
    cells.push(h("td", {}, typed(record.actor.name)), h("td", {}, eventWords(record)));
  } else if (event.commitment) {
    const digest = h("code", { class: "digest small" }, ...event.commitment.match(/.{4}/g).map((group) => h("span", {}, group)));
    cells.push(h("td", {}, "withheld"), h("td", { colspan: 3 }, h("span", { class: "faded" }, "its record’s SHA-256 is "), digest));
  } else {
    cells.push(h("td", {}, shape("refused"), "does not hold"), h("td", { colspan: 3 }, h("span", { class: "faded" }, "see the faults")));
  }
  return h("tr", {}, ...cells);
}

function eventWords({ kind, detail }) {
  if (kind === "received") return detail.captured ? "from the desk" : "without a desk";
  if (kind === "derived") return typed(`${detail.form.replaceAll("-", " ")}, made by ${detail.producer}`);
  if (kind === "exported") return typed(detail.purpose || "a bundle");
  if (kind === "superseded") return `by ${detail.by}`;
  if (kind === "refiled") return typed(`exhibit ${detail.from_number} of another case before; ${detail.reason ?? "no reason told"}`);
  return "";
}
