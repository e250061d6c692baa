// The verdict as a person reads it on a screen or on paper: three answers, each with its reasons, never one tick.

import { h, shape, timeElement, typed } from "./elements.js";
import { exhibitCard } from "./report_exhibit.js";
import { CHECKS } from "./findings.js";
import { moment } from "./timestamp.js";

const TOLD_PER_CHECK = 100; // a broken bundle can have thousands of faults; the saved result has the first 1,000
const AT_ONCE = 50; // exhibits drawn before the reader asks for more
const REASONS = 3; // why nothing anchors the bundle: the rest stands among the notes
const OUTSIDE_TIME = 9;

/** What a reader must not take from any verdict (formats/bundle.md, Limits). */
const NOT_PROVEN = [
  "That what was captured is true.",
  "The case’s number and title, the exhibits’ numbers and the day the bundle was made.",
  "custody.pdf and VERIFY.md, which are for reading.",
  "That no entry which this bundle leaves out revoked a device.",
  "Times of desk and box, but where an outside time is given.",
];

/** Everything about one bundle, as a list of elements; the first is a heading that can take the focus. */
export function report(verdict) {
  return [
    heading(verdict),
    answers(verdict),
    faults(verdict),
    exhibits(verdict),
    stamps(verdict),
    checks(verdict),
    notes(verdict),
  ].filter((element) => element !== null);
}

/** For what is no bundle, or cannot be read: one clear sentence. */
export function cannotBeChecked(what) {
  const sentence = h("p", {}, `${typed(what.charAt(0).toUpperCase() + what.slice(1), 400)}.`);
  return [h("div", { class: "uncheckable" }, h("h2", { tabindex: "-1" }, shape("attention"), "Cannot be checked"), sentence)];
}

function heading(verdict) {
  const about = verdict.case;
  const title = about ? `${typed(about.number)} · ${typed(about.title)}` : "A bundle without a readable index";
  const facts = verdict.bundle
    ? [`Bundle ${verdict.bundle}, made ${moment(verdict.made)}`, `Log ${verdict.origin}`]
    : ["Nothing beyond its files could be judged."];
  return h(
    "header",
    { class: "bundle" },
    h("h2", { tabindex: "-1" }, title),
    ...facts.map((text) => h("p", { class: "faded" }, text)),
  );
}

function answers(verdict) {
  return h("section", { class: "answers", "aria-label": "The three answers" }, intact(verdict), anchored(verdict), attributed(verdict));
}

function answer(name, state, word, ...sentences) {
  const paragraphs = sentences.filter((one) => one).map((sentence) => h("p", {}, sentence));
  const title = h("h3", {}, h("span", { class: "question" }, name), h("span", { class: "word" }, shape(state), word));
  return h("div", { class: `answer ${state}`, "data-answer": name.toLowerCase() }, title, ...paragraphs);
}

function intact({ intact: found, stopped }) {
  if (found.yes && found.pinned) {
    return answer("Intact", "verified", "Yes", "Bytes, signatures and order agree, under a log key you trust.");
  }
  if (found.yes) {
    const forger = "No log key was pinned: whoever forges everything can make such a bundle too. Add a trust file.";
    return answer("Intact", "partly", "Yes, self-consistent only", "Bytes, signatures and order agree.", forger);
  }
  const count = found.faults === 1 ? "One fault, told below." : `${found.faults} faults, told below.`;
  return answer("Intact", "refused", "No", count, stopped && `${stopped.charAt(0).toUpperCase()}${stopped.slice(1)}.`);
}

function anchored({ anchored: found }) {
  const after = found.after && h("span", {}, "After ", timeElement(found.after), `, by ${typed(found.afterBy)}.`);
  if (found.before) {
    const before = h("span", {}, "Before ", timeElement(found.before), `, by ${typed(found.by)}.`);
    return answer("Anchored", "verified", after ? "Between two outside times" : "By an outside time", after, before);
  }
  if (found.unchecked.length) {
    const reasons = found.unchecked.slice(0, REASONS).map(sentence);
    const more = found.unchecked.length > REASONS && `And ${found.unchecked.length - REASONS} more reasons, told below.`;
    return answer("Anchored", "nothing", "Unchecked", after, ...reasons, more);
  }
  const alone = `Only the box’s own clock says ${after ? "by when" : "when"}.`;
  return answer("Anchored", "nothing", "No outside anchor", after, alone);
}

function sentence(text) {
  return `${typed(text.charAt(0).toUpperCase() + text.slice(1))}.`;
}

