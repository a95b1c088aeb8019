import { validateRoutes } from "../../src/config/routes/check.ts";
import { MAX_CONFIG_FILE_BYTES, MAX_PROBLEMS } from "../../src/records/problem.ts";
import { quote } from "../../src/text/quote.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";

const REAL = `{
  "routes": [
    {
      "path": "/anthropic/",
      "upstream": "https://api.anthropic.com",
      "auth_scheme": "Bearer",
      "token_ref": "CLAUDE_CODE_OAUTH_TOKEN",
      "role": "anthropic-base-url"
    },
    {
      "path": "/npm/",
      "upstream": "https://registry.example.com/?write=true",
      "auth_scheme": "Bearer",
      "token_env": "NPM_TOKEN",
      "role": ["npm-registry", "readable"],
      "comment": "extra keys pass"
    },
    { "path": "/gitea/", "upstream": "http://gitea_1:3000/api/v1" }
  ],
  "version": 1
}
`;

/** A file of one route. */
function file(route: Record<string, unknown>): string {
  return JSON.stringify({ routes: [{ path: "/a/", upstream: "https://a.example", ...route }] });
}

function upstream(url: string): string {
  return file({ upstream: url });
}

const VALID: readonly (readonly [what: string, text: string])[] = [
  ["a real file", REAL],
  ["CRLF line ends", REAL.replaceAll("\n", "\r\n")],
  ["no routes", '{"routes":[]}'],
  ["an IPv4 upstream with a port", upstream("http://127.0.0.1:8080/")],
  ["an IPv6 upstream", upstream("http://[::1]:8080/x")],
  ["a single label upstream", upstream("http://gitea")],
  ["a query without a path", upstream("https://a.example?x=%20y")],
  ["a punycode upstream", upstream("https://xn--bcher-kva.example/")],
  ["an empty array of roles", file({ role: [] })],
  ["a role twice on one route", file({ role: ["npm-registry", "npm-registry"] })],
  ["an extra key named __proto__", '{"routes":[],"__proto__":{"routes":1}}'],
  [
    "numbers that every reader keeps",
    '{"routes":[],"a":[0,-1,0.5,30.0,1e-05,1E2,9007199254740991]}',
  ],
  ["a path for every request", file({ path: "/" })],
  [
    "a path of names as projects have them",
    file({ path: "/~u/@scope/v1.2/a:b,c+d=e/$x/caf%C3%A9%20/" }),
  ],
  ["a path with names of dots", file({ path: "/.well-known/..." })],
  [
    "an upstream with dots and slashes behind its path",
    upstream("https://a.example/.well-known//x?y=/../z"),
  ],
  [
    "a key that differs from a known one in more than its case",
    file({ "token-env": "x", paths: 1 }),
  ],
  ["equal keys in different objects", '{"routes":[],"a":{"x":1},"b":{"x":1}}'],
];

for (const [what, text] of VALID) {
  Deno.test(`validateRoutes() accepts ${what}`, () => {
    assertEquals(validateRoutes(text), []);
  });
}

const at = "$.routes[0]";

