// What the checks found: faults, each with its place, and remarks that are no faults.

import { FormatError, SyncError } from "./errors.js";

/** The checks of formats/bundle.md, in order, as a person reads them. */
export const CHECKS = new Map([
  [1, "files"],
  [2, "log"],
  [3, "entries"],
  [4, "statements"],
  [5, "receipts"],
  [6, "custody"],
  [7, "derived"],
  [8, "devices"],
  [9, "outside time"],
]);
export const FILES = 1;
const MAX_KEPT = 1_000; // faults told one by one; a bundle with more is told by their number

/** Collects in the order found. `total` counts also the faults past MAX_KEPT. */
export class Findings {
  constructor() {
    this.faults = [];
    this.remarks = [];
    this.counted = new Map();
    this.total = 0;
  }

  /** `code` is stable, for machines; `where` is a path or an exhibit and event; `what` is a sentence's end. */
  fault(check, code, where, what) {
    this.total += 1;
    if (this.faults.length < MAX_KEPT) this.faults.push({ check, code, where, what });
  }

  remark(text) {
    if (this.remarks.length < MAX_KEPT) this.remarks.push(text);
  }

  /** What `work` gives; a SyncError becomes a fault here, and then `undefined` is given. */
  catching(check, code, where, work) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      this.fault(check, code, where, error instanceof FormatError ? inPlace(error, where) : error.message);
      return undefined;
    }
  }

  /** As `catching`, and the fault is told at the place that a FormatError names. */
  catchingInPlace(check, code, work) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.fault(check, code, error.where, error.what);
      return undefined;
    }
  }
}

function inPlace(error, where) {
  return error.where === where ? error.what : `${error.where} ${error.what}`;
}

/** A number with its noun. */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/** A size in words for people, in decimal units as desktops count. */
export function sizeInWords(count) {
  let value = count;
  for (const unit of ["bytes", "kB", "MB", "GB"]) {
    if (value < 1000) return unit === "bytes" ? `${count} ${unit}` : `${value.toFixed(1)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}
