/**
 * Reads the credential proxy's routes: what each lets a bottle do, in one spelling. Pure.
 *
 * @module
 */

import type { MarkSeverity } from "../../records/mark.ts";
import type { ReachItem } from "../../records/reach.ts";
import { isJsonObject } from "../../records/shape.ts";
import { sha256Hex } from "../../text/hash.ts";
import { readUpstream } from "../hosts/upstream.ts";
import { FILE_KEYS, ROUTE_KEYS } from "./check.ts";
import { findJsonProblems } from "./json.ts";
import words from "./keys.json" with { type: "json" };

export type RouteField = "path" | "upstream" | "auth_scheme" | "token_ref" | "token_env" | "role";

/** A key that has no meaning here, but may have one for a proxy. */
export interface OtherKey {
  readonly name: string;
  /** Text for people, by its name: what it says is no part of what the file does. */
  readonly isComment: boolean;
  /** How much it matters that a proxy may obey it, by the words in its name and in the names within. */
  readonly severity: MarkSeverity;
  readonly item: ReachItem;
}

/** One route with a valid upstream. */
export interface Route {
  readonly path: string;
  /** The upstream in one spelling: without a `/` that is its whole path, and with its query {@linkcode hidden}. */
  readonly url: string;
  /** Its scheme, host and port. */
  readonly origin: string;
  readonly isCleartext: boolean;
  /** The host, with the port unless it is the scheme's default. */
  readonly upstream: string;
  readonly host: string;
  /** In lower case: the case of a scheme's name does not matter. */
  readonly authScheme: string | undefined;
  /** The token's field and name, such as `token_env NPM`. */
  readonly token: string | undefined;
  readonly tokenField: "token_ref" | "token_env";
  readonly tokenName: string;
  readonly roles: readonly string[];
  readonly keys: readonly OtherKey[];
  /** The route as a whole: two routes with the same value do the same. */
  readonly whole: ReachItem;
  /** The line of a field; of the route if it has no such field. */
  readonly line: (field: RouteField) => number;
}

/** The routes of a file, and its own other keys. */
export interface RoutesFile {
  readonly routes: readonly Route[];
  readonly keys: readonly OtherKey[];
}

/** On which line a route begins, and each of its fields. */
interface Lines {
  readonly line: number;
  readonly fields: Map<unknown, number>;
}

const [COMMENTS, TAME, STEERING] = [words.comments, words.tame, words.steering]
  .map((list) => new Set(list)) as [Set<string>, Set<string>, Set<string>];

/** Lists what the routes of a file let a bottle do; nothing if the text is not JSON. */
export function reachOfRoutes(text: string): readonly ReachItem[] {
  return itemsOf(readRoutes(text));
}

/** Lists what a file lets a bottle do, in its order. */
export function itemsOf({ routes, keys }: RoutesFile): readonly ReachItem[] {
  return [...routes.flatMap(itemsOfRoute), ...keys.map(({ item }) => item)];
}

/** The route as a whole, its upstream, token, roles and other keys. */
export function itemsOfRoute(route: Route): readonly ReachItem[] {
  const { whole, url, token, tokenField, origin, roles, keys, line } = route;
  return [
    whole,
    { kind: "upstream", value: url, line: line("upstream") },
    ...(token === undefined
      ? []
      : [{ kind: "token", value: `${token} to ${origin}`, line: line(tokenField) } as const]),
    ...roles.map((role): ReachItem => {
      return { kind: "role", value: `${plain(role)} to ${url}`, line: line("role") };
    }),
    ...keys.map(({ item }) => item),
  ];
}

/** Reads the routes of a file: none if the text is not JSON, or nests too deep. */
export function readRoutes(text: string): RoutesFile {
  const [fileLines, routeLines]: [Map<unknown, number>, Map<unknown, Lines>] = [
    new Map(),
    new Map(),
  ];
  const problems = findJsonProblems(text, ([top, n, key], line) => {
    if (n === undefined) fileLines.set(top, line);
    else if (top !== "routes") return;
    else if (key === undefined) routeLines.set(n, { line, fields: new Map() });
    else if (!routeLines.get(n)?.fields.has(key)) routeLines.get(n)?.fields.set(key, line);
  });
  // What two readers take differently has a path, and can be read.
  const isBroken = problems.some(({ where }) => where.startsWith("line "));
  const file: unknown = isBroken ? undefined : JSON.parse(text);
  if (!isJsonObject(file)) return { routes: [], keys: [] };
  const routes: readonly unknown[] = Array.isArray(file.routes) ? file.routes : [];
  return {
    routes: routes.flatMap((route, n) => {
      const { line = 1, fields } = routeLines.get(n) ?? {};
      return readRoute(route, (field) => fields?.get(field) ?? line) ?? [];
    }),
    keys: readKeys(file, FILE_KEYS, "", (key) => fileLines.get(key) ?? 1),
  };
}

