import {
  compareConfigFiles,
  marksFor,
  sha256Hex,
  TOOL_CRED_PROXY_BLOCK as TOOL,
  validateRoutes,
} from "../../mod.ts";
import { compareRoutes } from "../../src/config/routes/compare.ts";
import { reachOfRoutes } from "../../src/config/routes/read.ts";
import { type MarkedChange, marksInShort } from "../support/marks.ts";
import { countWork } from "../support/work.ts";
import { assert, assertEquals } from "@std/assert";

const IN_FORCE = `{
  "routes": [
    {
      "path": "/anthropic/",
      "upstream": "https://api.anthropic.com",
      "auth_scheme": "Bearer",
      "token_ref": "anthropic",
      "role": "anthropic-base-url"
    },
    {
      "path": "/npm/",
      "upstream": "https://packages.example.org/",
      "role": "npm-registry"
    },
    {
      "path": "/gitea/",
      "upstream": "http://gitea:3000",
      "auth_scheme": "token",
      "token_env": "GITEA_TOKEN"
    },
    {
      "path": "/docs/",
      "upstream": "http://docs.internal.example"
    }
  ]
}
`;

/** The file in force with some of its text replaced. */
function change(...replaced: readonly (readonly [from: string, to: string])[]): string {
  return replaced.reduce((text, [from, to]) => {
    assertEquals(text.split(from).length, 2, `${from} stands there once`);
    return text.replace(from, to);
  }, IN_FORCE);
}

/** The file in force with one more route, which begins on line 25. */
function more(...fields: readonly string[]): string {
  const route = `    {\n${fields.map((field) => `      ${field}`).join(",\n")}\n    }`;
  return IN_FORCE.replace("    }\n  ]", `    },\n${route}\n  ]`);
}

const PATH = '"path": "/github/"';

const GITHUB = '"upstream": "https://api.github.com"';

const SCHEME = '"auth_scheme": "token"';

