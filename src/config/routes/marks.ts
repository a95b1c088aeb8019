/**
 * Marks what a reviewer should notice in a change of the credential proxy's routes. Pure.
 *
 * @module
 */

import type { Mark, MarkSeverity } from "../../records/mark.ts";
import { isJsonObject } from "../../records/shape.ts";
import { quote } from "../../text/quote.ts";
import { judgeAgainst } from "../hosts/rules.ts";
import { explainUpstream } from "../hosts/upstream.ts";
import { findJsonProblems } from "./json.ts";

type Field = "path" | "upstream" | "auth_scheme" | "token_ref" | "token_env";

/** One route with a valid upstream. */
interface Route {
  readonly path: string;
  readonly scheme: string;
  /** The host, with the port unless it is the scheme's default. */
  readonly upstream: string;
  readonly host: string;
  readonly authScheme: string | undefined;
  /** The token's key and name, such as `token_env NPM`. */
  readonly token: string | undefined;
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

/** The case of a scheme's name does not matter. */
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