const INVALID: readonly (readonly [what: string, text: string, where: string, part: string])[] = [
  ["an empty file", "", "line 1", "found the end of the file at column 1"],
  ["a comma too many", '{\n  "routes": [],\n}', "line 3", "column 1, expected a key"],
  ["a comma too many in an array", '{"routes":[1,]}', "line 1", 'a comma before "]" must go'],
  ["a missing comma", '{"routes":[]\n"a":1}', "line 2", 'column 1, expected "," or "}"'],
  ["a comment", '{"routes": // none\n[]}', "line 1", "JSON has no comments"],
  ["single quotes", "{\"routes\": 'x'}", "line 1", "double quotes"],
  ["a byte order mark", '\ufeff{"routes":[]}', "line 1", "byte order mark"],
  ["text after the value", '{"routes":[]} x', "line 1", "nothing after the end"],
  ["NaN", '{"routes":[],"a":NaN}', "line 1", 'found "N" at column 18'],
  ["an unfinished string", '{"routes":[],"a":"x', "line 1", "a string that ends on its line"],
  ["an unknown escape", '{"routes":[],"a":"\\x"}', "line 1", "a string that ends on its line"],
  ["another top level", "[]", "$", "found an array, expected an object"],
  ["a missing routes", '{"Routes":[]}', "$.routes", "found nothing, expected an array"],
  ["routes of another type", '{"routes":{}}', "$.routes", "found an object, expected an array"],
  ["a route of another type", '{"routes":[null]}', at, "found null, expected an object"],
  ["a key twice", '{"routes":[],\n"routes":[]}', "$.routes", "a second time on line 2"],
  [
    "a key twice, once escaped",
    '{"routes":[{"path":"/a","upstream":"http://a","p\\u0061th":"/b"}]}',
    "$.routes[0].path",
    "a second time",
  ],
  [
    "a key twice where nobody looks",
    '{"routes":[],"x":[{"a b":1,"a b":1}]}',
    '$.x[0]["a b"]',
    "one",
  ],
  [
    "a key twice, once in another case",
    '{"routes":[],"x":{"X-A":1,"x-a":1}}',
    '$.x["x-a"]',
    "in another case",
  ],
  [
    "a key twice, once with a blank",
    '{"routes":[],"note":1,"note ":2}',
    '$["note "]',
    "other blanks",
  ],
  [
    "a key twice, once in letters that fold to ASCII",
    '{"routes":[],"token":1,"to\u212aen":2}',
    '$["to\\u212aen"]',
    "in another case",
  ],
  ["routes in another case too", '{"routes":[],"Routes":[]}', "$.Routes", "in another case"],
  ["a known key in another case", file({ Role: "x" }), `${at}.Role`, '"role" or another name'],
  ["a known key with a blank", file({ "role ": "x" }), `${at}["role "]`, '"role" or another name'],
  [
    "a known key with a hidden character",
    file({ "ro\u200ble": "x" }),
    `${at}["ro\\u200ble"]`,
    "role",
  ],
  ...["1e400", "-0", "-0.0", "1e-400", "9007199254740993", "1e16", "0.12345678901234567890"].map(
    (number) =>
      [`the number ${number}`, `{"routes":[],"a":[${number}]}`, "$.a[0]", `"${number}"`] as const,
  ),
  ...[
    "//a/",
    "/a//b",
    "/a/../b",
    "/a/.",
    "/%2e%2e/a",
    "/%61/",
    "/a%2Fb",
    "/a%5cb",
    "/a%zz",
    "/a%",
    "/a?b",
    "/a#b",
    "/a\\b",
    "/a/*",
    "/a;b",
    "/{a}",
  ].map((path) => [`the path ${path}`, file({ path }), `${at}.path`, "every proxy"] as const),
  ["a path with a blank behind it", file({ path: "/a/ " }), `${at}.path`, "blanks around"],
  ["a role with a blank", file({ role: " npm-registry" }), `${at}.role`, "blanks around"],
  [
    "a role that is one in another case",
    file({ role: "NPM-registry" }),
    `${at}.role`,
    "lower case",
  ],
  [
    "a token's name with a blank",
    file({ auth_scheme: "B", token_env: "NPM " }),
    `${at}.token_env`,
    "blanks around",
  ],
  ["a missing path", '{"routes":[{"upstream":"http://a"}]}', `${at}.path`, "found nothing"],
  ["a path that is null", file({ path: null }), `${at}.path`, "found null, expected a string"],
  ["an empty path", file({ path: "" }), `${at}.path`, "not empty"],
  ["a relative path", file({ path: "npm/" }), `${at}.path`, 'put a "/" in front'],
  ["a path with a space", file({ path: "/a b" }), `${at}.path`, "percent-encode"],
  ["a path with a zero-width space", file({ path: "/a\u200b" }), `${at}.path`, '"/a\\u200b"'],
  ["a missing upstream", '{"routes":[{"path":"/a"}]}', `${at}.upstream`, "found nothing"],
  [
    "a scheme without a token",
    file({ auth_scheme: "Bearer" }),
    `${at}.auth_scheme`,
    "token_ref or",
  ],
  ["a token without a scheme", file({ token_ref: "x" }), `${at}.token_ref`, "add auth_scheme"],
  [
    "both kinds of token",
    file({ auth_scheme: "Bearer", token_ref: "x", token_env: "y" }),
    at,
    "found token_ref and token_env",
  ],
  ["an empty token", file({ auth_scheme: "B", token_env: " " }), `${at}.token_env`, "not empty"],
  ["a token that is null", file({ auth_scheme: "B", token_ref: null }), `${at}.token_ref`, "null"],
  [
    "a scheme that is null",
    file({ auth_scheme: null, token_ref: "x" }),
    `${at}.auth_scheme`,
    "found null",
  ],
  [
    "a header smuggled into the scheme",
    file({ auth_scheme: "B\r\nX-Evil: 1", token_ref: "x" }),
    `${at}.auth_scheme`,
    "control characters",
  ],
  [
    "a token in the scheme",
    file({ auth_scheme: "Bearer secret", token_ref: "x" }),
    `${at}.auth_scheme`,
    "expected one word",
  ],
  ["a role that is null", file({ role: null }), `${at}.role`, "found null"],
  ["an empty role in an array", file({ role: ["a", ""] }), `${at}.role[1]`, "not empty"],
];

