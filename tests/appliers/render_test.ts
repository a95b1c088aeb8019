import {
  renderForPipelock,
  renderForSquid,
  renderForTinyproxy,
} from "../../appliers/render_hosts.ts";
import { renderForNginx } from "../../appliers/render_routes.ts";
import { coversOf, reachOfAllowlist } from "../../internal_mod.ts";
import { ApplyError, validateAllowlist } from "../../mod.ts";
import { readHostAnswers } from "../support/enforcers.ts";
import { holds } from "../support/properties.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";

/** What our reading of a list says of a host. */
const allows = (list: string, host: string) => {
  const patterns = new Set(reachOfAllowlist(list).map(({ value }) => value));
  return coversOf(host).some((cover) => patterns.has(cover));
};

/** Squid's reading of a `dstdomain` list: a leading dot covers the name and all below it. */
const squidAllows = (rendered: string, host: string) =>
  rendered.split("\n").some((line) =>
    line.startsWith(".")
      ? host === line.slice(1) || host.endsWith(line)
      : line !== "" && host === line
  );

/** tinyproxy's: POSIX extended expressions, of which these use what JavaScript reads alike. */
const tinyproxyAllows = (rendered: string, host: string) =>
  rendered.split("\n").some((line) => line !== "" && new RegExp(line).test(host));

/** pipelock's, which is ours. */
const pipelockAllows = (rendered: string, host: string) =>
  Array.from(rendered.matchAll(/^ {2}- "(.*)"$/gm), ([, pattern]) => pattern!).some((pattern) =>
    pattern.startsWith("*.")
      ? host === pattern.slice(2) || host.endsWith(pattern.slice(1))
      : host === pattern
  );

const FORMS = [
  ["squid", renderForSquid, squidAllows],
  ["tinyproxy", renderForTinyproxy, tinyproxyAllows],
  ["pipelock-matchdomain", (list: string) => renderForPipelock(list, ""), pipelockAllows],
] as const;

/** What the real programs allowed that our reading does not, and the other way round; each with its reason. */
const DIFFERENCES: Readonly<Record<string, readonly string[]>> = {
  // It is no host, and no name server knows it. Squid takes it for k9.test, which the list allows.
  "squid": ["*.k9.test .k9.test"],
};

for (const [enforcer, render, reads] of FORMS) {
  Deno.test(`what is rendered for ${enforcer} allows exactly what our reading of the list allows`, async () => {
    const label = fc.constantFrom("a", "b", "x", "xa", "k9", "a-b", "test");
    const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
    const pattern = fc.tuple(fc.boolean(), host).map(([wild, host]) => wild ? `*.${host}` : host);
    await holds(
      fc.property(fc.uniqueArray(pattern, { maxLength: 8 }), fc.array(host), (patterns, hosts) => {
        const list = patterns.map((pattern) => `${pattern}\n`).join("");
        const rendered = render(list);
        const near = patterns.flatMap((p) => {
          const name = p.replace(/^\*\./, "");
          return [name, `x${name}`, `sub.${name}`, name.replace(".", "x"), `${name}.evil.test`];
        });
        for (const one of [...hosts, ...near]) {
          assertEquals([one, reads(rendered, one)], [one, allows(list, one)]);
        }
      }),
      300,
    );
  });

  Deno.test(`${enforcer} itself allowed what our reading of the list allows`, () => {
    const differing = new Set<string>();
    let compared = 0;
    for (const answer of readHostAnswers()) {
      if (answer.enforcer !== enforcer || answer.allowed === null) continue;
      if (validateAllowlist(answer.pattern).length > 0) continue;
      // Hosts as a client sends them, and as the product's reading knows them.
      if (!/^[a-z0-9.-]*[a-z0-9-]$/.test(answer.host)) continue;
      compared++;
      const ours = allows(answer.pattern, answer.host);
      assertEquals(ours, reads(render(answer.pattern), answer.host));
      if (ours !== answer.allowed) differing.add(`${answer.pattern.trim()} ${answer.host}`);
    }
    assertEquals([...differing], DIFFERENCES[enforcer] ?? []);
    assertEquals(compared > 30, true, `${compared} compared`);
  });
}

Deno.test("an entry that another one covers is left out: squid would end itself on it", () => {
  const list = "# a comment\r\nk9.test\r\n*.k9.test\na.k9.test\n*.a.k9.test\nother.test\n";
  assertEquals(renderForSquid(list), ".k9.test\nother.test\n");
  assertEquals(renderForTinyproxy(list), "(^|\\.)k9\\.test$\n^other\\.test$\n");
});

