/**
 * Timestamps as instants. Pure.
 *
 * @module
 */

/**
 * The instant that a timestamp names, in microseconds since 1970. The Python original writes
 * microseconds and an offset, JavaScript milliseconds and `Z`; one without an offset is taken as UTC.
 *
 * @param timestamp ISO 8601.
 * @returns The instant, or infinity for what is no timestamp, so that it sorts last.
 */
export function instantOf(timestamp: string): number {
  const match = /^(.*?\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$/.exec(timestamp);
  if (match === null) return Infinity;
  const [, seconds, fraction = "", offset = "Z"] = match;
  const ms = Date.parse(`${seconds}${offset}`);
  return Number.isNaN(ms) ? Infinity : ms * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}
