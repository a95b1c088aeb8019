import { compareConfigFiles, TOOL_CRED_PROXY_BLOCK as TOOL, validateRoutes } from "../../mod.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

interface RouteInFile {
  readonly path: string;
  readonly upstream: string;
  readonly [other: string]: unknown;
}

interface RoutesFile {
  readonly routes: readonly RouteInFile[];
  readonly [other: string]: unknown;
}

/** Keys whose text changes nothing. */
const COMMENTS = ["note", "$comment"];

/** The keys of a route that are read by name. */
const READ = ["path", "upstream", "token_env", "token_ref", "auth_scheme", "role"];

/** What a key says, with the keys within in one order. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written)}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, each]) => key + written(each)).toSorted()}}`;
}

/** All keys of an object that may matter, but for those that are read by name. */
function others(object: object, read: readonly string[]): string {
  const isRead = ([key, value]: [string, unknown]) =>
    read.includes(key) || COMMENTS.includes(key) && typeof value === "string";
  return written(Object.fromEntries(Object.entries(object).filter((entry) => !isRead(entry))));
}

/**
 * What becomes of a request, by a reading that shares no code with the comparison: of all routes the one
 * with the longest path that the request begins with.
 */
function resolve(file: RoutesFile, request: string, isCaseless: boolean): string | undefined {
  const fold = (path: string) => isCaseless ? path.toLowerCase() : path;
  const [route] = file.routes.filter(({ path }) => fold(request).startsWith(fold(path)))
    .toSorted((a, b) => b.path.length - a.path.length);
  if (route === undefined) return undefined;
  const { path, upstream, token_env, token_ref, auth_scheme, role = [] } = route;
  const [, scheme, host, port, rest] = /^(https?):\/\/([^:/?]+)(?::(\d+))?(.*)$/.exec(upstream)!;
  return JSON.stringify([
    [scheme, host, port ?? (scheme === "http" ? "80" : "443"), rest === "" ? "/" : rest],
    request.slice(path.length),
    [token_env, token_ref, String(auth_scheme).toLowerCase()],
    [...new Set([role].flat())].toSorted(),
    others(route, READ),
    others(file, ["routes"]),
  ]);
}

const segment = fc.constantFrom("a", "b", "A", "ab");

const path = fc.tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom("", "/"))
  .map(([segments, end]) => `/${segments.join("/")}${segments.length === 0 ? "" : end}`);

// deno-fmt-ignore
const upstream = fc.constantFrom(
  "https://x.example", "https://x.example/", "https://x.example:443", "https://x.example/v1", "http://x.example",
  "https://x.example:444", "https://x.example/?q=1", "https://y.example", "http://y.example:80",
);

const token = fc.tuple(
  fc.constantFrom("token_env", "token_ref"),
  fc.constantFrom("T", "U"),
  fc.constantFrom("Bearer", "bearer", "Basic"),
).map(([field, name, auth_scheme]) => ({ [field]: name, auth_scheme }));

const role = fc.constantFrom("x", ["x"], ["x", "y"], ["y", "x"], [], ["x", "x"])
  .map((role) => ({ role }));

const more = fc.constantFrom(
  ...[{ verify: false }, { verify: true }, { retries: 1 }, { h: { a: 1, b: 2 } }],
  ...[{ h: { b: 2, a: 1 } }, { note: "n" }, { note: "m" }, { note: { a: 1 } }],
);

/** Mostly nothing, or changes that leave all as it was would be too few. */
const seldom = (arbitrary: fc.Arbitrary<object>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary });

const anyRoute: fc.Arbitrary<RouteInFile> = fc.tuple(
  fc.record({ path, upstream }),
  seldom(token),
  seldom(role),
  seldom(more),
).map((parts) => Object.assign({}, ...parts));

const distinct = (routes: readonly RouteInFile[]): RouteInFile[] => [
  ...new Map(routes.map((route) => [route.path.toLowerCase(), route])).values(),
];

const anyFile: fc.Arbitrary<RoutesFile> = fc.tuple(
  fc.array(anyRoute, { maxLength: 5 }),
  seldom(fc.constantFrom({ verify: false }, { $comment: "c" }, { $comment: "d" }, { a: [1] })),
).map(([routes, more]) => ({ routes: distinct(routes), ...more }));

function omit<T extends object>(object: T, key: string): T {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key)) as T;
}