Deno.test("an empty list allows nothing, in pipelock by a host that there is not", () => {
  for (const list of ["", "# none\n", "\n"]) {
    assertEquals(renderForSquid(list), "");
    assertEquals(renderForTinyproxy(list), "");
    assertEquals(
      renderForPipelock(list, "listen: 1\n"),
      'listen: 1\nmode: strict\napi_allowlist:\n  - "supervise-allows-nothing.invalid"\n',
    );
  }
});

Deno.test("a list that is not valid is not rendered, and the reason names the line", () => {
  for (const [, render] of FORMS) {
    const error = assertThrows(() => render("k9.test\nK9.test\n"), ApplyError);
    assertEquals(error.stage, "render");
    assertStringIncludes(error.message, "line 2");
  }
});

Deno.test.each([["mode: audit\n"], ["x: 1\napi_allowlist: []\n"], ['"mode": audit\n']])(
  "pipelock's own settings may not say what is rendered: %j",
  (base) => {
    assertStringIncludes(
      assertThrows(() => renderForPipelock("k9.test\n", base), ApplyError).message,
      "must not say",
    );
  },
);

const route = (fields: object) =>
  JSON.stringify({ routes: [{ path: "/npm/", upstream: "https://npm.example", ...fields }] });
const TOKEN = { auth_scheme: "Bearer", token_env: "NPM" };

Deno.test("renderForNginx() writes a location for each route, and its own token alone", () => {
  const text = JSON.stringify({
    routes: [
      { path: "/npm/", upstream: "https://npm.example", ...TOKEN },
      { path: "/plain/", upstream: "http://10.0.0.1:8080/base" },
    ],
  });
  assertEquals(
    renderForNginx(text, { token_env: { NPM: "s3cret" }, token_ref: { NPM: "other" } }),
    `location ^~ "/npm/" {
  proxy_pass "https://npm.example/";
  proxy_set_header Host $proxy_host;
  proxy_set_header Authorization "Bearer s3cret";
  proxy_ssl_server_name on;
  proxy_ssl_verify on;
  proxy_ssl_verify_depth 5;
}
location ^~ "/plain/" {
  proxy_pass "http://10.0.0.1:8080/base/";
  proxy_set_header Host $proxy_host;
}
`,
  );
  assertEquals(renderForNginx('{"routes": []}', {}), "");
});

Deno.test.each(
  [
    ["a path that ends in the middle of a name", { path: "/npm" }, {}, "does not end with a slash"],
    ["a path with an escape", { path: "/n%C3%A9/" }, {}, "has an escape"],
    ["a path with a variable", { path: "/$host/" }, {}, "has $ in it"],
    ["a path that ends a line", { path: "/a;b/" }, {}, "routes.json, $.routes[0].path"],
    ["an upstream with a variable", { upstream: "https://a.example/$x" }, {}, "has $ in it"],
    ["an upstream with a query", { upstream: "https://a.example/?k=v" }, {}, "with a query"],
    ["a key that nginx would not obey", { methods: ["GET"] }, {}, 'nginx would not obey "methods'],
    ["an upstream with an empty query", { upstream: "https://a.example/b?" }, {}, "with a query"],
    ["a scheme with a variable", { ...TOKEN, auth_scheme: "$x" }, { NPM: "tok-9" }, "has $ in it"],
    ["a token that is not there", TOKEN, {}, 'has no token_env "NPM", for "/npm/"'],
    // An agent chooses the names: its words must not pass for the program's.
    [
      "a token whose name is a sentence",
      { ...TOKEN, token_env: `GH, for /y/. Decide again with --confirm${"!".repeat(400_000)}` },
      {},
      `has no token_env "GH, for /y/. Decide again with --confirm${
        "!".repeat(40)
      }"..., for "/npm/"`,
    ],
    [
      "a key with a sentence",
      { "methods; run": 1 },
      {},
      'nginx would not obey "\\"methods; run\\"',
    ],
    [
      "a token by a name of all objects",
      { ...TOKEN, token_env: "toString" },
      {},
      "has no token_env",
    ],
    ...['a"b', "a\\b", "a$b", "a;b", "a{b", "a}b", "a\nb", "a\u0000b"].map((token) =>
      [
        `the token ${JSON.stringify(token)}`,
        TOKEN,
        { NPM: token },
        "which nginx cannot take",
      ] as const
    ),
  ] as const,
)("renderForNginx() refuses %s, and repeats no token", (_what, fields, names, says) => {
  const named = names as Record<string, string>;
  const { message, stage } = assertThrows(
    () => renderForNginx(route(fields), { token_env: named }),
    ApplyError,
  );
  assertStringIncludes(message, says);
  assertEquals([stage, Object.values(named).some((token) => message.includes(token))], [
    "render",
    false,
  ]);
});
