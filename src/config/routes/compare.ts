/**
 * Compares two versions of the credential proxy's routes by what they let a bottle do. Pure.
 *
 * The longest path that a request begins with decides. So a proposed file lets through nothing new if each
 * of its routes is in force as a whole, its other keys are those in force, and no route that goes leaves
 * its requests to a shorter path. All else is an item that is added.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import type { ConfigProblem } from "../../records/problem.ts";
import type { Findings, ReachItem } from "../../records/reach.ts";
import { quote } from "../../text/quote.ts";
import { openJudge } from "../hosts/rules.ts";
import { validateRoutes } from "./check.ts";
import {
  itemsOf,
  itemsOfRoute,
  type OtherKey,
  readRoutes,
  type Route,
  type RoutesFile,
} from "./read.ts";

/** The routes in force, by what is asked of them. */
interface InForce extends RoutesFile {
  readonly problem: ConfigProblem | undefined;
  readonly byPath: ReadonlyMap<string, Route>;
  readonly has: (item: ReachItem) => boolean;
  readonly upstreams: ReadonlySet<string>;
  readonly hosts: ReadonlySet<string>;
  /** Which token goes where, and where in cleartext, by {@linkcode sends}. */
  readonly sends: ReadonlySet<string>;
  readonly sendsCleartext: ReadonlySet<string>;
  readonly tokenNames: ReadonlySet<string>;
  /** The upstreams that get some token. */
  readonly credentialed: ReadonlySet<string>;
  readonly byRole: ReadonlyMap<string, readonly Route[]>;
}

const judgeAgainst = openJudge(readInForce, ({ hosts }) => hosts);

function readInForce(text: string): InForce {
  const file = readRoutes(text);
  const { routes } = file;
  const withToken = routes.filter(({ token }) => token !== undefined);
  return {
    ...file,
    problem: validateRoutes(text)[0],
    byPath: byPathOf(routes),
    has: contains(file),
    upstreams: new Set(routes.map(({ upstream }) => upstream)),
    hosts: new Set(routes.map(({ host }) => host)),
    sends: new Set(routes.map(sends)),
    sendsCleartext: new Set(routes.filter(({ isCleartext }) => isCleartext).map(sends)),
    tokenNames: new Set(withToken.map(({ tokenName }) => tokenName)),
    credentialed: new Set(withToken.map(({ upstream }) => upstream)),
    byRole: byRoleOf(routes),
  };
}

/** The first route that each role is for, and the first one to another upstream. */
function byRoleOf(routes: readonly Route[]): ReadonlyMap<string, readonly Route[]> {
  const byRole = new Map<string, Route[]>();
  for (const route of routes) {
    for (const role of route.roles) {
      const folded = role.toLowerCase();
      const [first, other] = byRole.get(folded) ?? [];
      if (first === undefined) byRole.set(folded, [route]);
      else if (other === undefined && first.upstream !== route.upstream) {
        byRole.set(folded, [first, route]);
      }
    }
  }
  return byRole;
}

function byPathOf(routes: readonly Route[]): ReadonlyMap<string, Route> {
  return new Map(routes.map((route) => [route.path, route]));
}

/** Whether a file has an item, of those with some values. */
function contains(file: RoutesFile, some?: ReadonlySet<string>): (item: ReachItem) => boolean {
  const values = new Map<string, Set<string>>();
  for (const { kind, value } of itemsOf(file)) {
    if (some?.has(value) === false) continue;
    const same = values.get(kind);
    if (same === undefined) values.set(kind, new Set([value]));
    else same.add(value);
  }
  return ({ kind, value }) => values.get(kind)?.has(value) === true;
}

/** Whether nothing of a route is new, nor gone, comments included. */
function isEqual(route: Route, other: Route | undefined): boolean {
  return route.whole.value === other?.whole.value &&
    [route, other].every(({ keys }) => keys.length === 0);
}

/** Equal for routes that send the same token to the same upstream. */
function sends({ token, upstream }: Route): string {
  return `${token} ${upstream}`;
}

