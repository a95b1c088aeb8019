/**
 * Adds routes to a `routes.json`, and removes routes from it, by small edits of its text. Pure.
 *
 * @module
 */

import type { Change, Changed } from "../../records/change.ts";
import { type ConfigProblem, listProblems } from "../../records/problem.ts";
import { isJsonObject } from "../../records/shape.ts";
import { quote } from "../../text/quote.ts";
import { validateRoutes } from "./check.ts";
import { endOfString, findJsonProblems } from "./json.ts";

/** A part of a text, from one index up to another. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The array of routes in a file's text. */
interface RoutesText extends Span {
  /** Each route, with its path. */
  readonly routes: readonly (Span & { readonly path: string })[];
}

/**
 * Changes a `routes.json`. An added route comes last, written as the one before it is; outside of the array,
 * and of each route that stays, every byte stays.
 */
export function changeRoutes(text: string, { add, remove }: Required<Change>): Changed {
  const [problem] = validateRoutes(text);
  if (problem !== undefined) {
    const message =
      `the file in force is not valid (${problem.where}: ${problem.message}), so no ` +
      "change can be made in it: send the whole file";
    return { problems: [{ where: "file", message }] };
  }
  const found = readRoutes(text);
  const problems = listProblems(text, () => findProblems(found, add, remove));
  if (problems.length > 0) return { problems };
  return { text: rewrite(text, found, { add, removed: new Set(remove), replaced: new Map() }) };
}

/** An edit of the routes of a file: what comes last, and which paths go, or get another route. */
interface RoutesEdit {
  readonly add: readonly unknown[];
  readonly removed: ReadonlySet<unknown>;
  readonly replaced: ReadonlyMap<string, unknown>;
}

/** Edits the routes of a valid file, as {@linkcode changeRoutes} does. */
export function editRoutes(text: string, edit: RoutesEdit): string {
  return rewrite(text, readRoutes(text), edit);
}

function readRoutes(text: string): RoutesText {
  let start = 0;
  const starts: number[] = [];
  findJsonProblems(text, (steps, _line, at) => {
    if (steps[0] !== "routes") return;
    if (steps.length === 1) start = at;
    if (steps.length === 2) starts.push(at);
  });
  const paths = (JSON.parse(text).routes as { path: string }[]).map(({ path }) => path);
  const routes = starts.map((at, index) => ({
    start: at,
    end: endOf(text, at),
    path: paths[index]!,
  }));
  return { start, end: endOf(text, start), routes };
}

/** The index behind the object or array that begins at an index of a valid JSON text. */
function endOf(text: string, start: number): number {
  let depth = 0;
  for (let at = start;; at++) {
    if (text[at] === '"') at = endOfString(text, at) - 1;
    else if (text[at] === "{" || text[at] === "[") depth++;
    else if ((text[at] === "}" || text[at] === "]") && --depth === 0) return at + 1;
  }
}

function* findProblems(
  { routes }: RoutesText,
  add: readonly unknown[],
  remove: readonly unknown[],
): Generator<ConfigProblem> {
  const places = new Map(routes.map(({ path }, index) => [path, `$.routes[${index}]`]));
  const added = new Set(add.map((route) => isJsonObject(route) ? route.path : undefined));
  const removed = new Set<unknown>();
  for (const [index, path] of remove.entries()) {
    const where = `remove[${index}]`;
    if (typeof path !== "string") yield { where, message: "expected the path of a route" };
    else if (added.has(path)) {
      const message =
        `found ${quote(path)} in add too, expected it in one of the two: to change a ` +
        "route, send the whole file";
      yield { where, message };
    } else if (removed.has(path)) yield { where, message: `found ${quote(path)} twice` };
    else if (!places.has(path)) {
      yield { where, message: `the file in force has no route with the path ${quote(path)}` };
    }
    removed.add(path);
  }
  for (const { where, message } of validateRoutes(JSON.stringify({ routes: add }))) {
    yield { where: where.replace("$.routes", "add"), message };
  }
  for (const [index, route] of add.entries()) {
    const place = isJsonObject(route) ? places.get(route.path as string) : undefined;
    if (place === undefined) continue;
    const message = `found the path of ${place} in force, expected a new one: to change a route, ` +
      "send the whole file";
    yield { where: `add[${index}].path`, message };
  }
}

function rewrite(
  text: string,
  found: RoutesText,
  { add, removed, replaced }: RoutesEdit,
): string {
  const { start, end, routes } = found;
  const { lead, tail, print } = styleOf(text, found);
  /** What is in front of a route, after the comma. */
  const gapOf = (index: number) => {
    const gap = index === 0 ? lead : text.slice(routes[index - 1]!.end, routes[index]!.start);
    return gap.replace(",", "");
  };
  const kept = routes.flatMap(({ start, end, path }, index) => {
    const json = replaced.has(path) ? print(replaced.get(path)) : text.slice(start, end);
    return removed.has(path) ? [] : [{ gap: gapOf(index), json }];
  });
  const gap = gapOf(Math.max(0, routes.length - 1));
  const all = [...kept, ...add.map((route) => ({ gap, json: print(route) }))];
  const inside = all.map(({ gap, json }, n) => n === 0 ? lead + json : `,${gap}${json}`).join("");
  return text.slice(0, start + 1) + (all.length > 0 ? inside + tail : "") + text.slice(end - 1);
}

/** How a file writes its routes: what is in front of the first one and behind the last one, and an object. */
interface Style {
  readonly lead: string;
  readonly tail: string;
  readonly print: (route: unknown) => string;
}

function styleOf(text: string, { start, end, routes }: RoutesText): Style {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const [first, last] = [routes[0], routes.at(-1)];
  const indent = /[ \t]*/.exec(text.slice(text.lastIndexOf("\n", start) + 1))![0];
  const unit = /\n([ \t]+)/.exec(text)?.[1] ?? "  ";
  const isOnLines = text.includes("\n");
  const lead = first !== undefined
    ? text.slice(start + 1, first.start)
    : isOnLines
    ? newline + indent + unit
    : "";
  const tail = last !== undefined
    ? text.slice(last.end, end - 1)
    : isOnLines
    ? newline + indent
    : "";
  const json = last === undefined ? "{\n" : text.slice(last.start, last.end);
  const print = (route: unknown): string => {
    if (!(last === undefined ? isOnLines : json.includes("\n"))) {
      const spaced = JSON.stringify(route, null, 1).replace(/\n */g, " ");
      return json.startsWith("{ ") ? spaced : JSON.stringify(route);
    }
    const inner = lead.slice(lead.lastIndexOf("\n") + 1);
    return JSON.stringify(route, null, unit).replaceAll("\n", newline + inner);
  };
  return { lead, tail, print };
}
