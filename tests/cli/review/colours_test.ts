import { shortIds } from "../../../cli/command/resolve.ts";
import { entryLine, shortSlugs } from "../../../cli/render/entry.ts";
import { renderPending } from "../../../cli/render/pending.ts";
import { makeStyle } from "../../../cli/render/style.ts";
import { hintsOfPending, marksOfPending } from "../../../internal_mod.ts";
import { readOverview, writeResponse } from "../../../mod.ts";
import { openTestApp, type TestApp } from "../../support/app.ts";
import { sampleEntry } from "../../support/audit.ts";
import { queueSample } from "../../support/records.ts";
import { REPO } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";

const FOLDER = join(REPO, "tests/testdata/colours");

const COLUMNS = 80;

const NAMES: Readonly<Record<string, string>> = {
  1: "bold",
  2: "dim",
  7: "inverse",
  22: "/",
  27: "/",
  31: "red",
  32: "green",
  35: "magenta",
  39: "/",
};

/** Rows with their escape sequences as words, and without what differs from run to run. */
function readable(rows: readonly string[]): string {
  return rows.map((row) => `${row.trimEnd()}\n`).join("")
    // deno-lint-ignore no-control-regex
    .replace(/\x1b\[(\d+)m/g, (_, code) => `«${NAMES[code]}»`)
    .replace(/[0-9a-f]{20,}/g, (hex) => "x".repeat(hex.length))
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d/g, "2026-01-01 10:00")
    .replace(/:\d\d [+-]\d\d:\d\d \(/g, ":00 +00:00 (");
}

async function assertGolden(name: string, rows: readonly string[]): Promise<void> {
  const file = join(FOLDER, `${name}.txt`);
  if (Deno.env.get("UPDATE_GOLDEN") === "1") await Deno.writeTextFile(file, readable(rows));
  else assertEquals(readable(rows), await Deno.readTextFile(file));
}

/** What is proposed instead of "mirror.example": with a high mark, a medium, a low, unsound, and none. */
const FILES = [
  "*.example.net\n",
  "mirror.example\nx.ngrok.io\n",
  "mirror.example\nfiles.example\n",
  "https://host.example\n",
  "# none\n",
];

/** 500 days ago, and not soon another age. */
const at = (second: number) =>
  new Date(Date.now() - 500.5 * 86_400_000 + 1000 * second).toISOString();

async function prepare(dir: TempDir): Promise<void> {
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), "mirror.example\n");
  for (const [n, proposedFile] of FILES.entries()) {
    const justification = `Reason ${n}.`;
    await queueSample(dir.path, {
      id: `p${n}`,
      arrivalTimestamp: at(n),
      proposedFile,
      justification,
    });
  }
}

async function answerElsewhere(app: TestApp, dir: TempDir): Promise<void> {
  const response = { proposalId: "p0", status: "approved", notes: "", finalFile: null } as const;
  await writeResponse(dir.at("queue", "dev-1"), response);
  await app.look();
}

const SCREENS: Readonly<Record<string, (app: TestApp, dir: TempDir) => Promise<void>>> = {
  list: (app) => app.press("j", "x"),
  proposal: (app) => app.press("return"),
  undo: async (app) => {
    await app.press("return");
    await app.decide("r");
    await app.answer("no");
  },
  confirm: async (app) => {
    await app.press("return");
    await app.decide("a");
  },
  unrecorded: answerElsewhere,
  "unrecorded-proposal": async (app, dir) => {
    await answerElsewhere(app, dir);
    await app.press("return");
  },
};

for (const [name, go] of Object.entries(SCREENS)) {
  // Threat: A13
  Deno.test(`the full screen in colour shows ${name} as the file of that name has it`, async () => {
    await using dir = await tempDir();
    await prepare(dir);
    const app = await openTestApp(dir, { colour: true });
    await go(app, dir);
    await assertGolden(name, app.app.frame({ columns: COLUMNS, rows: 24 }));
  });
}

Deno.test("list and audit show in colour print what the files of those names have", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const style = makeStyle(true);
  const { pending } = readOverview({ root: dir.path });
  const nowMs = Date.now();
  const table = {
    shorts: shortIds(pending.map(({ proposal }) => proposal.id)),
    marks: marksOfPending(pending, dir.path),
    hints: hintsOfPending(pending, dir.path, nowMs),
    nowMs,
    style,
  };
  await assertGolden("verb-list", renderPending(pending, { ...table, columns: COLUMNS }));
  const entries = ["approved", "modified", "rejected", "superseded"].flatMap((operatorAction) =>
    [{ operatorAction, operatorKey: "k" }, { operatorAction }]
      .map((change) =>
        entryLine(sampleEntry(change), shortSlugs(["dev-1"], COLUMNS), COLUMNS, style)
      )
  );
  await assertGolden("verb-audit-show", entries);
});

/** The colours and the like in which a row, or what begins somewhere in it, is painted. */
const paintOf = (row: string, at: RegExp) => /^(?:«\w+»)*/.exec(row.slice(row.search(at)))![0];

// Threat: A13
Deno.test("in colour a removed line and a high mark differ by more than a colour, on every screen", async () => {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  const expected = [...Object.keys(SCREENS), "verb-list", "verb-audit-show"];
  assertEquals(names, expected.map((name) => `${name}.txt`).sort());
  const [removed, high] = [new Set<string>(), new Set<string>()];
  for (const name of names) {
    for (const row of (await Deno.readTextFile(join(FOLDER, name))).split("\n")) {
      if (/^«\w+»-\d/.test(row)) removed.add(paintOf(row, /^/));
      const mark = /(?:«\w+»)*(?:! high|1 high)/;
      if (mark.test(row)) high.add(paintOf(row, mark).replace("«inverse»", ""));
    }
  }
  assertEquals([[...removed], [...high]], [["«red»"], ["«bold»«red»"]]);
  assert([...removed].every((paint) => !high.has(paint)));
});