/** One change of a file; most leave nothing new. */
const anyEdit: fc.Arbitrary<(file: RoutesFile) => RoutesFile> = fc.tuple(
  // deno-fmt-ignore
  fc.constantFrom("remove", "less", "reverse", "spell", "comment", "key", "add", "change", "top", "keys"),
  fc.nat(),
  anyRoute,
  more,
).map(([how, n, route, more]) => (file) => {
  const at = n % Math.max(1, file.routes.length);
  const one = (edit: (route: RouteInFile) => RouteInFile) =>
    file.routes.map((each, index) => index === at ? edit(each) : each);
  switch (how) {
    case "remove":
      return { ...file, routes: file.routes.toSpliced(at, 1) };
    case "less": {
      const [key = "", ...others] = Object.keys(file).filter((key) => key !== "routes");
      if (others.length > 0 || n % 2 === 0) return omit(file, key);
      return {
        ...file,
        routes: one((each) => {
          const keys = Object.keys(each).filter((key) => key === "role" || !READ.includes(key));
          return omit(each, keys[n % keys.length] ?? "");
        }),
      };
    }
    case "reverse":
      return { ...file, routes: file.routes.toReversed() };
    case "keys":
      return {
        ...file,
        routes: one((each) => Object.fromEntries(Object.entries(each).toReversed()) as RouteInFile),
      };
    case "spell":
      return {
        ...file,
        routes: one((each) => ({
          ...each,
          upstream: each.upstream.replace(/^https:\/\/([a-z.]+)\/?$/, "https://$1:443/"),
          ...typeof each.role === "string" && { role: [each.role] },
          ...typeof each.auth_scheme === "string" &&
            { auth_scheme: each.auth_scheme.toUpperCase() },
        })),
      };
    case "comment":
      return { ...file, routes: one((each) => "note" in each ? { ...each, note: "other" } : each) };
    case "key":
      return { ...file, routes: one((each) => ({ ...each, ...more })) };
    case "add":
      return { ...file, routes: distinct([...file.routes, route]) };
    case "change":
      return { ...file, routes: one(({ path }) => ({ ...route, path })) };
    default:
      return { ...file, ...more };
  }
});

const requests = fc.array(
  fc.tuple(path, fc.constantFrom("", "/", "/c", "b", "/A/b")).map((parts) => parts.join("")),
  { minLength: 4, maxLength: 8 },
);

const text = (file: RoutesFile) => JSON.stringify(file);

/** Every request gets what it got before, or nothing. */
function assertNothingNew(before: RoutesFile, after: RoutesFile, probes: readonly string[]): void {
  const atRoutes = after.routes.flatMap(({ path }) => [path, `${path}z`, `${path}/z`]);
  const within = before.routes.flatMap(({ path }) => [path, `${path}z`, `${path}/z`]);
  for (const request of [...probes, ...atRoutes, ...within]) {
    for (const isCaseless of [false, true]) {
      const now = resolve(after, request, isCaseless);
      if (now !== undefined) assertEquals(now, resolve(before, request, isCaseless), request);
    }
  }
}

// Threat: A10
Deno.test("compareConfigFiles() says no-new-reach of routes only where each request gets what it got, or nothing", () => {
  let proven = 0;
  const edited = fc.tuple(anyFile, fc.array(anyEdit, { minLength: 1, maxLength: 3 }))
    .map(([before, edits]) => [before, edits.reduce((file, edit) => edit(file), before)] as const);
  const pairs = fc.oneof({ weight: 5, arbitrary: edited }, fc.tuple(anyFile, anyFile));
  holds(
    fc.property(pairs, requests, ([before, after], probes) => {
      assertEquals([validateRoutes(text(before)), validateRoutes(text(after))], [[], []]);
      const { reach, added } = compareConfigFiles(TOOL, text(before), text(after));
      if (reach !== "no-new-reach") return;
      proven++;
      assertEquals(added, []);
      assertNothingNew(before, after, probes);
    }),
    4000,
  );
  assert(proven > 400, `only ${proven} pairs tried the proof`);
});

// Threat: A10
Deno.test("a hundred changes of routes, each without new reach, gain nothing", () => {
  const edits = fc.array(anyEdit, { minLength: 100, maxLength: 100 });
  holds(
    fc.property(anyFile, edits, requests, (first, edits, probes) => {
      let file = first;
      for (const edit of edits) {
        const next = edit(file);
        const { reach } = compareConfigFiles(TOOL, text(file), text(next));
        if (reach === "no-new-reach") file = next;
      }
      assertNothingNew(first, file, probes);
    }),
    60,
  );
});

Deno.test("compareConfigFiles() finds nothing new in routes that only go, where none is within another", () => {
  const file = fc.uniqueArray(fc.constantFrom("/a/", "/b/", "/c/", "/d/e/"), { minLength: 1 })
    .chain((paths) =>
      fc.tuple(...paths.map((path) => anyRoute.map((route) => ({ ...route, path }))))
    );
  holds(fc.property(file, fc.nat(), (routes, n) => {
    const fewer = routes.toSpliced(n % routes.length, 1).toReversed();
    const { reach, added } = compareConfigFiles(TOOL, text({ routes }), text({ routes: fewer }));
    assertEquals([reach, added], ["no-new-reach", []]);
  }));
});
