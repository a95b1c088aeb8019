import { NO_POLICY } from "../../src/policy/parse.ts";
import { entryLine, renderEntry, shortSlugs } from "../../cli/render/entry.ts";
import { renderPending } from "../../cli/render/pending.ts";
import { renderProposal } from "../../cli/render/proposal.ts";
import { renderQuoted } from "../../cli/render/quote.ts";
import { makeStyle } from "../../cli/render/style.ts";
import { cut, fill, wrap } from "../../cli/render/wrap.ts";
import { visibleLine } from "../../internal_mod.ts";
import {
  type AuditEntry,
  type Inspection,
  renderDiff,
  validateConfigFile,
  visible,
} from "../../mod.ts";
import { compareAllowlist } from "../../src/config/allowlist/compare.ts";
import { compareDockerfile } from "../../src/config/dockerfile/compare.ts";
import { compareRoutes } from "../../src/config/routes/compare.ts";
import { jsonExcess } from "../../src/text/json.ts";
import { samplePending } from "../support/records.ts";
import { holds } from "../support/properties.ts";
import { countWork } from "../support/work.ts";
import { assert } from "@std/assert";
import fc from "fast-check";

/** Twice as much text may cost this much more: twice, and some room for what is bounded. */
const FACTOR = 2.6;

/** From here on what is quadratic outweighs what is done once. */
const CHARS = 24_000;

/** A hostile file: something once, something over and over, something once. */
interface Shape {
  readonly before: string;
  readonly unit: string;
  readonly after: string;
}

const grow = ({ before, unit, after }: Shape, chars: number): string =>
  before + unit.repeat(Math.ceil(chars / unit.length)) + after;

// deno-fmt-ignore
const words = [
  "ONBUILD ", "ONBUILD \\\n", "RUN ", "FROM a:1\n", "FROM ", "ENV ", "ARG ", "ADD ", "COPY ", "USER ", "LABEL ",
  "HEALTHCHECK ", "CMD ", "# x\n", "\n", "\\\n", " \\\n", "\r\n", "# escape=`\n", "`\n", "<<E ", "<<-E", "<<\"E\"",
  "\nE\n", "E\n", "\tE\n", "sh ", "python1", "python", "-c", "-", "exec ", "curl ", "| ", "(", ")", "$(", "<(", "`",
  "{ ", "}", "{", ";", "&", "&&", ";;", "||", "1", "9<", "a", "aA", "=", "a=b ", "$A", "${A:-", "\"", "'", "\\", " ",
  "\t", "https://x", "https://", "eyJaaaaaaaaa", ".", "/", ":", "@", "_KEY", "_TOKEN=", "--security=insecure ", "--a",
  "-----BEGIN ", "AS s", "[", "]", "[\"", "\",\"", "{\"a\":", ",", "\"routes\":[", "*.", "xn--", "github.com\n", "-a",
  "\u0130", "\u0301", "\u202e", "\u0430", "%", "#",
];

const texts = (min: number, max: number) =>
  fc.array(fc.constantFrom(...words), { minLength: min, maxLength: max }).map((all) =>
    all.join("")
  );

const shapes: fc.Arbitrary<Shape> = fc.record({
  before: fc.tuple(fc.constantFrom("", "FROM a:1\n", '{"routes":['), texts(0, 3)).map((all) =>
    all.join("")
  ),
  unit: texts(1, 4).map((unit) => unit || "a"),
  after: texts(0, 2),
});

const PLAIN = makeStyle(false);

const entryOf = (text: string): AuditEntry => ({
  timestamp: text,
  bottleSlug: text,
  component: text,
  operatorAction: "approved",
  operatorNotes: text,
  justification: text,
  diff: text,
  operator: text,
  proposalId: text,
  unrecordedResponse: text,
  marks: [{ severity: "high", rule: "secret", message: text, side: "new", line: 1 }],
});

function renderTable(text: string): readonly string[] {
  const [pending, none] = [
    [samplePending({ justification: text, arrivalTimestamp: text })],
    new Map(),
  ];
  const table = { shorts: none, marks: none, hints: none, columns: 80, nowMs: 0, style: PLAIN };
  return renderPending(pending, table);
}

function renderScreen(text: string): readonly string[] {
  const { marks = [] } = entryOf(text);
  const inspection: Inspection = {
    ...samplePending({ justification: text, arrivalTimestamp: text }),
    currentPath: "",
    currentFile: null,
    stale: true,
    agentDiff: undefined,
    finalSha256: "",
    currentSha256: "",
    diff: renderDiff("", text),
    problems: [{ where: "line 1", message: text }],
    reach: "unknown",
    isWhole: false,
    added: [],
    removed: [],
    marks,
    unrecordedResponse: undefined,
    policy: { sha256: "", standingSha256: "", policy: NO_POLICY },
  };
  return renderProposal(inspection, 0, 80, PLAIN);
}

