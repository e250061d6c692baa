// Check 9: what others say of when. Beacons tell not before; witnesses and time-stamp authorities tell not after.

import { counted } from "./findings.js";
import { OutsideTime } from "./outside_time.js";
import { Beacons, checkCaptures, checkRuns } from "./run_check.js";
import { checkSeen } from "./stamp_check.js";
import { plusSeconds } from "./timestamp.js";

const CHECK = 9;
/** Outsiders' clocks are not one clock: a beacon may seem to be later than an anchor by this much, and no more. */
const ALLOWANCE_S = 60;

/** Only for a log whose checkpoint is signed by its key. */
export async function checkTime(contents, index, log, held, statements, receipts, trust, findings) {
  if (!log?.signed) return new OutsideTime({ unchecked: ["the log's own signature does not hold"] });
  const seen = await checkSeen(contents, index.stamps, log, held, trust, findings);
  const beacons = new Beacons(trust, findings);
  const claimed = await checkRuns(contents, held, beacons, findings);
  const sound = index.exhibits.filter(({ number }) => receipts.has(number));
  const received = new Map(sound.map((exhibit) => [exhibit.number, exhibit.received]));
  const captures = checkCaptures(statements, received, beacons);
  const time = new OutsideTime({
    ...seen,
    quorum: trust.quorum,
    rounds: claimed,
    captures: new Map([...captures].map(([number, { vouched }]) => [number, vouched])),
  });
  checkContradictions([...claimed, ...captures.values()], time, findings);
  tellQuorum(received, time, trust, findings);
  findings.counted.set(CHECK, summary(time));
  return time;
}

/** No outsider can have seen what was not yet public: then a round, or an anchor, is not what it seems. */
function checkContradictions(claimed, time, findings) {
  for (const { index, where, vouched } of claimed) {
    const anchor = time.notAfter(index);
    if (anchor && vouched.time > plusSeconds(anchor.time, ALLOWANCE_S)) {
      const what = `has ${vouched.by}, which was not public when ${anchor.by} had seen it`;
      findings.fault(CHECK, "beacon.later", where, what);
    }
  }
}

function tellQuorum(received, time, trust, findings) {
  const counts = [...received].map(([number, entry]) => ({ number, count: time.witnesses(entry) }));
  const short = counts.filter(({ count }) => count > 0 && count < trust.quorum);
  if (!short.length) return;
  const fewest = Math.min(...short.map(({ count }) => count));
  const exhibits = short.length === 1 ? "exhibit" : "exhibits";
  const numbers = short.map(({ number }) => number).join(", ");
  findings.remark(`You ask for ${trust.quorum} witnesses; ${fewest} had seen a tree with ${exhibits} ${numbers}.`);
}

function summary(time) {
  const parts = [];
  if (time.sightings.length) parts.push(counted(time.sightings.length, "cosignature"));
  if (time.stamps.length) parts.push(counted(time.stamps.length, "time stamp"));
  const rounds = time.rounds.length + time.captures.size;
  if (rounds) parts.push(counted(rounds, "beacon"));
  return parts.join(", ") || (time.unchecked.length ? "unchecked" : "none");
}
