/**
 * Checks the credential proxy's `routes.json`: which paths it forwards where, with which token. Pure.
 *
 * @module
 */

import {
  collectProblems,
  type ConfigProblem,
  findUnfitText,
  type ProblemCollector,
} from "../../records/problem.ts";
import { isJsonObject } from "../../records/shape.ts";
import { quote } from "../../text/quote.ts";
import { explainUpstream } from "../hosts/upstream.ts";
import { findJsonProblems, formatJsonPath, type JsonSteps as Steps } from "./json.ts";

/** Roles that only one route of a bottle may have: two would contradict each other. */
const SINGLE_ROLES: readonly string[] = ["anthropic-base-url", "npm-registry"];

/** The name of an authentication scheme by RFC 9110. Keeps CR and LF out of a header. */
const SCHEME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Checks a `routes.json`, the file that tells the bottle's credential proxy what to forward.
 *
 * The format is a JSON object with an array `routes` of objects: `path`, which starts with `/`;
 * `upstream`, an http or https URL without credentials; optionally `auth_scheme` together with
 * exactly one of `token_ref` and `token_env`; optionally `role`, a string or an array of strings.
 * No path occurs twice, and neither of the roles `anthropic-base-url` and `npm-registry` does. Other keys
 * are allowed. A file that two readers could understand differently is refused: a repeated key, a URL
 * that parsers repair before they use it.
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
  const unfit = findUnfitText(text);
  if (unfit) return [unfit];
  const syntax = findJsonProblems(text);
  if (syntax.length > 0) return syntax;

  const problems = collectProblems();
  const file: unknown = JSON.parse(text);
  if (!isJsonObject(file)) {
    problems.add("$", `found ${describe(file)}, expected an object with the key "routes"`);
    return problems.list();
  }
  if (!Array.isArray(file.routes)) {
    problems.add("$.routes", `found ${describe(file.routes)}, expected an array of routes`);
    return problems.list();
  }
  const firstPaths = new Map<string, string>();
  const firstRoles = new Map<string, string>();
  for (const [index, route] of file.routes.entries()) {
    if (problems.isFull()) break;
    const steps = ["routes", index];
    if (!isJsonObject(route)) {
      problems.add(formatJsonPath(steps), `found ${describe(route)}, expected an object`);
      continue;
    }
    checkPath(problems, steps, route.path, firstPaths);
    checkUpstream(problems, steps, route.upstream);
    checkToken(problems, steps, route);
    if (Object.hasOwn(route, "role")) checkRole(problems, steps, route.role, firstRoles);
  }
  return problems.list();
}

function checkPath(
  problems: ProblemCollector,
  steps: Steps,
  path: unknown,
  firstPaths: Map<string, string>,
): void {
  const where = formatJsonPath([...steps, "path"]);
  if (!requireText(problems, where, path)) return;
  if (!path.startsWith("/")) {
    problems.add(where, `found ${quote(path)}, expected a path: put a "/" in front`);
  } else if (/[^\x21-\x7e]/.test(path)) {
    // No request has such a path: the route would have no effect.
    problems.add(
      where,
      `found ${quote(path)}, expected printable ASCII without spaces: percent-encode the others`,
    );
  }
  const first = firstPaths.get(path);
  if (first === undefined) firstPaths.set(path, where);
  else problems.add(where, `found the path of ${first} again, expected each path once: remove one`);
}

function checkUpstream(problems: ProblemCollector, steps: Steps, upstream: unknown): void {
  const where = formatJsonPath([...steps, "upstream"]);
  if (!requireText(problems, where, upstream)) return;
  const expectation = explainUpstream(upstream);
  if (!expectation) return;
  // The text before an "@" may be a password, which must not reach a log.
  const found = upstream.includes("@") ? 'a URL with an "@"' : quote(upstream);
  problems.add(where, `found ${found}, expected ${expectation}`);
}

function checkToken(
  problems: ProblemCollector,
  steps: Steps,
  route: Readonly<Record<string, unknown>>,
): void {
  const schemeAt = formatJsonPath([...steps, "auth_scheme"]);
  const hasScheme = Object.hasOwn(route, "auth_scheme");
  if (hasScheme && requireText(problems, schemeAt, route.auth_scheme)) {
    if (!SCHEME.test(route.auth_scheme)) {
      problems.add(
        schemeAt,
        'found more than the name of a scheme, expected one word such as "Bearer": ' +
          "the token itself never stands here",
      );
    }
  }
  const tokens = ["token_ref", "token_env"].filter((key) => Object.hasOwn(route, key));
  for (const key of tokens) {
    const where = formatJsonPath([...steps, key]);
    requireText(problems, where, route[key]);
    if (!hasScheme) {
      problems.add(
        where,
        "found a token without auth_scheme, expected both or neither: add auth_scheme",
      );
    }
  }
  if (tokens.length > 1) {
    problems.add(
      formatJsonPath(steps),
      "found token_ref and token_env, expected one of them: remove the other",
    );
  }
  if (hasScheme && tokens.length === 0) {
    problems.add(
      schemeAt,
      "found auth_scheme without a token, expected both or neither: add token_ref or token_env",
    );
  }
}

function checkRole(
  problems: ProblemCollector,
  steps: Steps,
  role: unknown,
  firstRoles: Map<string, string>,
): void {
  const roleSteps = [...steps, "role"];
  const places = Array.isArray(role)
    ? role.map((each: unknown, index) => [each, [...roleSteps, index]] as const)
    : [[role, roleSteps] as const];
  const seenHere = new Set<string>();
  for (const [each, place] of places) {
    if (problems.isFull()) return;
    const where = formatJsonPath(place);
    if (!requireText(problems, where, each)) continue;
    if (!SINGLE_ROLES.includes(each) || seenHere.has(each)) continue;
    seenHere.add(each);
    const first = firstRoles.get(each);
    if (first === undefined) firstRoles.set(each, where);
    else {
      problems.add(
        where,
        `found the role ${quote(each)} of ${first} again, expected it on one route: remove one`,
      );
    }
  }
}

/** Requires a string with visible content. Control characters in it could only mislead. */
function requireText(problems: ProblemCollector, where: string, value: unknown): value is string {
  if (typeof value !== "string") {
    problems.add(where, `found ${describe(value)}, expected a string: write one here`);
  } else if (value.trim() === "") {
    problems.add(where, `found ${quote(value)}, expected a string that is not empty: fill it in`);
  } else if (/[\p{Cc}\p{Cs}]/u.test(value)) {
    problems.add(where, `found ${quote(value)}, expected no control characters: remove them`);
  } else return true;
  return false;
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "object") return Array.isArray(value) ? "an array" : "an object";
  return `the ${typeof value} ${quote(String(value))}`;
}