const RUNS: readonly (readonly [name: string, run: (text: string) => unknown])[] = [
  ["the check of a Dockerfile", (text) => validateConfigFile("capability-block", text)],
  ["the check of an allowlist", (text) => validateConfigFile("pipelock-block", text)],
  ["the check of routes", (text) => validateConfigFile("cred-proxy-block", text)],
  ["the marks of a Dockerfile", (text) => compareDockerfile("FROM b:1\nUSER a\n", text)],
  ["the marks of an allowlist", (text) => compareAllowlist("github.com\n", text)],
  ["the comparison of routes", (text) => compareRoutes(null, text)],
  ["the marks against a Dockerfile in force", (text) => compareDockerfile(text, "FROM b:1\n")],
  ["the diff", (text) => renderDiff("FROM a:1\n\nE\n", text)],
  ["the visible form as prose", visible],
  ["the visible form as code", (text) => visibleLine(text, "code")],
  ["the rows of prose", (text) => wrap("│ ", visibleLine(text), 80, "prose")],
  ["the rows of code", (text) => wrap("+", visibleLine(text, "code"), 80)],
  ["the beginning of a line", (text) => cut(text, 80)],
  ["the cells of a line", (text) => fill(text, 80)],
  [
    "a quotation of prose",
    (text) => renderQuoted({ heading: "a", text, kind: "prose" }, 80, PLAIN),
  ],
  ["a quotation of code", (text) => renderQuoted({ heading: "a", text, kind: "code" }, 80, PLAIN)],
  ["an entry of the log", (text) => renderEntry(entryOf(text), 0, 80, PLAIN)],
  [
    "an entry in one line",
    (text) => entryLine(entryOf(text), shortSlugs(["dev-1"], 80), 80, PLAIN),
  ],
  ["a proposal on the screen", renderScreen],
  ["a row of the list", renderTable],
  ["the look for too much JSON", (text) => jsonExcess(new TextEncoder().encode(text))],
];

/** Fails if a run does much more than twice the work on twice the text. */
function refuseGrowth(run: (text: string) => unknown, shape: Shape): void {
  const [small, large] = [CHARS, 2 * CHARS].map((chars) => {
    const text = grow(shape, chars);
    return countWork(() => run(text));
  });
  assert(
    large! <= FACTOR * Math.max(small!, CHARS),
    `${small} for ${CHARS} characters, ${large} for twice as many: ${JSON.stringify(shape)}`,
  );
}

for (const [name, run] of RUNS) {
  // Threat: A8
  Deno.test(`work: ${name} grows no faster than the text, whatever is repeated in it`, () => {
    holds(fc.property(shapes, (shape) => refuseGrowth(run, shape)), 150);
  });
}

/** What was found to take time that is quadratic or worse, or to overflow the stack. */
const FOUND: readonly (readonly [string, Shape])[] = [
  ["ONBUILD in ONBUILD", { before: "FROM a:1\n", unit: "ONBUILD ", after: "RUN a\n" }],
  [
    "ONBUILD in ONBUILD, each on a line",
    { before: "FROM a:1\n", unit: "ONBUILD \\\n", after: "a\n" },
  ],
  [
    "brackets behind a long argument",
    { before: `FROM a:1\nRUN sh -${"a".repeat(CHARS)} `, unit: "() ", after: "" },
  ],
  [
    "brackets behind a long name",
    { before: `FROM a:1\nRUN python${"1".repeat(CHARS)}x `, unit: "() ", after: "" },
  ],
];

for (const [what, shape] of FOUND) {
  // Threat: A8
  Deno.test(`work: the marks of a Dockerfile with ${what} take work in proportion to it`, () => {
    const text = grow(shape, CHARS);
    const work = countWork(() => compareDockerfile(null, text));
    assert(work < 100 * text.length, `${work} for ${text.length} characters`);
  });
}

/** Domains that nobody mistakes for each other, from a place in a fixed order of all. */
function domains(from: number, count: number): string {
  const nameOf = (n: number) => Math.imul(n, 0x9e3779b1).toString(36).replace(/\d|-/g, "x");
  return Array.from({ length: count }, (_, n) => `${nameOf(from + n)}.com\n`).join("");
}

// Threat: A8
Deno.test("work: the marks of an allowlist grow no faster than its hosts and those in force", () => {
  const [small, large] = [400, 800].map((count) => {
    const [current, proposed] = [domains(1, count), domains(1 + count, count)];
    return countWork(() => compareAllowlist(current, proposed));
  });
  assert(large! <= FACTOR * small!, `${small}, and ${large} for twice as many`);
});

for (
  const [what, mark, file] of [
    ["an allowlist", compareAllowlist, domains],
    ["routes", compareRoutes, (from: number, count: number) => {
      const routes = domains(from, count).trim().split("\n")
        .map((host) => ({ path: `/${host}/`, upstream: `https://${host}` }));
      return JSON.stringify({ routes });
    }],
  ] as const
) {
  // Threat: A8
  Deno.test(`work: the hosts of ${what} in force are learned once, whatever is compared with it`, () => {
    const learn = (count: number) => {
      const current = file(5_000, count);
      const [first, second] = [1, 100].map((from) => {
        const proposed = file(from, 1);
        return countWork(() => mark(current, proposed));
      });
      return first! - second!;
    };
    const [small, large] = [learn(400), learn(800)];
    assert(large >= 1.5 * small && small > 400 * 10, `${small} and ${large} less for the second`);
  });
}
