import {
  compareConfigFiles,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
  validateAllowlist,
  validateRoutes,
} from "../../mod.ts";
import { BUILT_IN, findBreaches, type Floor } from "../../src/policy/floor.ts";
import { readHostAnswers } from "../support/enforcers.ts";
import { assert, assertEquals } from "@std/assert";

/** The hosts of a change of `routes.json` that are below a floor, each once. */
function below(floor: Partial<Floor>, before: object | null, after: object): readonly string[] {
  const [from, to] = [before === null ? null : JSON.stringify(before), JSON.stringify(after)];
  const compared = compareConfigFiles(TOOL_CRED_PROXY_BLOCK, from, to);
  const change = { ...compared, tool: TOOL_CRED_PROXY_BLOCK, before: from, after: to } as const;
  return [...new Set(findBreaches({ hosts: [], ...floor }, change).map(({ value }) => value))];
}

const route = (keys: object) => ({
  routes: [{ path: "/x/", upstream: "https://a.example", ...keys }],
});

/** How a valid `routes.json` can write a host under a key that has no meaning here. */
const SPELLINGS: readonly (readonly [string, string])[] = [
  ["http://169.254.169.254/latest", "169.254.169.254"],
  ["http://169.254.169.254:99999/", "169.254.169.254"],
  ["HTTP://2852039166/", "169.254.169.254"],
  ["http://0xa9fea9fe/", "169.254.169.254"],
  ["http://0251.0376.0251.0376/", "169.254.169.254"],
  ["http://169.254.43518/", "169.254.169.254"],
  ["http://%31%36%39.254.169.254/", "169.254.169.254"],
  ["http://\uff11\uff16\uff19.254.169.254/", "169.254.169.254"],
  ["http://a:b@169.254.169.254/", "169.254.169.254"],
  ["http://169.254.169.254@a.example/", "169.254.169.254"],
  ["http://a.example\\@169.254.169.254/", "169.254.169.254"],
  ["http:\\\\169.254.169.254\\", "169.254.169.254"],
  ["http:/169.254.169.254", "169.254.169.254"],
  ["http:169.254.169.254", "169.254.169.254"],
  ["//169.254.169.254/", "169.254.169.254"],
  ["http://169.254.\n169.254/", "169.254.169.254"],
  ["socks5://169.254.169.254:1080", "169.254.169.254"],
  ["169.254.169.254", "169.254.169.254"],
  ["169.254.169.254:80", "169.254.169.254"],
  ["169.254.169.254/latest", "169.254.169.254"],
  ["a@169.254.169.254", "169.254.169.254"],
  ["a.example, 169.254.169.254", "169.254.169.254"],
  ["2852039166", "169.254.169.254"],
  ["0xA9FEA9FE", "169.254.169.254"],
  ["http://[::ffff:a9fe:a9fe]/", "169.254.169.254"],
  ["http://[::ffff:0:169.254.169.254]/", "169.254.169.254"],
  ["http://[64:ff9b::169.254.169.254]/", "169.254.169.254"],
  ["[::FFFF:169.254.169.254]:80", "169.254.169.254"],
  ["::ffff:169.254.169.254", "169.254.169.254"],
  ["http://[fe80::1%25eth0]/", "[fe80::1]"],
  ["fe80::1%eth0", "[fe80::1]"],
  ["::1", "[::1]"],
  ["127.1", "127.0.0.1"],
  ["localhost", "localhost"],
  ["LOCALHOST.", "localhost"],
  ["http://localhost./", "localhost"],
  ["metadata", "metadata"],
  ["Metadata.Google.Internal.", "metadata.google.internal"],
  ["metadata\u3002google\u3002internal", "metadata.google.internal"],
  ["*.internal", "*.internal"],
];

// Threat: A15
Deno.test.each(SPELLINGS.map(([text, host]) => [text, host]))(
  "the floor sees what %j leads to, in a value, a list, an object and a key",
  (text, host) => {
    const isWord = /^[\w.]+$/.test(text) && !/\.\w/.test(text) || text === "127.1";
    const places = [{ via: text }, { via: [text] }, { a: { path: text, " Role": text } }];
    if (!isWord && !text.includes("\u3002")) places.push({ a: { [text]: 1 } } as never);
    for (const keys of places) {
      for (const file of [route(keys), { ...route({}), ...keys }]) {
        assertEquals(validateRoutes(JSON.stringify(file)), []);
        assertEquals(below(BUILT_IN, null, file), [host]);
        assertEquals(below(BUILT_IN, file, file), []);
      }
    }
  },
);

// Threat: A15
Deno.test.each([
  "server 169.254.169.254:80 weight=1",
  "host=169.254.169.254",
  "tcp:169.254.169.254:80",
  "http+unix:169.254.169.254",
  "dns:///169.254.169.254",
  "(169.254.169.254)",
  '{"host":"169.254.169.254"}',
  "169.254.169.254:8080->80",
  "https://a.example/?to=169.254.169.254",
  "https://a.example, then 169.254.169.254",
  2852039166,
])("the floor sees an address between other words: %j", (text) => {
  assertEquals(below(BUILT_IN, null, route({ via: text })), ["169.254.169.254"]);
  assertEquals(below(BUILT_IN, route({ via: text }), route({ via: text })), []);
});

