import {
  inspectProposal,
  obstaclesTo,
  sha256Hex,
  SuperviseError,
  writeResponse,
} from "../../mod.ts";
import * as supervise from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";

/** A proposal that has everything wrong with it that one can have whose file is valid, or is not. */
async function worst(dir: TempDir, proposedFile = "*.example.com\n") {
  const { queueDir } = await queueSample(dir.path, {
    id: "p1",
    proposedFile,
    currentFileHash: sha256Hex("gone"),
  });
  const planted = { proposalId: "p1", status: "approved", notes: "", finalFile: "x" } as const;
  await writeResponse(queueDir, planted);
  return await inspectProposal({ root: dir.path, bottleSlug: "dev-1", proposalId: "p1" });
}

const ORDERS: readonly (readonly [what: string, proposedFile: string, last: string])[] = [
  ["high marks", "*.example.com\n", "unconfirmed: confirm"],
  ["an invalid file", "*.example.com\nHTTP://x\n", "invalid_file: edit"],
];

for (const [what, proposedFile, last] of ORDERS) {
  Deno.test(`obstaclesTo() lists all that stands in the way, in the order in which decide() refuses it, as JSON: ${what}`, async () => {
    await using dir = await tempDir();
    const inspection = await worst(dir, proposedFile);
    const shown = { proposalSha256: "0".repeat(64), currentSha256: sha256Hex("other") };
    const verdict = { status: "approved" } as const;
    const obstacles = obstaclesTo(inspection, { verdict, ...shown, ifUnmarked: true });
    assertEquals(
      obstacles.map(({ code, clearedBy: { how } }) => `${code}: ${how}`),
      [
        "changed: look",
        "marked: person",
        "stale: look",
        "stale: confirm",
        "answered_without_record: confirm",
        last,
      ],
    );
    assertEquals(JSON.parse(JSON.stringify(obstacles)), obstacles);
  });
}

Deno.test("obstaclesTo() asks a rejection for notes and for what another program wrote, and for nothing else", async () => {
  await using dir = await tempDir();
  const inspection = await worst(dir);
  const verdict = { status: "rejected" } as const;
  const codes = obstaclesTo(inspection, { verdict, currentSha256: "other", ifUnmarked: true })
    .map(({ code }) => code);
  assertEquals(codes, ["notes_missing", "answered_without_record"]);
});

Deno.test("obstaclesTo() says nothing of a version's file before it is written", async () => {
  await using dir = await tempDir();
  const inspection = await worst(dir);
  const codesFor = (finalFile?: string) =>
    obstaclesTo(inspection, {
      verdict: { status: "modified", ...(finalFile !== undefined && { finalFile }) },
      overrideUnrecorded: true,
      allowStale: true,
    }).map(({ code }) => code);
  assertEquals(codesFor(), []);
  assertEquals(codesFor("api.example.com\n"), []);
  assertEquals(codesFor("*.example.org\n"), ["unconfirmed"]);
  assertEquals(codesFor("HTTP://x\n"), ["invalid_file"]);
});

Deno.test("obstaclesTo() takes a confirmation for what it confirms alone", async () => {
  await using dir = await tempDir();
  const inspection = await worst(dir);
  const verdict = { status: "approved" } as const;
  const confirmed = { allowStale: true, overrideUnrecorded: true, confirmedSlug: "dev-1" };
  assertEquals(
    obstaclesTo(inspection, { verdict, ...confirmed }).map(({ code }) => code),
    [],
  );
  for (const field of Object.keys(confirmed) as (keyof typeof confirmed)[]) {
    const { [field]: _, ...others } = confirmed;
    const [first] = obstaclesTo(inspection, { verdict, ...others })
      .filter(({ clearedBy }) => clearedBy.how === "confirm");
    assert(first?.clearedBy.how === "confirm");
    assertEquals(first.clearedBy.gives, { [field]: confirmed[field] });
  }
});

Deno.test("every exported error class is a SuperviseError, with its own name", () => {
  const classes = Object.entries(supervise).filter(([name]) => name.endsWith("Error"));
  assert(classes.length > 5);
  for (const [name, errorClass] of classes as [string, { prototype: unknown; name: string }][]) {
    assertEquals(errorClass.name, name);
    assert(errorClass === SuperviseError || errorClass.prototype instanceof SuperviseError, name);
  }
});

Deno.test("obstaclesTo() judges an operator's version once for a look, however often it is asked", async () => {
  await using dir = await tempDir();
  const inspection = await worst(dir);
  let comparisons = 0;
  const counting = {
    ...inspection,
    get currentFile() {
      comparisons++;
      return inspection.currentFile;
    },
  };
  const codesFor = (finalFile: string) =>
    obstaclesTo(counting, {
      verdict: { status: "modified", finalFile },
      overrideUnrecorded: true,
      allowStale: true,
    }).map(({ code }) => code);
  const before = comparisons;
  const wildcards = ["*.example.org\n", "*.example.org\n", "*.example.org\n"];
  assertEquals(wildcards.map(codesFor), wildcards.map(() => ["unconfirmed"]));
  // Once for the marks, and once for the floor.
  assertEquals(comparisons - before, 2);
  assertEquals([codesFor("api.example.org\n"), comparisons - before], [[], 4]);
});
