// How far a desk's clock may be off, and what is said of one that is (formats/time.md, Clock).

export const LIMIT_MS = 120_000; // two minutes forgive a clock that is set by hand
const UNITS = [["years", 31_556_952], ["months", 2_629_746], ["days", 86_400], ["hours", 3_600], ["minutes", 60]];
const FEWEST = 2; // of a unit, before a smaller one says it better

/** The finding that an offset (the desk's clock minus the box's, or null) stands for. */
export function clockWord(offset) {
  if (offset === null) return "unknown";
  return offset > LIMIT_MS ? "ahead" : offset < -LIMIT_MS ? "behind" : "agrees";
}

/** How far apart two clocks are, and which way: `2 years ahead`. */
export function apart(offset) {
  const way = offset > 0 ? "ahead" : "behind";
  const seconds = Math.abs(offset) / 1000;
  for (const [unit, length] of UNITS) {
    const count = Math.round(seconds / length);
    if (count >= FEWEST) return `${count.toLocaleString("en")} ${unit} ${way}`;
  }
  return `${Math.round(seconds)} seconds ${way}`;
}