for (const [what, text, where, part] of INVALID) {
  Deno.test(`validateRoutes() rejects ${what}`, () => {
    const problems = validateRoutes(text);
    assertEquals(problems.map((problem) => problem.where), [where]);
    assertStringIncludes(problems[0]!.message, part);
  });
}

const BAD_UPSTREAMS: readonly (readonly [url: string, part: string])[] = [
  ["ftp://a.example", '"https://" or "http://"'],
  ["HTTPS://a.example", "lower case"],
  ["//a.example", '"https://"'],
  ["a.example", '"https://"'],
  ["http:/a.example", '"https://"'],
  ["http:a.example", '"https://"'],
  ["http:///a.example", "a host after the scheme"],
  ["http://", "a host after the scheme"],
  ["http://:80", "a host after the scheme"],
  ["http://user@a.example", "without credentials"],
  ["http://user:secret@a.example", "without credentials"],
  ["http://a.example:b@evil.example", "without credentials"],
  ["http://gith\u200bub.com", "printable ASCII"],
  ["http://ｇithub.com", "printable ASCII"],
  ["http://git hub.com", "printable ASCII"],
  [" http://a.example", "blanks around"],
  ["http:\\\\a.example", "backslashes"],
  ["http://a.example\\@evil.example", "backslashes"],
  ["http://A.example", 'write "a.example"'],
  ["http://%61.example", "percent-encoding"],
  ["http://a.example.", "trailing dot"],
  ["http://a..example", "letters, digits"],
  ["http://-a.example", "letters, digits"],
  ["http://127.1", "four decimal numbers"],
  ["http://0x7f.0.0.1", "four decimal numbers"],
  ["http://0x7f000001", "four decimal numbers"],
  ["http://2130706433", "four decimal numbers"],
  ["http://127.0.0.01", "four decimal numbers"],
  ["http://256.0.0.1", "four decimal numbers"],
  ["http://1.2.3.4.5", "four decimal numbers"],
  ["http://[::1", "in brackets"],
  ["http://[::g]", "in brackets"],
  ["http://[:::]", "every parser"],
  ["http://xn--a", "every parser"],
  ["http://a.example:", "a port"],
  ["http://a.example:0", "a port"],
  ["http://a.example:65536", "a port"],
  ["http://a.example:080", "a port"],
  ["http://a.example:80:81", "a port"],
  ["http://a.example/#x", "fragment"],
  ["http://a.example#", "without a fragment"],
  ["http://a.example/<x>", "percent-encode"],
  ["http://a.example/a/../b", 'without "."'],
  ["http://a.example/a/.", 'without "."'],
  ["http://a.example/a/%2E%2e?x", 'without "."'],
  ["http://a.example/me%2f..%2Fadmin", 'without "."'],
  ["http://a.example/me/..%5cadmin", 'without "."'],
];

for (const [url, part] of BAD_UPSTREAMS) {
  Deno.test(`validateRoutes() rejects the upstream ${quote(url)}`, () => {
    const problems = validateRoutes(upstream(url));
    assertEquals(problems.map((problem) => problem.where), ["$.routes[0].upstream"]);
    assertStringIncludes(problems[0]!.message, part);
  });
}

Deno.test("validateRoutes() does not repeat what may be a secret", () => {
  const url = "https://user:hunter2@a.example";
  const text = file({ upstream: url, auth_scheme: "Bearer hunter2", token_ref: "x" });
  const problems = validateRoutes(text);
  assertEquals(problems.length, 2);
  const odd = ["\u0001", " "].flatMap((end) => validateRoutes(upstream(url + end)));
  assertEquals(odd.length, 2);
  assert(!JSON.stringify([...problems, ...odd]).includes("hunter2"));
});