// Threat: A15
Deno.test("the floor sees a name with a dot or a port between other words, and sends no token there", () => {
  const floor = { hosts: ["*.corp.example", "vault"], credentialsOnlyTo: ["a.example"] };
  const found = (via: string) =>
    below(floor, null, route({ via, auth_scheme: "Bearer", token_env: "A" }));
  for (
    const text of [
      "pass x.corp.example",
      "x.corp.example=1",
      "dns:x.corp.example",
      "x.corp.example!",
    ]
  ) {
    assert(found(text).includes("x.corp.example"), text);
  }
  assertEquals(found("pass .corp.example"), ["corp.example"]);
  assertEquals(found("to vault:443"), ["vault"]);
  assertEquals(found("read README.md of v1.x, the vault is full"), []);
});

Deno.test("the floor takes no number, version, time, path or text for a host", () => {
  const others = ["0", "30", "1.2", "0.1.0", "1.27.3", "12:30", "12:30:00", "::", "/metadata", ""];
  const texts = ["asks for metadata, on localhost", "it is on localhost", "a/localhost"];
  for (const text of [...others, ...texts]) {
    assertEquals(below(BUILT_IN, null, route({ a: text })), []);
  }
  assertEquals(below(BUILT_IN, null, route({ metadata: { localhost: true } })), []);
  for (const number of [0, 127, 1e6, -1, 0.5, 2 ** 31 - 1, 2 ** 40]) {
    assertEquals(below(BUILT_IN, null, route({ a: number })), []);
  }
  const named = { auth_scheme: "metadata", token_env: "LOCALHOST", role: "localhost" };
  assertEquals(below(BUILT_IN, null, route(named)), []);
});

// Threat: A15
Deno.test("what a file in force says elsewhere is not in force as an upstream", () => {
  const upstream = { routes: [{ path: "/x/", upstream: "http://169.254.169.254" }] };
  const note = route({ note: "never http://169.254.169.254/" });
  assertEquals(below(BUILT_IN, note, upstream), ["169.254.169.254"]);
  assertEquals(below(BUILT_IN, note, { ...note, a: "169.254.169.254" }), ["169.254.169.254"]);
  assertEquals(below(BUILT_IN, upstream, route({ note: "http://169.254.169.254/" })), []);
  const token = { auth_scheme: "Bearer", token_env: "A" };
  const sent = route({ ...token, note: "see https://evil.example/" });
  const floor = { credentialsOnlyTo: ["a.example", "evil.example.org"] };
  assertEquals(below(floor, sent, sent), []);
  assertEquals(below(floor, sent, route({ ...token, upstream: "https://evil.example" })), [
    "evil.example",
  ]);
});

// Threat: A15
Deno.test("the floor sees each host and token of a policy in every notation", () => {
  const inner = (upstream: string) => below({ hosts: ["10.1.2.3"] }, null, route({ upstream }));
  assertEquals(inner("https://[::ffff:10.1.2.3]"), ["10.1.2.3"]);
  assertEquals(inner("https://[64:ff9b::a01:203]:8443"), ["10.1.2.3"]);
  const mapped = { hosts: ["[::ffff:a01:203]"] };
  assertEquals(below(mapped, null, route({ upstream: "https://10.1.2.3" })), ["10.1.2.3"]);
  const vault = { hosts: ["vault"] };
  assertEquals(below(vault, null, route({ backend: "Vault" })), ["vault"]);
  assertEquals(below(vault, null, route({ backend: "http://vault./x" })), ["vault"]);
  const floor = { credentialsOnlyTo: ["api.example"] };
  const nested = (key: string) => route({ also: { [key]: "A", to: "https://evil.example" } });
  for (const key of ["token_env", "Token_Ref", "token_env\u200b", " token\u00a0_ref"]) {
    assertEquals(below(floor, null, nested(key)), ["a.example", "evil.example"]);
  }
  assertEquals(below(floor, null, { ...route({}), token_env: "A" }), ["a.example"]);
});

// Threat: A15
Deno.test("whatever any program lets through by an allowlist, the floor sees", () => {
  const answers = readHostAnswers().filter(({ allowed }) => allowed);
  let seen = 0;
  for (const { enforcer, pattern, host } of answers) {
    // What no host's name has, and lists that the validator refuses, cannot be approved.
    if (!/^[a-z0-9.-]+[a-z0-9]$/i.test(host) || validateAllowlist(pattern).length > 0) continue;
    if (!["pipelock-matchdomain", "squid", "tinyproxy", "nginx"].includes(enforcer)) continue;
    const floor = { hosts: [host.toLowerCase()] };
    const compared = compareConfigFiles(TOOL_PIPELOCK_BLOCK, null, pattern);
    const change = {
      ...compared,
      tool: TOOL_PIPELOCK_BLOCK,
      before: null,
      after: pattern,
    } as const;
    assert(findBreaches(floor, change).length > 0, `${enforcer}: ${pattern} lets ${host} through`);
    seen++;
  }
  assert(seen > 20, String(seen));
});