/** What is in force where there is no file. */
const NO_ROUTES = '{"routes":[]}';

/**
 * Compares routes, identified by their paths: `token-to-new-upstream`, `changed-token`, `cleartext-http`,
 * `new-upstream`, `changed-upstream`, `changed-auth-scheme`, `takes-requests`, `moved-role`, `new-role`,
 * `unknown-key` and `changed-route`; what goes, `removed-route`, `removed-token`, `removed-role` and
 * `removed-key`; and the host of a new upstream, as in an allowlist.
 */
export function compareRoutes(current: string | null, proposed: string): Findings {
  const { before, judge } = judgeAgainst(current ?? NO_ROUTES);
  const after = readRoutes(proposed);
  const afterByPath = byPathOf(after.routes);
  const added: ReachItem[] = [];
  const marks: Mark[] = [];
  const isNew = (item: ReachItem) => !before.has(item);

  const takings = Map.groupBy(findTakings(before, after.routes, afterByPath), ({ by }) => by);
  for (const route of after.routes) {
    const taken = takings.get(route) ?? [];
    if (taken.length === 0 && isEqual(route, before.byPath.get(route.path))) continue;
    const found = [
      ...(isNew(route.whole) ? markRoute(route, before, judge) : []),
      ...route.keys.filter(({ item }) => isNew(item)).map(markKey),
      ...taken.map(markTaking),
    ];
    if (found.length === 0 && isNew(route.whole) && before.byPath.has(route.path)) {
      found.push(markLess(route));
    }
    const items = [...itemsOfRoute(route).filter(isNew), ...taken.flatMap(itemOfTaking)];
    // An item without a mark of its own is told by one of its route's.
    const lines = new Set(found.map(({ line }) => line));
    added.push(...items.map((item) => {
      return lines.has(item.line) ? item : { ...item, line: found[0]?.line ?? item.line };
    }));
    marks.push(...found);
  }
  const keys = after.keys.filter(({ item }) => isNew(item));
  added.push(...keys.map(({ item }) => item));
  marks.push(...keys.map(markKey));

  const changed = before.routes.filter((was) => !isEqual(was, afterByPath.get(was.path)));
  marks.push(...changed.flatMap((was) => [...markRemoved(was, afterByPath.get(was.path))]));
  const removed = removedKeys(before.keys, after.keys, "the file");
  marks.push(...removed.map((mark): Mark => ({ ...mark, severity: "medium" })));
  if (before.problem !== undefined) marks.push(markProblem(before.problem));

  const gone = itemsOf({ routes: changed, keys: before.keys });
  const remains = gone.length > 0
    ? contains(after, new Set(gone.map(({ value }) => value)))
    : undefined;
  return {
    added: added.toSorted((a, b) => a.line - b.line),
    removed: remains === undefined ? [] : gone.filter((item) => !remains(item)),
    marks,
    // Without a key of the whole file the routes may do anything else.
    isWhole: true,
    tame: [],
    isUnknown: before.problem !== undefined || removed.length > 0,
  };
}

