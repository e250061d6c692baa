// The life line of one exhibit: custody events as shapes on one horizontal line of time, the bracket as a pale band, derived
// documents branching below (the same drawing as in the custody paper).
//
// Distances grow with the logarithm of time, so that seconds and years have room on one line; the words between the points
// say how long it really was.

import { svg } from "./elements.js";
import { inMilliseconds, moment } from "./timestamp.js";

const LEAST = 1; // the weight of a step without any time, in the unit of ln(seconds)
const LABELLED = 0.2; // of the line's width: what a word and a time above it need
const MARKED = 0.018; // a shape without words
const MAX_BRANCHES = 4;
const [BASE, BRANCH, RADIUS] = [64, 20, 5]; // pixels
const NEAR = 0.33; // of the line's width: less has no room for words between two times
const [INSET, WIDTH] = [10, 80]; // percent: where the line's first point stands, and how far its last
const UNITS = [["year", 31_556_952], ["month", 2_629_746], ["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** For each moment ({time, room}) where it stands between 0 and 1. A moment that claims to be earlier than the one before it
 *  (two clocks) stands right after it. Rooms are kept as long as they fit; else all shrink alike. */
export function positions(moments) {
  const steps = moments.slice(1).map((after, place) => {
    const before = moments[place];
    const seconds = Math.max(inMilliseconds(after.time) - inMilliseconds(before.time), 0) / 1000;
    return { weight: LEAST + Math.log1p(seconds), room: Math.max(before.room, after.room) };
  });
  const needed = steps.reduce((sum, { room }) => sum + room, 0);
  const total = steps.reduce((sum, { weight }) => sum + weight, 0);
  const places = [0];
  for (const { weight, room } of steps) {
    const step = needed >= 1 ? room / needed : room + ((1 - needed) * weight) / total;
    places.push(Math.min(places[places.length - 1] + step, 1));
  }
  return places.slice(0, moments.length);
}

/** A duration as people say it, rounded down to its largest unit. */
export function inWords(milliseconds) {
  const seconds = Math.floor(Math.max(milliseconds, 0) / 1000);
  for (const [unit, length] of UNITS) {
    const count = Math.floor(seconds / length);
    if (count) return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  return seconds ? `${seconds} second${seconds === 1 ? "" : "s"}` : "under a second";
}

/** What the line shows, in order; views in a row become one mark, so that a much read exhibit stays readable. */
function marksOf(exhibit) {
  const told = [...exhibit.records.values()];
  const last = told.filter(({ kind }) => kind === "exported").pop();
  const marks = exhibit.captured ? [mark("captured", exhibit.captured, "captured")] : [];
  for (const record of told) {
    const label = record.kind === "received" || record === last ? record.kind : "";
    const before = marks[marks.length - 1];
    if (before?.kind === record.kind && record.kind !== "derived" && !label && !before.label) before.count += 1;
    else marks.push({ ...mark(record.kind, record.time, label), form: record.detail.form });
  }
  const { after, before } = exhibit.anchored;
  if (after) marks.splice(marks.filter(({ time }) => time < after).length, 0, mark("not-before", after, ""));
  if (before) marks.splice(marks.filter(({ time }) => time <= before).length, 0, mark("not-after", before, ""));
  return marks;
}

function mark(kind, time, label) {
  return { kind, time, label, count: 1, room: label ? LABELLED : MARKED };
}

const percent = (place) => `${INSET + place * WIDTH}%`;
const text = (x, y, words, name) => svg("text", { x, y, class: name, "text-anchor": "middle" }, words);

/** The drawing, or null where nothing of the exhibit's life holds. */
export function lifeLine(exhibit) {
  const marks = marksOf(exhibit);
  if (!marks.length) return null;
  const places = positions(marks);
  const branches = marks.map((one, place) => ({ ...one, x: places[place] })).filter(({ kind }) => kind === "derived");
  const shown = branches.slice(0, MAX_BRANCHES);
  const height = BASE + 34 + shown.length * BRANCH;
  const drawn = [...band(marks, places), svg("line", { class: "time", x1: 0, x2: "100%", y1: BASE, y2: BASE })];
  shown.forEach((one, place) => {
    const more = place === MAX_BRANCHES - 1 && branches.length > MAX_BRANCHES ? `, and ${branches.length - MAX_BRANCHES} more` : "";
    drawn.push(...branch(one, BASE + 28 + (shown.length - 1 - place) * BRANCH, more)); // the first goes deepest
  });
  marks.forEach((one, place) => {
    if (one.kind !== "derived" && !one.kind.startsWith("not-")) drawn.push(...point(one, places[place]));
  });
  drawn.push(...gaps(marks, places));
  return svg("svg", { class: "life", role: "img", "aria-label": spoken(exhibit, marks), width: "100%", height }, ...drawn);
}

/** From not before to not after; open where only one is known. */
function band(marks, places) {
  const [from, to] = ["not-before", "not-after"].map((kind) => marks.findIndex((one) => one.kind === kind));
  if (from < 0 && to < 0) return [];
  const left = from < 0 ? 0 : INSET + places[from] * WIDTH;
  const right = to < 0 ? 100 : INSET + places[to] * WIDTH;
  const edges = [from < 0 ? null : left, to < 0 ? null : right].filter((x) => x !== null);
  return [
    svg("rect", { class: "band", x: `${left}%`, y: BASE - 11, width: `${Math.max(right - left, 0)}%`, height: 22 }),
    ...edges.map((x) => svg("line", { class: "edge", x1: `${x}%`, x2: `${x}%`, y1: BASE - 11, y2: BASE + 11 })),
  ];
}

function point(one, place) {
  const inner = svg("svg", { x: percent(place), y: BASE, overflow: "visible", "aria-hidden": "true" }, symbol(one.kind));
  const drawn = [inner];
  if (one.label) {
    drawn.push(text(percent(place), BASE - 34, one.label, "word"), text(percent(place), BASE - 18, short(one.time), "when"));
  }
  if (one.count > 1) drawn.push(text(percent(place), BASE + 22, `${one.count}×`, "when"));
  return drawn;
}

/** The shape of a kind of event, around 0,0. */
export function symbol(kind) {
  const r = RADIUS;
  if (kind === "captured") return svg("circle", { class: "hollow", r });
  if (kind === "received") return svg("circle", { class: "full", r });
  if (kind === "exported") return svg("path", { class: "hollow", d: `M0 ${-r}L${r} 0L0 ${r}L${-r} 0Z` });
  if (kind === "downloaded") return svg("path", { class: "full", d: `M${-r} ${1 - r}H${r}L0 ${r}Z` });
  if (kind === "superseded") return svg("path", { class: "hollow", d: `M${-r} ${-r}L${r} ${r}M${r} ${-r}L${-r} ${r}` });
  return svg("path", { class: "hollow", d: `M0 ${-r}V${r}` });
}

function branch({ x, form }, y, more) {
  const foot = svg("svg", { x: percent(x), y, overflow: "visible", "aria-hidden": "true" }, svg("path", { class: "branch", d: "M0 0H10" }));
  const words = svg("svg", { x: percent(x), y, overflow: "visible", "aria-hidden": "true" });
  words.append(svg("text", { x: 14, y: 4, class: "when" }, `${form.replaceAll("-", " ")}${more}`));
  return [svg("line", { class: "branch", x1: percent(x), x2: percent(x), y1: BASE, y2: y }), foot, words];
}

/** How long it was between the points that have words. */
function gaps(marks, places) {
  const named = marks.map((one, place) => ({ ...one, x: places[place] })).filter(({ label }) => label);
  return named.slice(1).map((after, place) => {
    const before = named[place];
    const words = inWords(inMilliseconds(after.time) - inMilliseconds(before.time));
    const y = after.x - before.x < NEAR ? BASE - 50 : BASE - 18;
    return text(percent((before.x + after.x) / 2), y, words, "gap");
  });
}

function short(time) {
  const [day, hour] = moment(time).split(", ");
  const [number, month, year] = day.split(" ");
  return `${number} ${month.slice(0, 3)} ${year}, ${hour.slice(0, 5)}`;
}

function spoken(exhibit, marks) {
  const events = marks.filter(({ kind }) => !kind.startsWith("not-")).map(({ kind, time }) => `${kind} ${moment(time)}`);
  const { after, before } = exhibit.anchored;
  const bounds = [after && `not before ${moment(after)}`, before && `not after ${moment(before)}`].filter((one) => one);
  return `Life line of exhibit ${exhibit.number}: ${[...events, ...bounds].join("; ")}`;
}
