import { compareConfigFiles, type ReachItem, type Tool, validateConfigFile } from "../../mod.ts";
import { findBreaches, type Floor } from "../../src/policy/floor.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const HOSTS = [
  "a.example",
  "b.a.example",
  "10.1.2.3",
  "localhost",
  "x_y",
  "[::ffff:a01:203]",
  "[::1]",
];

const SCHEMES = ["http://", "https://"];

const anyUpstream = fc.tuple(
  fc.constantFrom(...SCHEMES),
  fc.constantFrom(...HOSTS, "[::ffff:10.1.2.3]", "[0:0::1]"),
  fc.constantFrom("", ":80", ":443", ":8080"),
  fc.constantFrom("", "/", "/v1?q=http://c.example"),
).map((parts) => parts.join(""));

const anyRoute = fc.record({
  path: fc.constantFrom("/a/", "/b/", "/c/d"),
  upstream: anyUpstream,
  note: fc.oneof(anyUpstream, fc.constantFrom(...HOSTS)),
  also: fc.record({ to: anyUpstream, token_env: fc.constant("A") }, { requiredKeys: [] }),
}, { requiredKeys: ["path", "upstream"] }).chain((route) =>
  fc.constantFrom(
    route,
    ...["A", "B c"].map((token_env) => ({ ...route, auth_scheme: "Bearer", token_env })),
  )
);

const anyRoutes = fc.uniqueArray(anyRoute, { selector: ({ path }) => path, maxLength: 3 })
  .map((routes) => JSON.stringify({ routes }));

const anyList = fc.uniqueArray(
  fc.constantFrom("a.example", "*.a.example", "b.a.example", "c.b.a.example", "*.example", "z"),
).map((hosts) => hosts.map((host) => `${host}\n`).join(""));

const anyPair: fc.Arbitrary<readonly [Tool, string, string]> = fc.oneof(
  fc.tuple(fc.constant("cred-proxy-block" as const), anyRoutes, anyRoutes),
  fc.tuple(fc.constant("pipelock-block" as const), anyList, anyList),
);

/** The host of an item, and the token that goes there, by no code of the floor. */
function hostIn({ kind, value }: ReachItem): string {
  if (kind === "host") return value.replace("*.", "");
  const [, token = "", url = value] = /^(.*) to (http.*)$/.exec(value) ?? [];
  const host = URL.parse(url)?.hostname ?? "";
  return token + (host === "[::ffff:a01:203]" ? "10.1.2.3" : host);
}

// Threat: A15
Deno.test("whatever the comparison says that a change adds, the floor sees", () => {
  const seen = new Map<string, number>();
  holds(
    fc.property(anyPair, ([tool, before, after]) => {
      assertEquals(validateConfigFile(tool, after), []);
      const compared = compareConfigFiles(tool, before, after);
      const isBelow = (floor: Partial<Floor>) =>
        findBreaches({ hosts: [], ...floor }, { ...compared, tool, before, after }).length > 0;
      const known = new Set(compareConfigFiles(tool, null, before).added.map(hostIn));
      for (const item of compared.added) {
        const { kind, value } = item;
        if (!["token", "upstream", "host"].includes(kind)) continue;
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
        // The floor is about hosts: another port or scheme is not its concern.
        if (known.has(hostIn(item))) continue;
        if (kind === "token") assert(isBelow({ credentialsOnlyTo: [] }), value);
        else assert(isBelow({ hosts: [hostIn(item)] }), value);
      }
    }),
    500,
  );
  assert(["token", "upstream", "host"].every((kind) => seen.has(kind)), String([...seen]));
});