function attributed(verdict) {
  const all = verdict.exhibits;
  const broken = all.filter((exhibit) => !exhibit.attributed.yes);
  if (!all.length) return answer("Attributed", "refused", "No", "Nothing could be attributed.");
  if (broken.length) {
    return answer("Attributed", "refused", "No", `${broken.length} of ${all.length} exhibits are not; each says why.`);
  }
  const captured = all.filter((exhibit) => exhibit.attributed.captured).length;
  const received = all.length - captured;
  const parts = [captured && `${captured} captured by paired devices`, received && `${received} received by the box without a desk`];
  const trusted = !verdict.intact.pinned && "As far as the log can be trusted, whose key was not pinned.";
  return answer("Attributed", verdict.intact.pinned ? "verified" : "partly", "Yes", sentence(parts.filter((one) => one).join(", ")), trusted);
}

function faults(verdict) {
  if (!verdict.findings.length) return null;
  const groups = [...CHECKS].map(([number, name]) => {
    const mine = verdict.findings.filter(({ check }) => check === number);
    if (!mine.length) return null;
    const rows = mine.slice(0, TOLD_PER_CHECK).map(({ code, where, what }) =>
      h("li", {}, h("span", { class: "where" }, typed(where)), ` ${typed(what)} `, h("code", { class: "code" }, code)),
    );
    const more = mine.length - rows.length;
    return h("div", {}, h("h4", {}, name), h("ul", {}, ...rows, more > 0 && h("li", {}, `and ${more} more`)));
  });
  const title = verdict.intact.faults === 1 ? "One fault" : `${verdict.intact.faults} faults`;
  return h("section", { class: "sheet faults" }, h("h3", {}, shape("refused"), title), ...groups);
}

function exhibits(verdict) {
  const all = verdict.exhibits;
  if (!all.length) return null;
  const list = h("div", { class: "exhibits" });
  const count = h("p", { class: "faded", role: "status" });
  const more = h("button", { type: "button", class: "more" }, "Show more");
  const search = h("input", { type: "search", placeholder: "Number or name", "aria-label": "Find an exhibit by number or name" });
  let found = all;
  const draw = (upTo) => {
    for (const exhibit of found.slice(list.childElementCount, upTo)) list.append(exhibitCard(exhibit));
    more.hidden = list.childElementCount >= found.length;
    count.textContent = found.length === all.length && more.hidden ? "" : `${list.childElementCount} of ${found.length} shown`;
  };
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    found = all.filter(({ number, name }) => String(number) === wanted || name.toLowerCase().includes(wanted));
    list.replaceChildren();
    draw(AT_ONCE);
  });
  more.addEventListener("click", () => draw(list.childElementCount + AT_ONCE));
  draw(AT_ONCE);
  const title = all.length === 1 ? "One exhibit" : `${all.length} exhibits`;
  const head = h("div", { class: "section-head" }, h("h3", {}, title), all.length > 5 && search);
  const section = h("section", { "aria-label": "Exhibits" }, head, list, count, more);
  section.addEventListener("deedbox-show-all", () => draw(Infinity)); // before printing
  return section;
}

function stamps({ stamps: all }) {
  if (!all.length) return null;
  const rows = all.map((stamp) =>
    h(
      "tr",
      {},
      h("td", {}, `${stamp.size}-${stamp.number}`),
      h("td", {}, `0 … ${stamp.size - 1}`),
      h("td", {}, timeElement(stamp.time)),
      h("td", {}, stamp.expires.slice(0, 10), stamp.renewed ? `, renewed until ${stamp.renewedUntil.slice(0, 10)}` : ""),
      h("td", {}, typed(stamp.authority)),
    ),
  );
  const names = ["Time stamp", "Over entries", "Time", "Its certificate lasts until", "By"];
  const head = h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)));
  const table = h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows));
  return h("section", { class: "sheet" }, h("h3", {}, "Time stamps"), h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Time stamps" }, table));
}

function checks(verdict) {
  const rows = [...CHECKS].map(([number, name]) => {
    const [state, words] = checkWords(verdict, number);
    return h("li", {}, shape(state), h("span", { class: "check" }, name), h("span", { class: "what" }, words));
  });
  return h("section", { class: "sheet checks" }, h("h3", {}, "What was checked"), h("ol", {}, ...rows));
}

function checkWords(verdict, number) {
  const count = verdict.findings.filter(({ check }) => check === number).length;
  const counted = verdict.counted.get(number);
  if (count) return ["refused", count === 1 ? "one fault" : `${count} faults`];
  if (counted === undefined) return ["nothing", "could not be checked"];
  if (number === OUTSIDE_TIME && verdict.anchored.before === null) return ["nothing", counted];
  return ["verified", counted];
}

function notes(verdict) {
  const remarks = [...verdict.remarks, ...verdict.anchored.unchecked.map(sentence)];
  const told = remarks.length ? [h("h3", {}, "To note, and what was not checked"), h("ul", {}, ...remarks.map((one) => h("li", {}, typed(one))))] : [];
  const limits = [h("h3", {}, "What no bundle proves"), h("ul", {}, ...NOT_PROVEN.map((one) => h("li", {}, one)))];
  return h("section", { class: "sheet notes" }, ...told, ...limits);
}
