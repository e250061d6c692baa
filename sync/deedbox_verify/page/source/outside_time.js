// What outsiders prove of when, put together: the bracket of any log entry (formats/time.md, Bracket).
// A vouched time is {time, by}: a time and who vouches for it.

/** The first of the items with the least, or the greatest, time; null of none. */
export const earliest = (items) => items.reduce((found, one) => (found && found.time <= one.time ? found : one), null);
export const latest = (items) => items.reduce((found, one) => (found && found.time >= one.time ? found : one), null);

/** What holds. `sightings`: {size (BigInt), time, by}, a pinned witness had seen the first `size` entries by `time`.
 *  `stamps`: {size, number, time, authority, expires, unrevoked, renewed, renewedUntil}. `rounds`: {index, end, vouched}, log
 *  entries between the two indexes come after the round. `captures`: Map of exhibit number → the round in its statement.
 *  `unchecked` says in words what is there of stamps and cosignatures and could not be judged. */
export class OutsideTime {
  constructor({ quorum = 1, sightings = [], stamps = [], rounds = [], captures = new Map(), unchecked = [], unavailable = false }) {
    Object.assign(this, { quorum, sightings, stamps, rounds, captures, unchecked, unavailable });
  }

  /** The earliest time by which an authority, or a quorum of witnesses, had seen a tree with this log entry. */
  notAfter(entry) {
    const found = this.stamps.filter(({ size }) => size > entry).map(({ time, authority }) => ({ time, by: authority }));
    const order = (one, other) => (one.time === other.time ? (one.by < other.by ? -1 : 1) : one.time < other.time ? -1 : 1);
    const seen = this.seen(entry).sort(order).slice(0, this.quorum);
    if (seen.length === this.quorum) {
      found.push({ time: seen[seen.length - 1].time, by: seen.map(({ by }) => by).sort().join(", ") });
    }
    return earliest(found);
  }

  /** How many pinned witnesses saw a tree with this log entry. */
  witnesses(entry) {
    return this.seen(entry).length;
  }

  /** The latest round that a run proves to be before this log entry. */
  notBefore(entry) {
    return latest(this.rounds.filter(({ index, end }) => index < entry && entry < end).map(({ vouched }) => vouched));
  }

  /** When each witness had first seen a tree with this entry: [{time, by}]. */
  seen(entry) {
    const first = new Map();
    for (const { size, time, by } of this.sightings) {
      if (size > BigInt(entry) && !(first.get(by) <= time)) first.set(by, time);
    }
    return [...first].map(([by, time]) => ({ time, by }));
  }
}