const NOTICED: readonly MarkedChange[] = [
  [
    "a new route with a token",
    more(PATH, GITHUB, SCHEME, '"token_ref": "github-readonly"'),
    "medium token-to-new-upstream +27",
    "medium new-upstream +27",
  ],
  [
    "a token in force that would go elsewhere",
    change(["https://api.anthropic.com", "https://llm.vendor.net"]),
    "high token-to-new-upstream +5",
    "medium new-upstream +5",
  ],
  [
    "a token in force that would go to another upstream in force",
    change(["https://api.anthropic.com", "https://packages.example.org"]),
    "high token-to-new-upstream +5",
    "medium changed-upstream +5",
  ],
  [
    "a token in force on a new route",
    more(PATH, GITHUB, '"auth_scheme": "Bearer"', '"token_ref": "anthropic"'),
    "high token-to-new-upstream +27",
    "medium new-upstream +27",
  ],
  [
    "another token for the same upstream",
    change(['"token_ref": "anthropic"', '"token_ref": "anthropic-admin"']),
    "high token-to-new-upstream +7",
  ],
  [
    "a token of the environment instead of one by reference",
    change(['"token_ref": "anthropic"', '"token_env": "anthropic"']),
    "high token-to-new-upstream +7",
  ],
  [
    "a token for an upstream that had none",
    change(['"role": "npm-registry"', '"auth_scheme": "Bearer", "token_ref": "anthropic"']),
    "high token-to-new-upstream +13",
    "medium changed-auth-scheme +13",
    "low removed-role -13",
  ],
  [
    "a token to another port of the same host",
    change(["gitea:3000", "gitea:3001"]),
    "high token-to-new-upstream +17",
    "high cleartext-http +17",
    "medium new-upstream +17",
  ],
  ["a new upstream", more(PATH, GITHUB), "medium new-upstream +27"],
  [
    "a new upstream for a path in force",
    change(["https://packages.example.org/", "https://mirror.other.net/"]),
    "medium new-upstream +12",
  ],
  [
    "an upstream in force for another path in force",
    change(["https://packages.example.org/", "https://api.anthropic.com/"]),
    "medium changed-upstream +12",
  ],
  [
    "a new port of a host in force",
    change(["docs.internal.example", "docs.internal.example:8080"]),
    "medium cleartext-http +23",
    "medium new-upstream +23",
  ],
  [
    "an upstream on the machine itself",
    more(PATH, '"upstream": "http://127.0.0.1:2375"'),
    "high inside-host +27",
    "medium cleartext-http +27",
    "medium new-upstream +27",
  ],
  [
    "an upstream that is an IPv6 address",
    more(PATH, '"upstream": "https://[fd00::1]:8443"'),
    "high inside-host +27",
    "medium new-upstream +27",
  ],
  [
    "cleartext where TLS was, with a token",
    change(["https://api.anthropic.com", "http://api.anthropic.com"]),
    "high cleartext-http +5",
  ],
  [
    "cleartext where TLS was, without a token",
    change(["https://packages", "http://packages"]),
    "medium cleartext-http +12",
  ],
  [
    "a token over an upstream's cleartext",
    change([
      '"upstream": "http://docs.internal.example"',
      '"upstream": "http://docs.internal.example",\n' +
      '      "auth_scheme": "Bearer",\n      "token_ref": "docs"',
    ]),
    "high cleartext-http +23",
    "medium changed-auth-scheme +24",
    "medium token-to-new-upstream +25",
  ],
  [
    "a removed route",
    change([
      ',\n    {\n      "path": "/docs/",\n      "upstream": "http://docs.internal.example"\n    }',
      "",
    ]),
    "medium removed-route -22",
  ],
  [
    "all routes removed",
    '{"routes": []}',
    "medium removed-route -4",
    "medium removed-route -11",
    "medium removed-route -16",
    "medium removed-route -22",
  ],
  [
    "a renamed path",
    change(["/docs/", "/handbook/"]),
    "medium removed-route -22",
    "low new-route +22",
  ],
  [
    "another auth scheme",
    change(['"auth_scheme": "Bearer"', '"auth_scheme": "x-api-key"']),
    "medium changed-auth-scheme +6",
  ],
  [
    "a token that would be sent no more",
    change(['\n      "auth_scheme": "token",\n      "token_env": "GITEA_TOKEN"', '\n      "x": 1']),
    "medium cleartext-http +17",
    "medium unknown-key +18",
    "medium removed-token -18",
  ],
  [
    "an upstream that looks like one in force",
    more(PATH, '"upstream": "https://api.anthr0pic.com"'),
    "high lookalike-host +27",
    "medium new-upstream +27",
  ],
  [
    "an upstream that contains one in force",
    more(PATH, '"upstream": "https://api.anthropic.com.evil.example"'),
    "high lookalike-host +27",
    "medium new-upstream +27",
  ],
  [
    "an upstream that has the name of one in force",
    more(PATH, '"upstream": "https://packages.example.com"'),
    "medium new-upstream +27",
    "medium lookalike-host +27",
  ],
  [
    "a tunnel",
    more(PATH, '"upstream": "https://a.ngrok.io"'),
    "high paste-or-tunnel +27",
    "medium new-upstream +27",
  ],
  [
    "an upstream in punycode",
    more(PATH, '"upstream": "https://xn--gthub-n4a.com"'),
    "high punycode-host +27",
    "medium new-upstream +27",
  ],
  [
    "another token that goes to the same upstream by another path",
    more(
      PATH,
      '"upstream": "https://packages.example.org"',
      SCHEME,
      '"token_ref": "publish"',
    ),
    "medium token-to-new-upstream +27",
  ],
  [
    "a second token for an upstream that gets one",
    more(PATH, '"upstream": "https://api.anthropic.com"', SCHEME, '"token_ref": "admin"'),
    "high token-to-new-upstream +27",
  ],
  [
    "another path of the same upstream",
    change(["packages.example.org/", "packages.example.org/v2/"]),
    "low changed-upstream +12",
  ],
  [
    "another path of the same upstream, with a token",
    change(["api.anthropic.com", "api.anthropic.com/admin"]),
    "medium changed-upstream +5",
  ],
  [
    "a query",
    change(["https://packages.example.org/", "https://packages.example.org/?a=1"]),
    "low changed-upstream +12",
  ],
  ["TLS where cleartext was", change(["http://docs", "https://docs"]), "low changed-upstream +23"],
  [
    "another path to an upstream in force",
    more('"path": "/yarn/"', '"upstream": "https://packages.example.org"'),
    "low new-route +26",
  ],
  [
    "another path to an upstream in force, with its token",
    more(
      '"path": "/claude/"',
      '"upstream": "https://api.anthropic.com"',
      '"auth_scheme": "Bearer"',
      '"token_ref": "anthropic"',
    ),
    "low new-route +26",
  ],
  [
    "another path to cleartext in force, with its token",
    more(
      '"path": "/g/"',
      '"upstream": "http://gitea:3000/api"',
      '"auth_scheme": "token"',
      '"token_env": "GITEA_TOKEN"',
    ),
    "low new-route +26",
    "low new-upstream +27",
  ],
  [
    "a role less",
    change([',\n      "role": "npm-registry"', ""]),
    "low changed-route +11",
    "low removed-role -13",
  ],
  [
    "a role more",
    change(['"role": "npm-registry"', '"role": ["npm-registry", "mirror"]']),
    "medium new-role +13",
  ],
  [
    "a role that another route has",
    change(['"role": "npm-registry"', '"role": "x"'], [
      '"http://docs.internal.example"',
      '"http://docs.internal.example",\n "role": "npm-registry"',
    ]),
    "high moved-role +24",
    "medium new-role +13",
    "low removed-role -13",
  ],
  [
    "a path within another one",
    more('"path": "/anthropic/v1/messages"', '"upstream": "https://packages.example.org"'),
    "high takes-requests +26",
  ],
  [
    "a path within another one, in another case",
    more('"path": "/ANTHROPIC/v1"', '"upstream": "https://packages.example.org"'),
    "high takes-requests +26",
  ],
  [
    "a path within another one, to the same upstream",
    more('"path": "/gitea/api/"', '"upstream": "http://gitea:3000/x"'),
    "medium takes-requests +26",
    "medium cleartext-http +27",
  ],
  [
    "a path without the slash of another one",
    more('"path": "/anthropic"', '"upstream": "https://packages.example.org"'),
    "medium takes-requests +26",
  ],
  [
    "a path for every request",
    more('"path": "/"', '"upstream": "https://packages.example.org"'),
    "medium takes-requests +26",
  ],
  [
    "a key that decides where requests go",
    change(['"path": "/npm/",', '"path": "/npm/",\n"fallbackUpstream": "https://x.example",']),
    "high unknown-key +12",
  ],
  [
    "a key that ends a check",
    change(['"path": "/npm/",', '"path": "/npm/",\n"tls-verify": false,']),
    "high unknown-key +12",
  ],
  [
    "a key within a key",
    change(['"path": "/npm/",', '"path": "/npm/",\n"note": {"Headers": {"Host": "x"}},']),
    "high unknown-key +12",
  ],
  [
    "a key that no list has",
    change(['"path": "/npm/",', '"path": "/npm/",\n"frobnicate": 1,']),
    "medium unknown-key +12",
  ],
  [
    "a tame key",
    change(['"path": "/npm/",', '"path": "/npm/",\n"timeout_s": 30,']),
    "low unknown-key +12",
  ],
  [
    "a comment where none is",
    change(['"path": "/npm/",', '"path": "/npm/",\n"note": "http://evil.example",']),
    "low unknown-key +12",
  ],
  [
    "a key of the whole file",
    change(['"routes"', '"defaults": {"upstream": "https://x.example"},\n  "routes"']),
    "high unknown-key +2",
  ],
  [
    "two things at once",
    change(["/docs/", "/handbook/"], ['"token_ref": "anthropic"', '"token_ref": "x"']),
    "high token-to-new-upstream +7",
    "medium removed-route -22",
    "low new-route +22",
  ],
  [
    "a new route in a file on one line",
    JSON.stringify({
      routes: [...JSON.parse(IN_FORCE).routes, { path: "/x", upstream: "https://x.y" }],
    }),
    "medium new-upstream +1",
  ],
];