function* markRoute(
  route: Route,
  before: InForce,
  judge: (host: string) => readonly Pick<Mark, "severity" | "rule" | "message">[],
): Generator<Mark> {
  const { path, url, upstream, host, token } = route;
  const was = before.byPath.get(path);
  const at = { side: "new", line: route.line("upstream") } as const;
  const atToken = { side: "new", line: route.line(route.tokenField) } as const;
  const [where, which] = [quote(upstream, 260), `the token ${quote(route.tokenName)}`];
  const replaces = was?.token !== undefined && was.token !== token;

  if (token !== undefined && !before.sends.has(sends(route))) {
    const isMore = before.tokenNames.has(route.tokenName) || replaces ||
      before.credentialed.has(upstream);
    const severity = isMore ? "high" : "medium";
    const message = `${which} would go to ${where}, where it does not go now`;
    const place = was?.upstream === upstream ? atToken : at;
    yield { severity, rule: "token-to-new-upstream", message, ...place };
  } else if (token !== undefined && replaces) {
    const message = `${quote(path)} would send ${which} instead of ${quote(was.tokenName)}`;
    yield { severity: "high", rule: "changed-token", message, ...atToken };
  }
  const isCleartextNew = route.isCleartext && !before.sendsCleartext.has(sends(route));
  if (isCleartextNew) {
    const what = token === undefined ? "requests" : which;
    const message = `${what} would be sent to ${where} in cleartext, over http`;
    const severity = token === undefined ? "medium" : "high";
    yield { severity, rule: "cleartext-http", message, ...at };
  }
  if (!before.upstreams.has(upstream)) {
    const message = `${where} would be a new upstream, for ${quote(path)}`;
    yield { severity: "medium", rule: "new-upstream", message, ...at };
    if (!before.hosts.has(host)) { for (const mark of judge(host)) yield { ...mark, ...at }; }
  } else if (
    was !== undefined && was.url !== url && !(isCleartextNew && was.upstream === upstream)
  ) {
    const isSame = was.upstream === upstream;
    const message = `${quote(path)} would go to ${quote(isSame ? url : upstream, 260)} ` +
      `instead of ${quote(isSame ? was.url : was.upstream, 260)}`;
    const severity = isSame && token === undefined ? "low" : "medium";
    yield { severity, rule: "changed-upstream", message, ...at };
  }
  if (was !== undefined && token !== undefined && was.authScheme !== route.authScheme) {
    const [from, to] = [was.authScheme, route.authScheme]
      .map((scheme) => scheme === undefined ? "none" : quote(scheme));
    const message = `the auth scheme of ${quote(path)} would change from ${from} to ${to}`;
    const line = route.line("auth_scheme");
    yield { severity: "medium", rule: "changed-auth-scheme", message, side: "new", line };
  }
  const had = new Set(was?.roles);
  for (const role of route.roles) {
    if (had.has(role)) continue;
    const line = route.line("role");
    const holder = before.byRole.get(role.toLowerCase())?.find((route) =>
      route.upstream !== upstream
    );
    const message = `${quote(path)} would be for ${quote(role)}` +
      (holder === undefined ? "" : `, which ${quote(holder.path)} is for now`);
    const [severity, rule] = holder === undefined
      ? ["medium", "new-role"] as const
      : ["high", "moved-role"] as const;
    yield { severity, rule, message, side: "new", line };
  }
}

/** Of a route that only lost something the mark is on the side of the file in force; this one is where it is. */
function markLess(route: Route): Mark {
  const message = `${quote(route.path)} would be handled otherwise than now`;
  const line = route.line("path");
  return { severity: "low", rule: "changed-route", message, side: "new", line };
}

function markKey({ name, severity, item: { line } }: OtherKey): Mark {
  const message = `${quote(name)} is not a key that is known here: a proxy may obey it`;
  return { severity, rule: "unknown-key", message, side: "new", line };
}

/** Whose requests a route would take. */
interface Taking {
  readonly by: Route;
  readonly from: Route;
  /** `shorter`: it takes what begins with it, and with no longer path, such as that of `from`. */
  readonly how: "longer" | "shorter" | "removed";
}

/**
 * Finds the routes that would take requests: a new path within one in force takes some of that one's, a
 * new path that others begin with takes what they leave, and a path that others begin with takes the
 * requests of those that go. Cases count as equal, and a path is a mere beginning of text: a proxy that is
 * stricter lets less through. Takes time linear in the paths, once they are sorted.
 */