function readRoute(raw: unknown, line: (key: string) => number): Route | undefined {
  if (!isJsonObject(raw)) return undefined;
  const textOf = (field: RouteField): string | undefined => {
    const value = Object.hasOwn(raw, field) ? raw[field] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const [path, written] = [textOf("path"), textOf("upstream")];
  const parsed = written === undefined ? "nothing" : readUpstream(written);
  if (path === undefined || typeof parsed === "string") return undefined;
  const [, origin = "", scheme = "", upstream = "", rest = ""] =
    /^((https?):\/\/([^/?]+))([^]*)/.exec(parsed.href) ?? [];
  const url = rest === "/" ? origin : origin + rest.replace(/(?<=\?).+/, hidden);
  const host = upstream.replace(/:\d+$/, "");
  const tokenField = textOf("token_ref") === undefined ? "token_env" : "token_ref";
  const tokenName = textOf(tokenField);
  const token = tokenName === undefined ? undefined : `${tokenField} ${plain(tokenName)}`;
  const authScheme = textOf("auth_scheme")?.toLowerCase();
  const listed: readonly unknown[] = Array.isArray(raw.role) ? raw.role : [raw.role];
  const roles = [...new Set(listed.filter((role) => typeof role === "string"))].toSorted();
  const keys = readKeys(raw, ROUTE_KEYS, ` of ${path}`, line);
  const whole = [
    `${path} to ${url}`,
    ...(token === undefined ? [] : [`with ${token} as ${authScheme}`]),
    ...roles.map((role) => `for ${plain(role)}`),
    ...keys.filter(({ isComment }) => !isComment).map(({ item }) => `and ${item.value}`).toSorted(),
  ].join(" ");
  return {
    ...{ path, url, origin, isCleartext: scheme === "http", upstream, host, roles, keys, line },
    ...{ authScheme, token, tokenField, tokenName: tokenName ?? "" },
    whole: { kind: "route", value: whole, line: line("path") },
  };
}

/** A name as it is, or in quotes if it could be taken for more than one. */
function plain(name: string): string {
  return /^[\w.$-]+$/.test(name) ? name : JSON.stringify(name);
}

/** Stands for a text that may hold a secret: equal for equal texts alone. */
function hidden(text: string): string {
  return `#${sha256Hex(text).slice(0, 32)}`;
}

function readKeys(
  object: Readonly<Record<string, unknown>>,
  known: readonly string[],
  place: string,
  line: (key: string) => number,
): readonly OtherKey[] {
  return Object.keys(object).filter((name) => !known.includes(name)).map((name) => {
    const value = object[name];
    const names = [name];
    const content = sortedJson(value, (within) => {
      if (!/^\d*$/.test(within)) names.push(within);
    });
    const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
    const isComment = texts.every((text) => typeof text === "string") &&
      wordsIn(name).every((word) => COMMENTS.has(word));
    const said = /^["[{]/.test(content) ? hidden(content) : content;
    const text = isComment ? plain(name) : `${plain(name)}: ${said}`;
    const item: ReachItem = { kind: "key", value: text + place, line: line(name) };
    return { name, isComment, severity: judgeNames(names), item };
  });
}

/** A value as JSON, the keys of each object in the order of their names: their order in a file does not matter. */
export function sortedJson(value: unknown, visit: (key: string) => void = () => {}): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    visit(key);
    if (!isJsonObject(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => a < b ? -1 : 1));
  });
}

/** The words of a name, in lower case: `tls` and `verify` of `tlsVerify`, `tls-verify` and `$TLS_verify`. */
function wordsIn(name: string): readonly string[] {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase().match(/[\p{L}\p{N}]+/gu) ??
    [name];
}

function judgeNames(names: readonly string[]): MarkSeverity {
  const found = names.flatMap(wordsIn);
  if (found.every((word) => TAME.has(word) || COMMENTS.has(word))) return "low";
  return found.some((word) => STEERING.has(word)) ? "high" : "medium";
}