for (const [what, proposed, ...marks] of NOTICED) {
  // Threat: A10
  Deno.test(`marksFor() notices in routes ${what}`, () => {
    assertEquals(validateRoutes(proposed), []);
    assertEquals(marksInShort(TOOL, IN_FORCE, proposed), marks);
    const { reach, added } = compareConfigFiles(TOOL, IN_FORCE, proposed);
    const isLess = marks.every((mark) => mark.includes(" removed-route "));
    assertEquals(reach, isLess ? "no-new-reach" : "new-reach");
    assertEquals(added.length === 0, isLess);
  });
}

const parsed = () => JSON.parse(IN_FORCE);

const HARMLESS: readonly (readonly [what: string, proposed: string])[] = [
  ["nothing changed", IN_FORCE],
  ["another layout", JSON.stringify(parsed())],
  ["four spaces", JSON.stringify(parsed(), null, 4)],
  ["CRLF line ends", IN_FORCE.replaceAll("\n", "\r\n")],
  ["blank lines", IN_FORCE.replaceAll("\n", "\n\n")],
  ["no LF at the end", IN_FORCE.trimEnd()],
  [
    "the routes in another order",
    JSON.stringify({ routes: parsed().routes.toReversed() }, null, 2),
  ],
  [
    "the keys in another order",
    JSON.stringify({
      routes: parsed().routes.map((route: object) =>
        Object.fromEntries(Object.entries(route).toReversed())
      ),
    }),
  ],
  ["escapes that mean the same", change(['"/npm/"', '"\\u002fnpm\\/"'])],
  ["a slash behind the host", change(["https://api.anthropic.com", "https://api.anthropic.com/"])],
  [
    "no slash behind the host",
    change(["https://packages.example.org/", "https://packages.example.org"]),
  ],
  ["the scheme's own port", change(["https://api.anthropic.com", "https://api.anthropic.com:443"])],
  ["the scheme's own port of http", change(["docs.internal.example", "docs.internal.example:80"])],
  ["an auth scheme in lower case", change(['"Bearer"', '"bearer"'])],
  ["a role in an array of one", change(['"npm-registry"', '["npm-registry"]'])],
  ["a role twice on its route", change(['"npm-registry"', '["npm-registry", "npm-registry"]'])],
  [
    "an empty array of roles",
    change(['"http://docs.internal.example"', '"http://docs.internal.example", "role": []']),
  ],
];