function* findTakings(
  before: InForce,
  after: readonly Route[],
  afterByPath: ReadonlyMap<string, Route>,
): Generator<Taking> {
  const sorted = [...before.routes, ...after]
    .map((route, n) => ({
      route,
      folded: route.path.toLowerCase(),
      isAfter: n >= before.routes.length,
    }))
    .toSorted((a, b) => a.folded < b.folded ? -1 : a.folded > b.folded ? 1 : 0);
  type Entry = typeof sorted[number];
  /** The paths that the one at hand begins with, the longest last. */
  const around: { readonly before: Entry[]; readonly after: Entry[] } = { before: [], after: [] };
  const takers = new Set<Route>();
  for (const entry of sorted) {
    const { route, folded, isAfter } = entry;
    for (const outer of Object.values(around)) {
      while (outer.length > 0 && !folded.startsWith(outer.at(-1)!.folded)) outer.pop();
    }
    const others = isAfter ? around.before : around.after;
    const isSame = others.at(-1)?.route.path === route.path;
    const outer = others.at(isSame ? -2 : -1)?.route;
    around[isAfter ? "after" : "before"].push(entry);
    if (outer === undefined) continue;
    if (isAfter) {
      if (before.byPath.has(route.path)) continue;
      takers.add(route);
      yield { by: route, from: outer, how: "longer" };
    } else if (!afterByPath.has(route.path)) {
      yield { by: outer, from: route, how: "removed" };
    } else if (!before.byPath.has(outer.path) && !takers.has(outer)) {
      takers.add(outer);
      yield { by: outer, from: route, how: "shorter" };
    }
  }
}

function markTaking({ by, from, how }: Taking): Mark {
  const [taker, other] = [quote(by.path), quote(from.path)];
  const message = {
    longer: `${taker} would take requests that go by ${other} now`,
    shorter:
      `${taker} would take all that begins with it and with no longer path, such as ${other}`,
    removed: `${taker} would take the requests of ${other}, which would go`,
  }[how];
  const isTrusted = from.token !== undefined || from.roles.length > 0;
  const isHigh = how !== "shorter" && by.upstream !== from.upstream && isTrusted;
  const line = by.line("path");
  return {
    severity: isHigh ? "high" : "medium",
    rule: "takes-requests",
    message,
    side: "new",
    line,
  };
}

/** A new path is an item already; one in force that takes more is another one. */
function itemOfTaking({ by, from, how }: Taking): readonly ReachItem[] {
  return how === "removed" ? [{ ...by.whole, value: `${from.path} by ${by.whole.value}` }] : [];
}

function* markRemoved(was: Route, is: Route | undefined): Generator<Mark> {
  const path = quote(was.path);
  const at = { side: "old", line: was.line("path") } as const;
  if (is === undefined) {
    const message = `${path} would no longer go to ${quote(was.upstream, 260)}`;
    yield { severity: "medium", rule: "removed-route", message, ...at };
    return;
  }
  if (was.token !== undefined && is.token === undefined) {
    const message = `${path} would no longer send the token ${quote(was.tokenName)}`;
    const line = was.line("auth_scheme");
    yield { severity: "medium", rule: "removed-token", message, side: "old", line };
  }
  const kept = new Set(is.roles);
  for (const role of was.roles.filter((role) => !kept.has(role))) {
    const message = `${path} would no longer be for ${quote(role)}`;
    const line = was.line("role");
    yield { severity: "low", rule: "removed-role", message, side: "old", line };
  }
  yield* removedKeys(was.keys, is.keys, path);
}

/** Marks the keys that go: what a proxy obeys may be a limit. */
function removedKeys(was: readonly OtherKey[], is: readonly OtherKey[], place: string): Mark[] {
  const names = new Set(is.map(({ name }) => name));
  return was.filter(({ name, isComment }) => !isComment && !names.has(name)).map((key) => {
    const message = `${place} would no longer have the key ${quote(key.name)}`;
    const severity = key.severity === "low" ? "low" : "medium";
    return { severity, rule: "removed-key", message, side: "old", line: key.item.line };
  });
}

/** Says where, and not what is there: that may be a secret. */
function markProblem({ where }: ConfigProblem): Mark {
  const message = `the file in force is invalid (${where}): what is new could not be worked out`;
  const line = Number(/^line (\d+)$/.exec(where)?.[1] ?? 1);
  return { severity: "medium", rule: "unknown-reach", message, side: "old", line };
}
