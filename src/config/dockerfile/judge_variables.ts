/**
 * Judges a variable of an image: what obeys it, and what its value says. Pure.
 *
 * @module
 */

import type { MarkSeverity } from "../../records/mark.ts";
import { quote } from "../../text/quote.ts";
import { isSecret } from "./secrets.ts";
import lists from "./variables.json" with { type: "json" };

/** A mark without its place. */
export interface Judgement {
  readonly severity: MarkSeverity;
  readonly rule: string;
  readonly message: string;
}

const RULES: Readonly<Record<string, string>> = {
  ...{ off: "check-off", trust: "check-off", redirect: "traffic-redirect", load: "code-hijack" },
};

const whole = (source: string) => new RegExp(`^(?:${source})$`, "i");

const GROUPS = lists.groups.map((group) => ({
  ...group,
  names: whole(group.names),
  safe: whole(group.safe),
}));

const PROTECTS = lists.protects.map(({ names, values }) => [whole(names), whole(values)] as const);

const INNOCENT = lists.innocent.map(({ names, values }) => [whole(names), whole(values)] as const);

/** Names of labels that programs which start containers obey. */
export const OBEYED_LABELS = whole(lists.labels);

/** Directories that the agent can write to, and names that depend on where a program is. */
const WRITABLE =
  /(?:^|[:=,;\s])(?:\/(?:tmp|var\/tmp|dev\/shm|home|root|work(?:space)?s?|data|site|mnt)(?:\/|$|[:,;\s])|\.{0,2}\/?(?:[\w.-]+\/)*[\w.-]+\.(?:so|js|mjs|cjs|py|sh|rb|pl|jar)\b|\.)/;

/** Options of interpreters that load code. */
const LOADS =
  /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader|-javaagent|-agentpath|-M|-m|-I)|StrictHostKeyChecking|ProxyCommand|\bexec\b/;

/** No program obeys a longer name, and what is long would take long. */
const MAX_NAME_CHARS = 128;

const byName = (name: string) =>
  name.length > MAX_NAME_CHARS ? undefined : GROUPS.find(({ names }) => names.test(name));

const holds = (
  pairs: readonly (readonly [names: RegExp, values: RegExp])[],
  name: string,
  value: string,
) =>
  name.length <= MAX_NAME_CHARS &&
  pairs.some(([names, values]) => names.test(name) && values.test(value));

/** Whether a value that goes protected something: a check, an offline mode. */
export function protects(name: string, value: string): boolean {
  return holds(PROTECTS, name, value) || byName(name)?.safe.test(value) === true;
}

/** Whether a value turns off a check that programs do without it. */
export function lowers(name: string, value: string): boolean {
  const group = byName(name);
  return group?.does === "off" && !group.safe.test(value);
}

/**
 * Judges a variable that is new or has a new value. `"innocent"` if it is on the list of those that change
 * what is shown, or if it asks for a check that is the case without it.
 */
export function judgeVariable(name: string, value: string): Judgement | "innocent" | undefined {
  const quoted = quote(name, 80);
  if (isSecret(name, value)) {
    const message = `the image would keep a secret: ${quoted} has a value`;
    return { severity: "high", rule: "secret", message };
  }
  if (name.toUpperCase() === "PATH") return judgePath(value);
  if (holds(INNOCENT, name, value) || holds(PROTECTS, name, value)) return "innocent";
  const group = byName(name);
  if (group === undefined) return undefined;
  const values = group.does === "redirect" ? value.split(/[,|\s]+/) : [value];
  if (values.every((each) => group.safe.test(each))) return "innocent";
  const isGrave = group.severity === "high" || WRITABLE.test(value) || LOADS.test(value);
  return {
    severity: isGrave ? "high" : "medium",
    rule: RULES[group.does]!,
    message: `${quoted} ${group.says}, and would be ${quote(value, 160)}`,
  };
}

/** Programs are looked for from left to right: what is in front of the system's directories replaces theirs. */
function judgePath(value: string): Judgement | undefined {
  const entries = value.split(":");
  const system = entries.findIndex((each) => /^\$\{?PATH|^\/usr\/|^\/s?bin/.test(each));
  const first = entries.findIndex((each) =>
    !each.startsWith("/") && !each.startsWith("$") || WRITABLE.test(each)
  );
  if (first < 0 || system >= 0 && system < first) return undefined;
  const message = `programs would be looked for in ${quote(entries[first]!, 160)} first`;
  return { severity: "high", rule: "code-hijack", message };
}
