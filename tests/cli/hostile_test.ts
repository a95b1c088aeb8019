import { marksOfPending } from "../../internal_mod.ts";
import { decide, inspectProposal, readOverview, type Tool, watchEvents } from "../../mod.ts";
import { openTestApp } from "../support/app.ts";
import { startWatch, supervise } from "../support/command_line.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const DOCKERFILE: Tool = "capability-block";
const ROUTES: Tool = "cred-proxy-block";
const ALLOWLIST: Tool = "pipelock-block";

const half = (unit: string) => unit.repeat(Math.floor(500_000 / unit.length));

/** Without a tag, which is marked. */
const FROM = "FROM a\n";

/** Files that a check could choke on, as an attacker plants them past the sidecar. */
const HOSTILE: readonly (readonly [kind: string, tool: Tool, file: string])[] = [
  ["onbuild", DOCKERFILE, FROM + "ONBUILD ".repeat(8150) + "RUN a\n"],
  ["onbuild-lines", DOCKERFILE, FROM + half("ONBUILD \\\n") + "RUN a\n"],
  ["onbuild-none", DOCKERFILE, FROM + half("ONBUILD \\\n")],
  ["long-argument", DOCKERFILE, `${FROM}RUN sh -${half("a\\\n")} ${half("() \\\n")}`],
  ["long-name", DOCKERFILE, `${FROM}RUN python${half("1\\\n")}x ${half("() \\\n")}`],
  ["open-heredocs", DOCKERFILE, `${FROM}RUN ${half("<<A ").slice(0, 60_000)}\n${half("A\n")}`],
  ["no-heredoc-end", DOCKERFILE, `${FROM}RUN <<E\n${half("x\n")}`],
  ["instructions", DOCKERFILE, FROM + half("USER root\n")],
  ["a-long-line", DOCKERFILE, `${FROM}RUN ${half("a")}`],
  ["brackets", DOCKERFILE, `${FROM}RUN ${half("(\\\n")}`],
  ["flags", DOCKERFILE, `${FROM}RUN ${half("--security=insecure \\\n")}`],
  ["urls", DOCKERFILE, `${FROM}ADD ${half("https://x \\\n")}`],
  ["arrays", ROUTES, half("[")],
  ["objects", ROUTES, half('{"routes":')],
  ["repeated-keys", ROUTES, `{${half('"a":1,')}"routes":[]}`],
  ["routes", ROUTES, `{"routes":[${half("{},")}{}]}`],
  ["half-a-pair", ROUTES, "\ud800"],
  ["nul", ALLOWLIST, `a.example\n${"\0".repeat(1000)}`],
  ["hosts", ALLOWLIST, Array.from({ length: 40_000 }, (_, n) => `a${n}.example\n`).join("")],
  ["labels", ALLOWLIST, half("a.")],
  ["wildcards", ALLOWLIST, half("*.")],
  ["over-a-mebibyte", ALLOWLIST, half("a.example\n").repeat(3)],
];

async function plant(dir: TempDir): Promise<void> {
  for (const [kind, tool, proposedFile] of HOSTILE) {
    await queueSample(dir.path, { id: `bad-${kind}`, bottleSlug: "dev-2", tool, proposedFile });
  }
  await queueSample(dir.path, { id: "good", proposedFile: "# a\n" });
}

// Threat: A8, B4, B5
Deno.test("hostile proposals of one bottle leave the other's in every list, with each row judged", async () => {
  await using dir = await tempDir();
  await plant(dir);
  const overview = readOverview({ root: dir.path });
  assertEquals(overview.unreadable, []);
  assertEquals(overview.pending.length, HOSTILE.length + 1);
  const good = overview.pending.find(({ proposalId }) => proposalId === "good")!;
  // A look has its budget; each of the looks after it judges one proposal more at least.
  let marks = marksOfPending(overview.pending, dir.path);
  for (let looks = 1; looks < overview.pending.length; looks++) {
    if (marks.size < overview.pending.length) marks = marksOfPending(overview.pending, dir.path);
  }
  assertEquals(marks.get(good), []);
  for (const entry of overview.pending) {
    if (entry === good) continue;
    assert(marks.get(entry)!.length > 0, `${entry.proposalId} has no mark`);
  }

  const { out, code } = await supervise(dir.path, ["list"]);
  assertEquals(code, 0);
  assertStringIncludes(out, "good");
  assertStringIncludes(out, "invalid file");
  const listed = JSON.parse((await supervise(dir.path, ["list", "--json"])).out);
  assertEquals(listed.pending.length, HOSTILE.length + 1);

  const watch = startWatch(dir.path, ["--json"]);
  let arrived: string;
  do arrived = await watch.next(); while (!arrived.includes('"good"'));
  assertEquals(await watch.end(), 0);

  for await (const event of watchEvents({ root: dir.path })) {
    if (event.event === "arrived" && event.proposalId === "good") break;
  }

  const app = await openTestApp(dir, { rows: 60 });
  await app.look();
  assertStringIncludes(app.screen(), "dev-1 ");
});