for (const [what, proposed] of HARMLESS) {
  Deno.test(`marksFor() finds nothing to notice in routes: ${what}`, () => {
    assertEquals(validateRoutes(proposed), []);
    const { reach, added, removed, marks } = compareConfigFiles(TOOL, IN_FORCE, proposed);
    assertEquals([reach, added, removed, marks], ["no-new-reach", [], [], []]);
  });
}

Deno.test("marksFor() takes all routes for new where none are in force", () => {
  assertEquals(marksInShort(TOOL, null, IN_FORCE), [
    "high cleartext-http +17",
    "medium token-to-new-upstream +5",
    "medium new-upstream +5",
    "medium new-role +8",
    "medium new-upstream +12",
    "medium new-role +13",
    "medium token-to-new-upstream +17",
    "medium new-upstream +17",
    "medium inside-host +17",
    "medium cleartext-http +23",
    "medium new-upstream +23",
  ]);
});

/** A file of routes. */
const fileOf = (routes: readonly Readonly<Record<string, unknown>>[], more = {}) =>
  JSON.stringify({ routes, ...more });

const SITE = { path: "/", upstream: "https://site.example" };

const API = { path: "/api/", upstream: "https://api.example" };

/** Changes of other files in force, with the verdict and the marks. */
const OTHERS: readonly (readonly [
  what: string,
  current: string,
  proposed: string,
  reach: string,
  ...marks: string[],
])[] = [
  [
    "a route that goes and leaves its requests to a shorter path",
    fileOf([SITE, { ...API, role: "api" }]),
    fileOf([SITE]),
    "new-reach",
    "high takes-requests +1",
    "medium removed-route -1",
  ],
  [
    "a route that goes, and the one around it too",
    fileOf([SITE, API]),
    fileOf([]),
    "no-new-reach",
    "medium removed-route -1",
    "medium removed-route -1",
  ],
  [
    "a longer path that goes, and a shorter one that stays beside it",
    fileOf([{ ...SITE, path: "/ap/" }, API]),
    fileOf([{ ...SITE, path: "/ap/" }]),
    "no-new-reach",
    "medium removed-route -1",
  ],
  [
    "a route that goes beside one that has another one within",
    fileOf([API, { ...API, path: "/api/v1/" }, { ...API, path: "/c/" }]),
    fileOf([API, { ...API, path: "/api/v1/" }]),
    "no-new-reach",
    "medium removed-route -1",
  ],
  [
    "a known token that takes the place of another one",
    fileOf([
      { ...API, auth_scheme: "Bearer", token_ref: "read" },
      { ...API, path: "/w/", auth_scheme: "Bearer", token_ref: "write" },
    ]),
    fileOf([
      { ...API, auth_scheme: "Bearer", token_ref: "write" },
      { ...API, path: "/w/", auth_scheme: "Bearer", token_ref: "write" },
    ]),
    "new-reach",
    "high changed-token +1",
  ],
  [
    "another text of a comment",
    fileOf([{ ...API, note: "read-only", "//": ["a"] }], { $comment: "x" }),
    fileOf([{ ...API, note: "since May", "//": ["b", "c"] }], {
      $comment: "not https://x.example",
    }),
    "no-new-reach",
  ],
  [
    "comments that go",
    fileOf([{ ...API, note: "read-only" }], { owner: "x" }),
    fileOf([API]),
    "no-new-reach",
  ],
  [
    "a comment that would be more than text",
    fileOf([{ ...API, note: "x" }]),
    fileOf([{ ...API, note: { note: "x" } }]),
    "new-reach",
    "low unknown-key +1",
  ],
  [
    "keys within a key in another order",
    fileOf([{ ...API, x: { a: [1, { c: 1, d: 2 }], b: 2 } }]),
    fileOf([{ ...API, x: { b: 2, a: [1, { d: 2, c: 1 }] } }]),
    "no-new-reach",
  ],
  [
    "a number of the same value",
    '{"routes":[],"version":1}',
    '{"routes":[],"version":1.0}',
    "no-new-reach",
  ],
  [
    "another value of a key",
    fileOf([API], { methods: ["GET"] }),
    fileOf([API], { methods: ["GET", "POST"] }),
    "new-reach",
    "high unknown-key +1",
  ],
  [
    "a limit of a route that goes",
    fileOf([{ ...API, methods: ["GET"] }]),
    fileOf([API]),
    "new-reach",
    "medium removed-key -1",
    "low changed-route +1",
  ],
  [
    "a limit of the whole file that goes",
    fileOf([API], { methods: ["GET"] }),
    fileOf([API]),
    "unknown",
    "medium removed-key -1",
  ],
  [
    "a file in force that is no JSON",
    "{",
    fileOf([]),
    "unknown",
    "medium unknown-reach -1",
  ],
  [
    "a file in force that nests too deep",
    `{"routes":[],"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    fileOf([]),
    "unknown",
    "medium unknown-reach -1",
  ],
  [
    "a file in force that two readers take differently",
    fileOf([API, { ...API, path: "/API/" }]),
    fileOf([API]),
    "unknown",
    "medium unknown-reach -1",
    "medium removed-route -1",
  ],
];

for (const [what, current, proposed, reach, ...marks] of OTHERS) {
  // Threat: A10
  Deno.test(`compareConfigFiles() finds ${reach} in routes: ${what}`, () => {
    assertEquals(validateRoutes(proposed), []);
    assertEquals(compareConfigFiles(TOOL, current, proposed).reach, reach);
    assertEquals(marksInShort(TOOL, current, proposed).toSorted(), marks.toSorted());
  });
}

Deno.test("reachOfRoutes() gives each thing one spelling and its line, and hides what may be a secret", () => {
  const text = `{"routes": [
    {"path": "/npm/", "role": ["b", "a c"],
     "upstream": "https://a.example:443/?key=hunter2",
     "auth_scheme": "BEARER", "token_env": "NPM",
     "headers": {"x": "hunter2"}, "note": "hunter2"}],
    "limit": 3}`;
  const hidden = (text: string) => `#${sha256Hex(text).slice(0, 32)}`;
  const url = `https://a.example/?${hidden("key=hunter2")}`;
  const headers = `headers: ${hidden('{"x":"hunter2"}')} of /npm/`;
  const items = reachOfRoutes(text).map(({ kind, value, line }) => `${line} ${kind} ${value}`);
  assertEquals(items, [
    `2 route /npm/ to ${url} with token_env NPM as bearer for "a c" for b and ${headers}`,
    `3 upstream ${url}`,
    "4 token token_env NPM to https://a.example",
    `2 role "a c" to ${url}`,
    `2 role b to ${url}`,
    `5 key ${headers}`,
    "5 key note of /npm/",
    "6 key limit: 3",
  ]);
  assertEquals(reachOfRoutes("{"), []);
});

