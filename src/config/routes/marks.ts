/**
 * Marks what a reviewer should notice in a change of the credential proxy's routes. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import { isJsonObject } from "../../records/shape.ts";
import { quote } from "../../text/quote.ts";
import { openJudge } from "../hosts/rules.ts";
import { explainUpstream } from "../hosts/upstream.ts";
import { findJsonProblems } from "./json.ts";

type Field = "path" | "upstream" | "auth_scheme" | "token_ref" | "token_env";

/** One route with a valid upstream. */
interface Route {
  readonly path: string;
  readonly isCleartext: boolean;
  /** The host, with the port unless it is the scheme's default. */
  readonly upstream: string;
  readonly host: string;
  readonly authScheme: string | undefined;
  /** The token's field and name, such as `token_env NPM`. */
  readonly token: string | undefined;
  readonly tokenField: Field;
  readonly tokenName: string;
  /** The line of a field; of the route if it has no such field. */
  readonly line: (field: Field) => number;
}

/** The routes of a file; none if the text is not JSON. */
function readRoutes(text: string): readonly Route[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return [];
  }
  if (!isJsonObject(file) || !Array.isArray(file.routes)) return [];
  const lines = new Map<string, number>();
  findJsonProblems(text, (steps, line) => {
    if (steps[0] !== "routes" || steps.length > 3) return;
    // If a key occurs twice, the last counts, as for JSON.parse.
    if (steps.length === 1) lines.clear();
    lines.set(steps.join(" "), line);
  }, Infinity);
  return file.routes.flatMap((route: unknown, n) => {
    const at = `routes ${n}`;
    return readRoute(route, (field) => lines.get(`${at} ${field}`) ?? lines.get(at) ?? 1) ?? [];
  });
}

function readRoute(route: unknown, line: Route["line"]): Route | undefined {
  if (!isJsonObject(route)) return undefined;
  const textOf = (field: Field): string | undefined => {
    const value = Object.hasOwn(route, field) ? route[field] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const [path, url] = [textOf("path"), textOf("upstream")];
  if (path === undefined || url === undefined || explainUpstream(url)) return undefined;
  const [, scheme = "", authority = ""] = /^(https?):\/\/([^/?#]*)/.exec(url) ?? [];
  const upstream = authority.replace(scheme === "https" ? /:443$/ : /:80$/, "");
  const tokenField = textOf("token_ref") === undefined ? "token_env" : "token_ref";
  const tokenName = textOf(tokenField);
  return {
    path,
    isCleartext: scheme === "http",
    upstream,
    host: upstream.replace(/:\d+$/, ""),
    authScheme: textOf("auth_scheme"),
    token: tokenName === undefined ? undefined : `${tokenField} ${tokenName}`,
    tokenField,
    tokenName: tokenName ?? "",
    line,
  };
}

/**
 * Marks what proposed routes would do that those in force do not: `token-to-new-upstream`,
 * `cleartext-http`, `new-upstream`, `changed-upstream`, `changed-auth-scheme`; routes that would go,
 * `removed-route`; and the host of a new upstream, as in an allowlist. The path identifies a route, so its
 * place in the file does not matter.
 */
export function markRoutes(current: string | null, proposed: string): readonly Mark[] {
  return [...findMarks(current ?? "", readRoutes(proposed))];
}

const judgeAgainst = openJudge(readRoutes, (routes) => routes.map(({ host }) => host));

function* findMarks(current: string, after: readonly Route[]): Generator<Mark> {
  const { before, judge } = judgeAgainst(current);
  const known = new Set(before.map(({ upstream }) => upstream));
  const knownHosts = new Set(before.map(({ host }) => host));
  const knownTokens = new Set(before.map(sends));
  const knownCleartext = new Set(before.filter((route) => route.isCleartext).map(sends));
  const byPath = new Map(before.map((route) => [route.path, route]));

  for (const route of after) {
    const { path, upstream, host, token } = route;
    const was = byPath.get(path);
    const at = { side: "new", line: route.line("upstream") } as const;
    const [where, which] = [quote(upstream, 260), `the token ${quote(route.tokenName)}`];
    if (token !== undefined && !knownTokens.has(sends(route))) {
      const message = `${which} would go to ${where}, where it does not go now`;
      const line = was?.upstream === upstream ? route.line(route.tokenField) : at.line;
      yield { severity: "high", rule: "token-to-new-upstream", message, side: "new", line };
    }
    if (route.isCleartext && !knownCleartext.has(sends(route))) {
      const what = token === undefined ? "requests" : which;
      const message = `${what} would be sent to ${where} in cleartext, over http`;
      const severity = token === undefined ? "medium" : "high";
      yield { severity, rule: "cleartext-http", message, ...at };
    }
    if (!known.has(upstream)) {
      const message = `${where} would be a new upstream, for ${quote(path)}`;
      yield { severity: "medium", rule: "new-upstream", message, ...at };
      if (!knownHosts.has(host)) { for (const mark of judge(host)) yield { ...mark, ...at }; }
    } else if (was !== undefined && was.upstream !== upstream) {
      const message = `${quote(path)} would go to ${where} instead of ${quote(was.upstream, 260)}`;
      yield { severity: "medium", rule: "changed-upstream", message, ...at };
    }
    if (was !== undefined) yield* markAuthScheme(was, route);
  }

  const paths = new Set(after.map(({ path }) => path));
  for (const { path, upstream, line } of before) {
    if (paths.has(path)) continue;
    const message = `${quote(path)} would no longer go to ${quote(upstream, 260)}`;
    const at = { side: "old", line: line("path") } as const;
    yield { severity: "medium", rule: "removed-route", message, ...at };
  }
}

/** Equal for routes that send the same token to the same upstream. */
function sends({ token, upstream }: Route): string {
  return `${token} ${upstream}`;
}

/** The case of a scheme's name does not matter. */
function* markAuthScheme(was: Route, route: Route): Generator<Mark> {
  const [from, to] = [was.authScheme, route.authScheme];
  if (from?.toLowerCase() === to?.toLowerCase()) return;
  const name = (scheme: string | undefined) => scheme === undefined ? "none" : quote(scheme);
  const change = `would change from ${name(from)} to ${name(to)}`;
  const message = `the auth scheme of ${quote(route.path)} ${change}`;
  const [side, inFile] = to === undefined ? ["old" as const, was] : ["new" as const, route];
  const line = inFile.line("auth_scheme");
  yield { severity: "medium", rule: "changed-auth-scheme", message, side, line };
}
