import { marksFor, TOOL_CRED_PROXY_BLOCK as TOOL, validateRoutes } from "../../mod.ts";
import { type MarkedChange, marksInShort } from "../support/marks.ts";
import { assertEquals } from "@std/assert";

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
    "high token-to-new-upstream +27",
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
    "high token-to-new-upstream +25",
    "medium changed-auth-scheme +24",
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
  ["a renamed path", change(["/docs/", "/handbook/"]), "medium removed-route -22"],
  [
    "another auth scheme",
    change(['"auth_scheme": "Bearer"', '"auth_scheme": "x-api-key"']),
    "medium changed-auth-scheme +6",
  ],
  [
    "a token that would be sent no more",
    change(['\n      "auth_scheme": "token",\n      "token_env": "GITEA_TOKEN"', '\n      "x": 1']),
    "medium cleartext-http +17",
    "medium changed-auth-scheme -18",
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
    "two things at once",
    change(["/docs/", "/handbook/"], ['"token_ref": "anthropic"', '"token_ref": "x"']),
    "high token-to-new-upstream +7",
    "medium removed-route -22",
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
  ["a key that nobody reads", change(['"routes"', '"comment": "checked in May",\n  "routes"'])],
  [
    "a key in a route that nobody reads",
    change(['"path": "/npm/",', '"path": "/npm/", "note": "x",']),
  ],
  [
    "a URL in a key that nobody reads",
    change(['"routes"', '"see": "http://evil.example",\n  "routes"']),
  ],
  ["escapes that mean the same", change(['"/npm/"', '"\\u002fnpm\\/"'])],
  ["a slash behind the host", change(["https://api.anthropic.com", "https://api.anthropic.com/"])],
  [
    "no slash behind the host",
    change(["https://packages.example.org/", "https://packages.example.org"]),
  ],
  ["the scheme's own port", change(["https://api.anthropic.com", "https://api.anthropic.com:443"])],
  ["the scheme's own port of http", change(["docs.internal.example", "docs.internal.example:80"])],
  [
    "another path of the same upstream",
    change(["packages.example.org/", "packages.example.org/v2/"]),
  ],
  ["a query", change(["https://packages.example.org/", "https://packages.example.org/?a=1"])],
  ["an auth scheme in lower case", change(['"Bearer"', '"bearer"'])],
  ["a role less", change([',\n      "role": "npm-registry"', ""])],
  ["a role more", change(['"role": "npm-registry"', '"role": ["npm-registry", "mirror"]'])],
  [
    "another path to an upstream in force",
    more('"path": "/yarn/"', '"upstream": "https://packages.example.org"'),
  ],
  [
    "another path to an upstream in force, with its token",
    more(
      '"path": "/claude/"',
      '"upstream": "https://api.anthropic.com"',
      '"auth_scheme": "Bearer"',
      '"token_ref": "anthropic"',
    ),
  ],
  [
    "another path to cleartext in force",
    more('"path": "/d/"', '"upstream": "http://docs.internal.example/d"'),
  ],
  [
    "another path to cleartext in force, with its token",
    more(
      '"path": "/g/"',
      '"upstream": "http://gitea:3000/api"',
      '"auth_scheme": "token"',
      '"token_env": "GITEA_TOKEN"',
    ),
  ],
  ["TLS where cleartext was", change(["http://docs", "https://docs"])],
];

for (const [what, proposed] of HARMLESS) {
  Deno.test(`marksFor() finds nothing to notice in routes: ${what}`, () => {
    assertEquals(validateRoutes(proposed), []);
    assertEquals(marksInShort(TOOL, IN_FORCE, proposed), []);
  });
}

Deno.test("marksFor() takes all routes for new where none are in force", () => {
  assertEquals(marksInShort(TOOL, null, IN_FORCE), [
    "high token-to-new-upstream +5",
    "high token-to-new-upstream +17",
    "high cleartext-http +17",
    "medium new-upstream +5",
    "medium new-upstream +12",
    "medium new-upstream +17",
    "medium inside-host +17",
    "medium cleartext-http +23",
    "medium new-upstream +23",
  ]);
});

Deno.test("marksFor() compares with a file in force of which it can read a part", () => {
  const odd = change(['"path": "/docs/",', '"path": "/docs/", "path": "/docs/",']).replace(
    "https://packages.example.org/",
    "HTTPS://packages.example.org/",
  );
  assertEquals(marksInShort(TOOL, odd, IN_FORCE), ["medium new-upstream +12"]);
  assertEquals(marksInShort(TOOL, "{", '{"routes": []}'), []);
});

Deno.test("marksFor() names the token and where it would go", () => {
  const [mark] = marksFor(TOOL, IN_FORCE, change(["api.anthropic.com", "llm.example.com"]));
  assertEquals(
    mark!.message,
    'the token "anthropic" would go to "llm.example.com", where it does not go now',
  );
});
