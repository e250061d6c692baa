// Times on the wire: RFC 3339 in UTC with six decimals and `Z`, one text per instant. They stay text: texts of this one form
// sort as the instants do, and lose no microsecond.

import { FormatError } from "./errors.js";

const FORM = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.[0-9]{6}Z$/;
const LAST = 253_402_300_799n; // the end of the year 9999, in seconds since 1970

/** The text itself where it is a time; leap seconds and the year 0 are none. */
export function parseTime(text, where = "time") {
  const found = FORM.exec(text);
  if (!found) throw new FormatError(where, "is not YYYY-MM-DDTHH:MM:SS.ffffffZ");
  const [year, month, day, hour, minute, second] = found.slice(1).map(Number);
  if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 59) {
    throw new FormatError(where, "is no date or time of day");
  }
  return text;
}

export function isDate(year, month, day) {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
}

/** The time of a whole number of seconds since 1970 (a BigInt), or null where there is none before the year 10000. */
export function fromSeconds(seconds) {
  if (seconds < 0n || seconds > LAST) return null;
  return new Date(Number(seconds) * 1000).toISOString().replace(/\.[0-9]{3}Z$/, ".000000Z");
}

/** Milliseconds since 1970, for drawing and for differences; the last three decimals are lost. */
export function inMilliseconds(time) {
  return Date.parse(time.slice(0, 23) + "Z");
}

/** The time so many seconds later, or earlier where they are negative. */
export function plusSeconds(time, seconds) {
  const moved = new Date(Date.parse(`${time.slice(0, 19)}Z`) + seconds * 1000);
  return moved.toISOString().slice(0, -5) + time.slice(19);
}

const MONTHS = "January February March April May June July August September October November December".split(" ");

/** A time as a sentence has it: 14 March 2026, 12:00:03 UTC. */
export function moment(time) {
  return `${Number(time.slice(8, 10))} ${MONTHS[Number(time.slice(5, 7)) - 1]} ${Number(time.slice(0, 4))}, ${time.slice(11, 19)} UTC`;
}
