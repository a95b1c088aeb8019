import { hintInShort } from "../../../cli/render/pending.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { REPO } from "../../support/run.ts";
import { tempDir } from "../../support/temp.ts";
import { type Trick, TRICKS } from "../../support/tricks.ts";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";

const FOLDER = join(REPO, "tests/testdata/screens");

/** What differs from run to run. */
function settle(text: string): string {
  return text
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/g, "2026-01-01 10:00:00 +00:00")
    .replace(/\b\d+ [smhd](?= ago| )/g, "AGE").replace(/^sha256 .*$/m, "sha256  SHA256");
}

async function screenOf([about, attempt]: Trick): Promise<string> {
  await using dir = await tempDir();
  const arrivalTimestamp = "2026-01-01T10:00:00.000Z";
  await queueSample(dir.path, { id: "p1", arrivalTimestamp, ...attempt });
  let screen = `# ${about}\n`;
  for (const args of [["list"], ["show", "p1"]]) {
    const { code, out, err } = await supervise(dir.path, args);
    assertEquals([code, err], [0, ""]);
    screen += `\n$ supervise ${args.join(" ")}\n${settle(out)}`;
  }
  return screen;
}

for (const [name, trick] of Object.entries(TRICKS)) {
  // Threat: A6
  Deno.test(`list and show show ${name} as the screen of that name has it`, async () => {
    const file = join(FOLDER, `${name}.txt`);
    const actual = await screenOf(trick);
    if (Deno.env.get("UPDATE_GOLDEN") === "1") await Deno.writeTextFile(file, actual);
    else assertEquals(actual, await Deno.readTextFile(file));
  });
}

Deno.test("each screen is of a trick, and each row of it that an agent wrote stands behind a sign", async () => {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  assertEquals(names, Object.keys(TRICKS).map((name) => `${name}.txt`).sort());
  const ours =
    /^(#|\$ supervise|ID +(?:MARKS +)?(?:NOTE +)?BOTTLE|p1 +[^│]*dev-1|arrived |sha256 |The agent says:|In the diff:|$)/;
  for (const name of names) {
    for (const row of (await Deno.readTextFile(join(FOLDER, name))).split("\n")) {
      assert(ours.test(row) || /^[│+\-@! ]/.test(row), `${name}: ${row}`);
    }
  }
});

Deno.test("a note says that not all was compared, whatever else it says but that it was rejected", () => {
  const hints = { stale: false, decided: 4, rejected: 4, isPartial: true } as const;
  assertEquals(hintInShort(hints, 0), "? 4 decided");
  assertEquals(hintInShort({ ...hints, stale: true }, 0), "? stale");
  assertEquals(hintInShort(hints, 3), "? [3 escaped]");
  assertEquals(hintInShort({ ...hints, decided: 3 }, 0), "?");
  const rejectedBefore = { timestamp: "2026-01-01T00:00:00Z", exact: true };
  assertEquals(hintInShort({ ...hints, rejectedBefore }, 3), "rejected");
  assertEquals(hintInShort({ stale: false, decided: 4, rejected: 4 }, 0), "4 decided");
});

Deno.test("--json has what is shown and the count beside the raw text, in list, show and audit show", async () => {
  await using dir = await tempDir();
  const justification = "a\u202e\n\u0430b";
  const proposedFile = "# gr\u00f6n\tx\napi.example.com\n";
  await queueSample(dir.path, { id: "p1", justification, proposedFile });
  const json = async (...args: string[]) => {
    const { code, out } = await supervise(dir.path, [...args, "--json"]);
    assertEquals(code, 0, out);
    assert(/^[\n\x20-\x7e]*$/.test(out));
    return JSON.parse(out);
  };
  const why = {
    justification,
    justification_visible: "a⟨U+202E⟩\n⟨U+0430⟩b",
    justification_escaped: 2,
  };
  const has = (found: Record<string, unknown>, expected: Record<string, unknown>) =>
    assertEquals(
      Object.fromEntries(Object.keys(expected).map((key) => [key, found[key]])),
      expected,
    );
  has((await json("list")).pending[0], why);
  const shown = await json("show", "p1");
  has(shown, {
    ...why,
    proposed_file: proposedFile,
    proposed_file_visible: "# gr⟨U+00F6⟩n⇥x\napi.example.com\n",
    proposed_file_escaped: 1,
    current_file: null,
    current_file_visible: null,
    current_file_escaped: null,
    diff_escaped: 1,
    agent_diff_visible: null,
  });
  assert(shown.diff.includes("+# gr\u00f6n\tx\n"));
  assert(shown.diff_visible.includes("+# gr⟨U+00F6⟩n⇥x\n"));
  await json("reject", "p1", "--notes", "no\u00a0way");
  const [entry] = (await json("audit", "show")).entries;
  has(entry, {
    ...why,
    operator_notes: "no\u00a0way",
    operator_notes_visible: "no⟨U+00A0⟩way",
    operator_notes_escaped: 1,
    diff: shown.diff,
    diff_visible: shown.diff_visible,
    diff_escaped: 1,
  });
  const { out } = await supervise(dir.path, ["audit", "show", "--full"]);
  for (const heading of ["notes:  [1 escaped]", "said:  [2 escaped]", "diff:  [1 escaped]"]) {
    assert(out.includes(heading), out);
  }
});

// Threat: A13
Deno.test("an id that reads like words of this program is in quotes behind a label, wherever it is a cell", async () => {
  await using dir = await tempDir();
  const long = ["a", "b"].map((end) => `No_marks-All_lines_seen-press_${end}`);
  const ids = [...long, "approved", "no-marks"];
  for (const id of ids) await queueSample(dir.path, { id, proposedFile: "# a\n" });
  const quoted = ids.map((id) => `id "${id}"`);
  const shown = async (...args: string[]) => (await supervise(dir.path, args)).out.split("\n");
  const listed = (await shown("list")).filter((row) => row.startsWith("id "));
  assertEquals(listed.map((row) => row.split("  ")[0]), quoted);
  assertEquals((await shown("show", "approved"))[0], `${quoted[2]}  dev-1  pipelock-block`);
  assertEquals((await shown("show", ids[0]!))[0], `${quoted[0]}  dev-1  pipelock-block`);
  await supervise(dir.path, ["reject", ids[0]!, "--notes", "no"]);
  const rows = await shown("audit", "show", "--full");
  assert(rows.includes(`  proposal ${quoted[0]}`), rows.join("\n"));
});

// Threat: A8
Deno.test("list, show and audit show cut words that no sidecar lets through, and say so; --json has all", async () => {
  await using dir = await tempDir();
  const justification = "\u202e".repeat(1_300_000);
  const { proposalSha256 } = await queueSample(dir.path, { id: "p1", justification });
  const run = async (...args: string[]) => {
    const { code, out, err } = await supervise(dir.path, args);
    assertEquals(code, 0, err);
    return out;
  };
  const inList = await run("list");
  const inShow = await run("show", "p1");
  assertEquals(JSON.parse(await run("show", "p1", "--json")).justification, justification);
  await run("reject", "p1", "--notes", "no", "--sha256", proposalSha256);
  const inLog = await run("audit", "show", "--full");
  assert(inList.length < 1000 && inList.includes("[16384 escaped]"), inList.slice(0, 1000));
  for (const text of [inShow, inLog]) {
    assert(text.length < 300_000, `${text.length} characters`);
    assert(/^ *! The text is too long and was cut here; --json has all of it\.$/m.test(text));
  }
});
