/**
 * What real programs answer that enforce an allowlist.
 *
 * @module
 */

/** Whether a program that was given a list lets a client reach a host. */
export interface HostAnswer {
  readonly enforcer: string;
  /** The whole list. */
  readonly pattern: string;
  readonly host: string;
  /** `null` where it could not be measured. */
  readonly allowed: boolean | null;
}

/** The answers, as `tests/testdata/host_semantics.jsonl` has them. */
export function readHostAnswers(): readonly HostAnswer[] {
  const file = new URL("../testdata/host_semantics.jsonl", import.meta.url);
  return Deno.readTextFileSync(file).trimEnd().split("\n").map((line) => JSON.parse(line));
}
