/**
 * What to notice in a change of the credential proxy's routes. Pure.
 *
 * @module
 */

import type { Mark, MarkSeverity } from "../../records/mark.ts";
import { quote } from "../../text/quote.ts";
import { judgeAgainst } from "../hosts/rules.ts";
import { explainUpstream } from "../hosts/upstream.ts";
import { walkJson } from "./lines.ts";

type Field = "path" | "upstream" | "auth_scheme" | "token_ref" | "token_env";

/** One route, as far as it can be told. */
interface Route {
  readonly path: string;
  readonly scheme: string;
  /** The host, and the port if it is not the scheme's own. */
  readonly upstream: string;
  readonly host: string;
  readonly authScheme: string | undefined;
  /** The token's key and name, such as `token_env NPM`. */
  readonly token: string | undefined;
  readonly tokenName: string;
  /** The line of a field, or of the route where it has no such field. */
  readonly line: (field: Field) => number;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The routes of a file; none of a text that is no JSON. */
function readRoutes(text: string): readonly Route[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return [];
  }
  if (!isObject(file) || !Array.isArray(file.routes)) return [];
  let lines: Map<string | number, Map<string | number, number>> = new Map();
  walkJson(text, (steps, line) => {
    const [first, n, field] = steps;
    if (first !== "routes" || steps.length > 3) return;
    // Of a key that stands twice the last one counts, as for JSON.parse.
    if (n === undefined) lines = new Map();
    else if (field === undefined) lines.set(n, new Map([["", line]]));
    else lines.get(n)?.set(field, line);
  });
  return file.routes.flatMap((route: unknown, n) => readRoute(route, lines.get(n)) ?? []);
}

function readRoute(
  route: unknown,
  lines: ReadonlyMap<string | number, number> | undefined,
): Route | undefined {
  if (!isObject(route)) return undefined;
  const textOf = (field: Field): string | undefined => {
    const value = Object.hasOwn(route, field) ? route[field] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const [path, url] = [textOf("path"), textOf("upstream")];
  if (path === undefined || url === undefined || explainUpstream(url)) return undefined;
  const [, scheme = "", authority = ""] = /^(https?):\/\/([^/?#]*)/.exec(url) ?? [];
  const upstream = authority.replace(scheme === "https" ? /:443$/ : /:80$/, "");
  const key = (["token_ref", "token_env"] as const).find((field) => textOf(field) !== undefined);
  const tokenName = key === undefined ? "" : textOf(key)!;
  return {
    path,
    scheme,
    upstream,
    host: upstream.replace(/:\d+$/, ""),
    authScheme: textOf("auth_scheme"),
    token: key === undefined ? undefined : `${key} ${tokenName}`,
    tokenName,
    line: (field) => lines?.get(field) ?? lines?.get("") ?? 1,
  };
}

/**
 * Marks what proposed routes would do that those in force do not: `token-to-new-upstream`,
 * `cleartext-http`, `new-upstream`, `changed-upstream`, `changed-auth-scheme`; what they would do no
 * more, `removed-route`; and what a new upstream's host looks like, as in an allowlist. A route is
 * known by its path, so that its place in the file does not matter.
 *
 * Never throws, and takes time linear in the texts.
 *
 * @param current The file in force, or `null` if there is none.
 * @param proposed The proposed file.
 * @returns The marks, in any order.
 */
export function markRoutes(current: string | null, proposed: string): readonly Mark[] {
  const before = readRoutes(current ?? "");
  const after = readRoutes(proposed);
  const known = new Set(before.map(({ upstream }) => upstream));
  const knownHosts = new Set(before.map(({ host }) => host));
  const knownTokens = new Set(before.map(({ token, upstream }) => `${token} ${upstream}`));
  const knownCleartext = new Set(
    before.filter(isCleartext).map(({ token, upstream }) => `${token} ${upstream}`),
  );
  const byPath = new Map(before.map((route) => [route.path, route]));
  const judge = judgeAgainst(knownHosts);

  const marks: Mark[] = [];
  for (const route of after) {
    const { path, upstream, host, token } = route;
    const sends = `${token} ${upstream}`;
    const was = byPath.get(path);
    const add = (severity: MarkSeverity, rule: string, message: string, field: Field) =>
      marks.push({ severity, rule, message, side: "new", line: route.line(field) });

    if (token !== undefined && !knownTokens.has(sends)) {
      add(
        "high",
        "token-to-new-upstream",
        `the token ${quote(route.tokenName)} would go to ${quote(upstream, 260)}, ` +
          "where it does not go now",
        was?.upstream === upstream ? tokenField(route) : "upstream",
      );
    }
    if (isCleartext(route) && !knownCleartext.has(sends)) {
      const [severity, what] = token === undefined
        ? ["medium" as const, "what goes"]
        : ["high" as const, `the token ${quote(route.tokenName)}`];
      const message = `${what} to ${quote(upstream, 260)} would go there in cleartext, over http`;
      add(severity, "cleartext-http", message, "upstream");
    }
    if (!known.has(upstream)) {
      const message = `${quote(upstream, 260)} would be a new upstream, for ${quote(path)}`;
      add("medium", "new-upstream", message, "upstream");
      if (!knownHosts.has(host)) {
        for (const mark of judge(host)) add(mark.severity, mark.rule, mark.message, "upstream");
      }
    } else if (was !== undefined && was.upstream !== upstream) {
      const message = `${quote(path)} would go to ${quote(upstream, 260)}, ` +
        `no more to ${quote(was.upstream, 260)}`;
      add("medium", "changed-upstream", message, "upstream");
    }
    if (was !== undefined) marks.push(...markAuthScheme(was, route));
  }

  const paths = new Set(after.map(({ path }) => path));
  for (const { path, upstream, line } of before) {
    if (paths.has(path)) continue;
    const message = `${quote(path)} would go to ${quote(upstream, 260)} no more`;
    marks.push({
      severity: "medium",
      rule: "removed-route",
      message,
      side: "old",
      line: line("path"),
    });
  }
  return marks;
}

function isCleartext({ scheme }: Route): boolean {
  return scheme === "http";
}

function tokenField({ token }: Route): Field {
  return token?.startsWith("token_env ") ? "token_env" : "token_ref";
}

/** A scheme's name has no case. */
function markAuthScheme(was: Route, route: Route): readonly Mark[] {
  const [from, to] = [was.authScheme, route.authScheme];
  if (from?.toLowerCase() === to?.toLowerCase()) return [];
  const told = (scheme: string | undefined) => scheme === undefined ? "none" : quote(scheme);
  const path = quote(route.path);
  const message = `the auth scheme of ${path} would be ${told(to)}, which is ${told(from)} now`;
  const place = to === undefined
    ? { side: "old" as const, line: was.line("auth_scheme") }
    : { side: "new" as const, line: route.line("auth_scheme") };
  return [{ severity: "medium", rule: "changed-auth-scheme", message, ...place }];
}