Deno.test("validateRoutes() rejects a second route with the same path", () => {
  const route = { path: "/a/", upstream: "http://a" };
  const problems = validateRoutes(JSON.stringify({ routes: [route, route] }));
  assertEquals(problems.map((problem) => problem.where), ["$.routes[1].path"]);
  assertStringIncludes(problems[0]!.message, "$.routes[0].path");
});

Deno.test("validateRoutes() rejects a second route whose path differs in its case alone", () => {
  const routes = ["/a/", "/A/"].map((path) => ({ path, upstream: "http://a" }));
  const [problem, ...others] = validateRoutes(JSON.stringify({ routes }));
  assertEquals([problem?.where, others], ["$.routes[1].path", []]);
  assertStringIncludes(problem!.message, "$.routes[0].path");
});

for (const role of ["npm-registry", "anthropic-base-url"]) {
  Deno.test(`validateRoutes() rejects a second ${role} role`, () => {
    const problems = validateRoutes(JSON.stringify({
      routes: [
        { path: "/a/", upstream: "http://a", role: ["x", role] },
        { path: "/b/", upstream: "http://b", role },
      ],
    }));
    assertEquals(problems.map((problem) => problem.where), ["$.routes[1].role"]);
    assertStringIncludes(problems[0]!.message, "$.routes[0].role[1]");
  });
}

Deno.test("validateRoutes() accepts any other role twice", () => {
  const routes = ["/a/", "/b/"].map((path) => ({ path, upstream: "http://a", role: "x" }));
  assertEquals(validateRoutes(JSON.stringify({ routes })), []);
});

const HOSTILE: readonly (readonly [what: string, text: string, part: string])[] = [
  ["200,000 open arrays", "[".repeat(200_000), "at most 64 arrays"],
  ["200,000 open objects", '{"a":'.repeat(200_000), "at most 64 arrays"],
  ["a string of 500,000 escapes", `"${"\\n".repeat(500_000)}"`, "expected an object"],
  ["a host of 500,000 labels", upstream("http://" + "a.".repeat(500_000) + "a"), "letters, digits"],
  ["a file over 1 MiB", " ".repeat(MAX_CONFIG_FILE_BYTES + 1), "1048576 bytes"],
  ["a file over 1 MiB of UTF-8", "é".repeat(MAX_CONFIG_FILE_BYTES / 2 + 1), "1048576 bytes"],
  ["a NUL character", '{"routes":[]}\n\0', "NUL"],
  ["half of a surrogate pair", '{"routes":[]}\ud800', "surrogate"],
  [
    "half of a surrogate pair, escaped",
    file({ path: "/\\ud800" }).replace("\\\\", "\\"),
    "control",
  ],
];

for (const [what, text, part] of HOSTILE) {
  Deno.test(`validateRoutes() rejects ${what}`, () => {
    const problems = validateRoutes(text);
    assertEquals(problems.length, 1);
    assertStringIncludes(problems[0]!.message, part);
  });
}

Deno.test("validateRoutes() tells 20 problems and that more follow", () => {
  const problems = validateRoutes(JSON.stringify({ routes: Array(300_000).fill(1) }));
  assertEquals(problems.length, MAX_PROBLEMS + 1);
  assertEquals(problems[20]!.where, "file");
  assertStringIncludes(problems[20]!.message, "more problems follow");
});

Deno.test("validateRoutes() answers any text in printable ASCII, and never throws", () => {
  const routes = fc.array(fc.record({
    path: fc.oneof(fc.string({ unit: "binary" }), fc.constant("/a")),
    upstream: fc.oneof(fc.webUrl(), fc.string({ unit: "binary" }), fc.jsonValue()),
    role: fc.oneof(fc.constant("npm-registry"), fc.jsonValue()),
    auth_scheme: fc.jsonValue(),
    token_env: fc.jsonValue(),
  }, { requiredKeys: [] }));
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    routes.map((routes) => JSON.stringify({ routes })),
  );
  fc.assert(fc.property(text, (text) => {
    const problems = validateRoutes(text);
    assert(problems.length <= MAX_PROBLEMS + 1);
    for (const { where, message } of problems) assertMatch(where + message, /^[\x20-\x7e]+$/);
  }));
});