Deno.test("marksFor() names the token and where it would go", () => {
  const [mark] = marksFor(TOOL, IN_FORCE, change(["api.anthropic.com", "llm.example.com"]));
  assertEquals(
    mark!.message,
    'the token "anthropic" would go to "llm.example.com", where it does not go now',
  );
});

// Threat: A8
Deno.test.each<[string, (count: number) => readonly [object[], object[]]]>([
  ["roles of one route", (count) => {
    const route = (role: string) => ({
      path: "/a/",
      upstream: "https://a.example",
      role: Array.from({ length: count }, (_, n) => `${role}${n}`),
    });
    return [[route("a")], [route("b")]];
  }],
  ["routes with one role", (count) => {
    const routes = (path: string) =>
      Array.from({ length: count }, (_, n) => ({
        path: `/${path}${n}/`,
        upstream: "https://a.example",
        role: "same",
      }));
    return [routes("a"), [...routes("a"), ...routes("b")]];
  }],
])("twice as many %s cost twice the work", (_what, filesOf) => {
  const workOf = (count: number) => {
    const [before, after] = filesOf(count).map((routes) => JSON.stringify({ routes }));
    return countWork(() => compareRoutes(before!, after!));
  };
  const [once, twice] = [workOf(500), workOf(1000)];
  assert(twice < 2.6 * once, `${twice} for twice as many, ${once} for once`);
});
