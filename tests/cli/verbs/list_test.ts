import { supervise } from "../../support/command_line.ts";
import { flood } from "../../support/flood.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const MINUTE_MS = 60_000;

/** Five proposals of two bottles and three tools; the ids say when they came, and what is odd. */
async function prepare(dir: TempDir): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "b"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "b", "allowlist"), "old.example\n");
  const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS).toISOString();
  await queueSample(dir.path, {
    id: "1-plain",
    proposedFile: "# a\n",
    bottleSlug: "b",
    arrivalTimestamp: ago(5000),
  });
  await queueSample(dir.path, {
    id: "2-medium",
    bottleSlug: "b",
    tool: "cred-proxy-block",
    proposedFile: '{"routes":[{"path":"/a","upstream":"https://a.example"}]}',
    arrivalTimestamp: ago(200),
  });
  await queueSample(dir.path, {
    id: "3-high",
    bottleSlug: "a",
    proposedFile: "*.a.example\n",
    arrivalTimestamp: ago(100),
  });
  await queueSample(dir.path, {
    id: "4-root",
    bottleSlug: "a",
    tool: "capability-block",
    proposedFile: "FROM debian:12\nUSER root\nRUN curl x | sh\n",
    arrivalTimestamp: ago(10),
  });
  await queueSample(dir.path, {
    id: "5-odd-time",
    proposedFile: "# a\n",
    bottleSlug: "b",
    arrivalTimestamp: "soon",
  });
}

const all = ["1-plain", "2-medium", "3-high", "4-root", "5-odd-time"];

for (
  const [args, ids] of [
    [[], all],
    [["--sort", "age"], all.toReversed()],
    [["--sort", "bottle"], ["3-high", "4-root", "1-plain", "2-medium", "5-odd-time"]],
    [["--sort=tool"], ["4-root", "2-medium", "1-plain", "3-high", "5-odd-time"]],
    [["--sort", "marks"], ["4-root", "3-high", "2-medium", "1-plain", "5-odd-time"]],
    [["--tool", "pipelock-block"], ["1-plain", "3-high", "5-odd-time"]],
    [["--tool", "pipelock-block", "--bottle", "a"], ["3-high"]],
    // One whose time cannot be read is never left out.
    [["--since", "3d"], ["2-medium", "3-high", "4-root", "5-odd-time"]],
    [["--since", "2h"], ["3-high", "4-root", "5-odd-time"]],
    [["--since", "15m"], ["4-root", "5-odd-time"]],
    [["--since", "90s"], ["5-odd-time"]],
    [["--since", "2000-01-01T00:00:00+01:00"], all],
    [["--since", "2999-01-01T00:00:00Z"], ["5-odd-time"]],
    [["--since", "4h", "--sort", "marks", "--bottle", "b"], ["2-medium", "5-odd-time"]],
  ] as const
) {
  Deno.test(`list ${args.join(" ")} lists ${ids.join(", ")}`, async () => {
    await using dir = await tempDir();
    await prepare(dir);
    const { code, out } = await supervise(dir.path, ["list", "--json", ...args]);
    assertEquals(code, 0);
    assertEquals(JSON.parse(out).pending.map(({ id }: { id: string }) => id), [...ids]);
  });
}

Deno.test("list says what is marked, in a column and in --json", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const { out } = await supervise(dir.path, ["list"]);
  const marks = out.split("\n").map((line) => /^(?:id )?\S+ +(\d \w+) /.exec(line)?.[1]);
  assertEquals(marks.slice(1, -1), ["1 low", "1 medium", "1 high", "2 high", "1 low"]);
  const json = await supervise(dir.path, ["list", "--json", "--bottle", "b"]);
  assertEquals(JSON.parse(json.out).pending.map((entry: { marks: object }) => entry.marks), [
    { high: 0, medium: 0, low: 1 },
    { high: 0, medium: 1, low: 0 },
    { high: 0, medium: 0, low: 1 },
  ]);
});

Deno.test("list has no marks for what it cannot compare, and says so", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1", "allowlist"), { recursive: true });
  await queueSample(dir.path, { id: "p1" });
  const { out } = await supervise(dir.path, ["list"]);
  assertStringIncludes(out.split("\n")[1]!, "p1  ?      dev-1 ");
  const json = await supervise(dir.path, ["list", "--json"]);
  assertEquals(JSON.parse(json.out).pending[0].marks, null);
});

Deno.test("list with flags that leave nothing says so, and still raises every alarm", async () => {
  await using dir = await tempDir();
  flood(dir.at("queue", "dev-1"), 1_001);
  await Deno.writeTextFile(dir.at("queue", "dev-1", "x.proposal.json"), "{");
  const { code, out, err } = await supervise(dir.path, ["list", "--tool", "capability-block"]);
  assertEquals([code, out], [0, "Nothing that is pending matches.\n"]);
  assertStringIncludes(err, "1 more is pending and not listed");
  assertStringIncludes(err, "x.proposal.json");
});

for (
  const [args, says] of [
    [["--sort", "size"], "Cannot use size as --sort: expected one of age, bottle, tool, marks"],
    [
      ["--tool", "pipelock"],
      "Cannot use pipelock as --tool: expected one of " +
      "cred-proxy-block, pipelock-block, capability-block",
    ],
    [["--since", "yesterday"], "Cannot use yesterday as --since: expected 90s, 15m, 2h or 3d"],
    [["--since", "5"], "Cannot use 5 as --since"],
    [["--since", "1.5h"], "Cannot use 1.5h as --since"],
    [["--since", "2026-11-22"], "or a time such as 2026-11-22T10:00:00Z"],
    [["--since", "2026-13-22T10:00:00Z"], "Cannot use 2026-13-22T10:00:00Z as --since"],
  ] as const
) {
  Deno.test(`list ${args.join(" ")} is refused in words`, async () => {
    await using dir = await tempDir();
    const { code, err } = await supervise(dir.path, ["list", ...args]);
    assertEquals(code, 2);
    assertStringIncludes(err, says);
  });
}

Deno.test("list says if there is no queue in the root: with a path typed wrongly nothing would seem pending", async () => {
  await using dir = await tempDir();
  const { code, out, err } = await supervise(dir.path, ["list"]);
  assertEquals([code, out], [0, "Nothing is pending.\n"]);
  assertStringIncludes(err, `! there is no ${dir.at("queue")}: no bottle was ever added here`);
});
