/**
 * Checks the credential proxy's `routes.json`: which paths it forwards where, with which token. Pure.
 *
 * @module
 */

import { type ConfigProblem, listProblems } from "../../records/problem.ts";
import { isJsonObject } from "../../records/shape.ts";
import { quote } from "../../text/quote.ts";
import { readUpstream } from "../hosts/upstream.ts";
import { findJsonProblems, foldKey, formatJsonPath, type JsonSteps } from "./json.ts";

/** Roles that only one route of a bottle may have: two would contradict each other. */
const SINGLE_ROLES: readonly string[] = ["anthropic-base-url", "npm-registry"];

/** The keys that have a meaning here. */
export const ROUTE_KEYS: readonly string[] = [
  "path",
  "upstream",
  "auth_scheme",
  "token_ref",
  "token_env",
  "role",
];
export const FILE_KEYS: readonly string[] = ["routes"];

/**
 * What one proxy takes as it is written and another one decodes, joins, matches or cuts off: escapes of
 * what needs none, dot segments, two slashes, wildcards, parameters, a query.
 */
const ODD_PATH = /%(?!20|[89A-F][0-9A-F])|\/\/|\/\.{1,2}(?:\/|$)|["#*;<>?[\\\]^`{|}]/i;

/** The name of an authentication scheme by RFC 9110. Keeps CR and LF out of a header. */
const SCHEME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Checks a `routes.json`, the file that tells the bottle's credential proxy what to forward.
 *
 * The format is a JSON object with an array `routes` of objects: `path`, which starts with `/`;
 * `upstream`, an http or https URL without credentials; optionally `auth_scheme` together with
 * exactly one of `token_ref` and `token_env`; optionally `role`, a string or an array of strings.
 * No path occurs twice, and neither of the roles `anthropic-base-url` and `npm-registry` does. Other keys
 * are allowed. A file that two readers could understand differently is refused: a key or a path that
 * another one repeats, if only in another case; a path or a URL that readers repair before they use it; a
 * number that some of them round.
 *
 * Never throws, reads and opens nothing, and takes time linear in the text.
 *
 * @example A token without a scheme
 * ```ts
 * import { validateRoutes } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * const route = { path: "/npm/", upstream: "https://registry.example.com", token_env: "NPM" };
 * assertEquals(validateRoutes(JSON.stringify({ routes: [route] })), [{
 *   where: "$.routes[0].token_env",
 *   message: "found a token without auth_scheme, expected both or neither: add auth_scheme",
 * }]);
 * ```
 *
 * @param text The file's text.
 * @returns The problems, at most {@linkcode MAX_PROBLEMS} and one that says there are more; empty if the
 * file is valid.
 */
export function validateRoutes(text: string): readonly ConfigProblem[] {
  return listProblems(text, findProblems);
}

function* findProblems(text: string): Generator<ConfigProblem> {
  const syntax = findJsonProblems(text);
  yield* syntax;
  if (syntax.length > 0) return;
  const file: unknown = JSON.parse(text);
  if (!isJsonObject(file)) {
    yield problem([], describe(file), 'an object with the key "routes"');
    return;
  }
  if (!Array.isArray(file.routes)) {
    yield problem(["routes"], describe(file.routes), "an array of routes");
    return;
  }
  yield* checkKeys([], file, FILE_KEYS);
  const firstPaths = new Map<string, string>();
  const firstRoles = new Map<string, string>();
  for (const [index, route] of file.routes.entries()) {
    const steps = ["routes", index];
    if (!isJsonObject(route)) {
      yield problem(steps, describe(route), "an object");
      continue;
    }
    yield* checkKeys(steps, route, ROUTE_KEYS);
    yield* checkPath([...steps, "path"], route.path, firstPaths);
    yield* checkUpstream([...steps, "upstream"], route.upstream);
    yield* checkToken(steps, route);
    if (Object.hasOwn(route, "role")) {
      yield* checkRoles([...steps, "role"], route.role, firstRoles);
    }
  }
}

function problem(steps: JsonSteps, found: string, expected: string): ConfigProblem {
  return { where: formatJsonPath(steps), message: `found ${found}, expected ${expected}` };
}

/** A key that differs from a known one in case or blanks is that key for some readers, and not for others. */
function* checkKeys(
  steps: JsonSteps,
  object: Readonly<Record<string, unknown>>,
  known: readonly string[],
): Generator<ConfigProblem> {
  for (const key of Object.keys(object)) {
    const folded = foldKey(key);
    if (known.includes(key) || !known.includes(folded)) continue;
    yield problem([...steps, key], `the key ${quote(key)}`, `${quote(folded)} or another name`);
  }
}

function* checkPath(
  steps: JsonSteps,
  value: unknown,
  firstPaths: Map<string, string>,
): Generator<ConfigProblem> {
  const path = readText(steps, value);
  if (typeof path !== "string") {
    yield path;
    return;
  }
  if (!path.startsWith("/")) {
    yield problem(steps, quote(path), 'a path: put a "/" in front');
  } else if (/[^\x21-\x7e]/.test(path)) {
    // No request has such a path: the route would have no effect.
    yield problem(steps, quote(path), "printable ASCII without spaces: percent-encode the others");
  } else if (ODD_PATH.test(path)) {
    const expected = "a path that every proxy reads alike: write names between single slashes, " +
      "percent-encode only what is not ASCII";
    yield problem(steps, quote(path), expected);
  }
  // Some proxies tell paths apart by their case, others do not.
  const folded = path.toLowerCase();
  const first = firstPaths.get(folded);
  if (first === undefined) firstPaths.set(folded, formatJsonPath(steps));
  else yield problem(steps, `the path of ${first} again`, "each path once: remove one");
}

function* checkUpstream(steps: JsonSteps, value: unknown): Generator<ConfigProblem> {
  const upstream = readText(steps, value);
  if (typeof upstream !== "string") {
    yield upstream;
    return;
  }
  const expectation = readUpstream(upstream);
  if (typeof expectation !== "string") return;
  // The text before an "@" may be a password, which must not reach a log.
  const found = upstream.includes("@") ? 'a URL with an "@"' : quote(upstream);
  yield problem(steps, found, expectation);
}

function* checkToken(
  steps: JsonSteps,
  route: Readonly<Record<string, unknown>>,
): Generator<ConfigProblem> {
  const schemeAt = [...steps, "auth_scheme"];
  const hasScheme = Object.hasOwn(route, "auth_scheme");
  const scheme = hasScheme ? readText(schemeAt, route.auth_scheme) : "none";
  if (typeof scheme !== "string") yield scheme;
  else if (!SCHEME.test(scheme)) {
    const expected = 'one word such as "Bearer": the token itself never belongs here';
    yield problem(schemeAt, "more than the name of a scheme", expected);
  }
  const tokens = ["token_ref", "token_env"].filter((key) => Object.hasOwn(route, key));
  for (const key of tokens) {
    const tokenAt = [...steps, key];
    const token = readText(tokenAt, route[key]);
    if (typeof token !== "string") yield token;
    if (hasScheme) continue;
    yield problem(tokenAt, "a token without auth_scheme", "both or neither: add auth_scheme");
  }
  if (tokens.length > 1) {
    yield problem(steps, "token_ref and token_env", "one of them: remove the other");
  }
  if (hasScheme && tokens.length === 0) {
    const expected = "both or neither: add token_ref or token_env";
    yield problem(schemeAt, "auth_scheme without a token", expected);
  }
}

function* checkRoles(
  steps: JsonSteps,
  value: unknown,
  firstRoles: Map<string, string>,
): Generator<ConfigProblem> {
  const roles: readonly unknown[] = Array.isArray(value) ? value : [value];
  const seenHere = new Set<string>();
  for (const [index, each] of roles.entries()) {
    const place = Array.isArray(value) ? [...steps, index] : steps;
    const role = readText(place, each);
    if (typeof role !== "string") {
      yield role;
      continue;
    }
    const single = role.toLowerCase();
    if (!SINGLE_ROLES.includes(single) || seenHere.has(role)) continue;
    seenHere.add(role);
    if (role !== single) yield problem(place, quote(role), `it in lower case: ${quote(single)}`);
    const first = firstRoles.get(single);
    if (first === undefined) firstRoles.set(single, formatJsonPath(place));
    else {
      const found = `the role ${quote(role)} of ${first} again`;
      yield problem(place, found, "it on one route: remove one");
    }
  }
}

/** Reads a string with visible content. Control characters in it could only mislead. */
function readText(steps: JsonSteps, value: unknown): string | ConfigProblem {
  if (typeof value !== "string") {
    return problem(steps, describe(value), "a string: write one here");
  }
  if (value.trim() === "") {
    return problem(steps, quote(value), "a string that is not empty: fill it in");
  }
  // The text is not repeated: it may hold a password.
  if (value.trim() !== value) {
    const found = "blanks around a string, which some readers keep";
    return problem(steps, found, "none: remove them");
  }
  if (/[\p{Cc}\p{Cs}]/u.test(value)) {
    return problem(steps, "control characters in a string", "no control characters: remove them");
  }
  return value;
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "object") return Array.isArray(value) ? "an array" : "an object";
  return `the ${typeof value} ${quote(String(value))}`;
}
