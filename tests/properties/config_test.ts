import {
  type ConfigProblem,
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
  validateAllowlist,
  validateConfigFile,
  validateDockerfile,
  validateRoutes,
} from "../../mod.ts";
import { MAX_PROBLEMS } from "../../src/records/problem.ts";
import {
  anyFile,
  anyJson,
  anyRecordFile,
  anyText,
  deepJson,
  shortText,
  textOf,
} from "../support/arbitraries.ts";
import { attempt, documented } from "../support/documented.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const ROUTES = JSON.stringify({
  routes: [
    {
      path: "/gh/",
      upstream: "https://api.example.com:8443/v1?x=1",
      auth_scheme: "Bearer",
      token_env: "T",
    },
    { path: "/npm/", upstream: "http://[::1]/", role: ["npm-registry", "other"] },
  ],
});

const ALLOWLIST = "# hosts\n\napi.example.com\n*.example.org\r\nxn--bcher-kva.example\n";

const DOCKERFILE = `# syntax=docker/dockerfile:1
# escape=\\
ARG BASE=debian:13
FROM --platform=linux/amd64 \${BASE} AS build
ENV A="1" B='2'
LABEL a=b "c d"=e
COPY --from=build --chown=1:1 ["a", "/b"]
RUN --mount=type=cache,target=/x <<-EOF
\techo hi
\tEOF
ONBUILD HEALTHCHECK --interval=5s CMD true \\
  # comment
  && false
EXPOSE 80/tcp 8000-8100
VOLUME ["/data"]
STOPSIGNAL SIGTERM
SHELL ["/bin/sh", "-c"]
`;

const json = [
  ..."{}[]:,\n ",
  '"routes"',
  '"path"',
  '"/"',
  '"upstream"',
  '"https://a.example/"',
  '"role"',
  '"auth_scheme"',
  '"token_env"',
  '"__proto__"',
  "null",
  "1e9",
  '"',
  "\\",
];

const hosts = [
  ..."\n\r\t #*.-:/@[]_",
  "a",
  "A",
  "1",
  "0x7f",
  "example",
  "xn--",
  "https://",
  "\ufeff",
];

// deno-fmt-ignore
const keywords = [
  "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
  "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR", "AS", "NONE",
  "from", "onbuild", "# escape=`", "# syntax=x", "#", "x",
];

// deno-fmt-ignore
const words = [
  ..."\"'\\`$#=:/@,-[]{}", "\ue000", "--", "<<", "<<-", "EOF", "a=b", "80/tcp", "1-2", "--from=",
  "--platform=", "--interval=1s", "${A:-b}", "constructor", "__proto__", '["a"]', "scratch", "\\\n",
  ...keywords,
];

/** Lines of a Dockerfile: keywords and words, with any blanks between. */
function anyDockerfile(): fc.Arbitrary<string> {
  const space = fc.constantFrom(..." \t\v\f\r", "\u00a0", "\u2003", "\u0085", "\u3000", "\ufeff");
  const blank = fc.oneof(fc.constant(" "), fc.string({ unit: space, maxLength: 3 }));
  const word = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...words) }, shortText);
  const line = fc.tuple(
    blank,
    fc.constantFrom(...keywords),
    fc.array(fc.tuple(blank, word), { maxLength: 5 }),
  )
    .map(([blank, keyword, words]) => [blank, keyword, ...words.flat()].join(""));
  return fc.array(line, { maxLength: 12 }).map((lines) => lines.join("\n"));
}

const fileText = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

const VALIDATORS: readonly (readonly [
  Tool,
  (text: string) => readonly ConfigProblem[],
  string,
  fc.Arbitrary<string>,
])[] = [
  [
    TOOL_CRED_PROXY_BLOCK,
    validateRoutes,
    "src/config/routes/check.ts",
    fc.oneof(anyRecordFile(fc.constant(ROUTES)).map(fileText), anyRoutes(), textOf(...json)),
  ],
  [
    TOOL_PIPELOCK_BLOCK,
    validateAllowlist,
    "src/config/allowlist/check.ts",
    fc.oneof(anyFile(fc.constant(ALLOWLIST)).map(fileText), textOf(...hosts)),
  ],
  [
    TOOL_CAPABILITY_BLOCK,
    validateDockerfile,
    "src/config/dockerfile/check.ts",
    fc.oneof(
      anyFile(fc.constant(DOCKERFILE)).map(fileText),
      anyDockerfile().map((text) => `FROM a\n${text}`),
      anyDockerfile(),
    ),
  ],
];

/** Routes with a field of any shape. */
function anyRoutes(): fc.Arbitrary<string> {
  const key = fc.constantFrom("path", "upstream", "role", "auth_scheme", "token_ref", "token_env");
  const route = fc.array(fc.tuple(key, anyJson), { maxLength: 4 })
    .map((pairs) => `{${pairs.map(([key, value]) => `"${key}": ${value}`)}}`);
  return fc.array(fc.oneof(route, anyJson, deepJson), { maxLength: 4 })
    .map((routes) => `{"routes": [${routes}]}`);
}

for (const [tool, validate, file, texts] of VALIDATORS) {
  // Threat: A8
  Deno.test(`${validate.name}() answers any text in printable ASCII, and never throws`, () => {
    const contract = documented(file, validate.name);
    holds(
      fc.property(fc.oneof({ weight: 9, arbitrary: texts }, anyText), (text) => {
        const problems = attempt(contract, () => validate(text))!;
        assert(problems.length <= MAX_PROBLEMS + 1);
        for (const { where, message } of problems) {
          assert(/^(?:file|line [1-9]\d*|\$[ -~]*)$/.test(where), where);
          assert(/^[ -~]+(?:[^.]|"\.{3})$/.test(message), message);
        }
        assertEquals(validateConfigFile(tool, text), problems);
      }),
      2500,
    );
  });
}

// Threat: A7
Deno.test("validateRoutes() passes nothing that JSON.parse() refuses or reads otherwise", () => {
  const texts = fc.oneof(
    anyRecordFile(fc.constant(ROUTES)).map(fileText),
    anyRoutes(),
    fc.constant(ROUTES),
  );
  let passed = 0;
  holds(fc.property(texts, (text) => {
    if (validateRoutes(text).length > 0) return;
    const { routes } = JSON.parse(text);
    passed += routes.length;
    for (const { path, upstream } of routes) {
      assert(path.startsWith("/"));
      assertEquals(upstream.includes(new URL(upstream).host), true);
    }
  }));
  assert(passed > 0, "no route passed");
});