// Threat: A8, A9
Deno.test("a hostile proposal can be shown and rejected, and what is invalid cannot be approved", async () => {
  await using dir = await tempDir();
  await plant(dir);
  for (const [kind] of HOSTILE) {
    const ref = { root: dir.path, bottleSlug: "dev-2", proposalId: `bad-${kind}` };
    const inspection = await inspectProposal(ref);
    const isInvalid = inspection.marks[0]?.rule === "invalid-file";
    assertEquals(inspection.problems.length > 0, isInvalid, kind);
    const said = { ...inspection, ...ref, notes: "no", operator: "ada@host" };
    const unmarked = { ...said, ifUnmarked: true, verdict: { status: "approved" } } as const;
    await assertRejects(() => decide(unmarked), Error, "unseen");
    if (isInvalid) {
      const approval = {
        ...said,
        confirmedSlug: "dev-2",
        verdict: { status: "approved" },
      } as const;
      await assertRejects(() => decide(approval), Error, "invalid");
    }
    await decide({ ...said, verdict: { status: "rejected" } });
  }
  await supervise(dir.path, ["show", "good"]);
  const approved = await supervise(dir.path, ["approve", "good"]);
  assertEquals(approved.code, 0);
});

/** A text on which one of the engine's own functions fails, each in another step of the way. */
const FAULTS: readonly (readonly [step: string, owner: object, name: string])[] = [
  ["check", String.prototype, "isWellFormed"],
  ["search for marks", String.prototype, "matchAll"],
  ["diff", Array.prototype, "pop"],
];

for (const [step, owner, name] of FAULTS) {
  // Threat: A8
  Deno.test(`a proposal on which the ${step} fails is shown, marked, refused, and alone in that`, async () => {
    await using dir = await tempDir();
    const fault = { tool: DOCKERFILE, proposedFile: `${FROM}ADD https://FAULT /a\n` };
    await queueSample(dir.path, { ...fault, id: "bad", bottleSlug: "dev-2" });
    await queueSample(dir.path, { id: "good", proposedFile: "# a\n" });
    const functions = owner as Record<string, (...args: unknown[]) => unknown>;
    const original = functions[name]!;
    functions[name] = function (this: string | unknown[], ...args) {
      const text = typeof this === "string" ? this : this.join();
      if (text.includes("https://FAULT") && !text.includes("//FAULT,")) {
        throw new RangeError("Maximum call stack size exceeded");
      }
      return Reflect.apply(original, this, args);
    };
    try {
      const listed = JSON.parse((await supervise(dir.path, ["list", "--json"])).out);
      assertEquals(listed.pending.length, 2);
      const ref = { root: dir.path, bottleSlug: "dev-2", proposalId: "bad" };
      const inspection = await inspectProposal(ref);
      const words = JSON.stringify([inspection.problems, inspection.marks, inspection.diff]);
      assertStringIncludes(words, `the ${step} fails`);
      const said = { ...inspection, ...ref, notes: "no", operator: "ada@host" };
      const marked = inspection.marks.map(({ severity }) => severity);
      assertEquals(marked.slice(0, 1), ["medium"]);
      for (const ifUnmarked of [true, false]) {
        const approval = { ...said, ifUnmarked, verdict: { status: "approved" } } as const;
        await assertRejects(() => decide(approval), Error, `the ${step} fails`);
      }
      await decide({ ...said, verdict: { status: "rejected" } });
      await supervise(dir.path, ["show", "good"]);
      assertEquals((await supervise(dir.path, ["approve", "good"])).code, 0);
    } finally {
      functions[name] = original;
    }
  });
}
