import {
  decide,
  inspectProposal,
  readAuditEntries,
  readResponse,
  SuperviseError,
} from "../../mod.ts";
import { supervise } from "../support/command_line.ts";
import { type QueuedProposal, queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { asUser } from "../support/user.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const SLUG = "dev-1";

async function approve(dir: TempDir, { proposal }: QueuedProposal) {
  const ref = { root: dir.path, bottleSlug: SLUG, proposalId: proposal.id };
  const shown = await inspectProposal(ref);
  return await decide({
    ...shown,
    root: dir.path,
    verdict: { status: "approved" },
    notes: "",
    operator: "ada@host",
    confirmedSlug: SLUG,
    overrideUnrecorded: true,
  });
}

const actions = async (dir: TempDir) =>
  (await readAuditEntries("pipelock", SLUG, { root: dir.path }))
    .map(({ operatorAction }) => operatorAction);

interface Obstruction {
  readonly what: string;
  /** The path of what obstructs, below the root. */
  readonly path: string;
  /** What it is: a file, or a directory of that mode. */
  readonly mode: number | "file";
  /** Whether `doctor` tells it under another name than `permissions`. */
  readonly check?: string;
}

const OBSTRUCTIONS: readonly Obstruction[] = [
  { what: "an archive of mode 000", path: "queue/dev-1/processed", mode: 0o000 },
  { what: "an archive of mode 500", path: "queue/dev-1/processed", mode: 0o500 },
  { what: "an archive of mode 300", path: "queue/dev-1/processed", mode: 0o300 },
  {
    what: "a directory of mode 000 in the response's place",
    path: "queue/dev-1/p1.response.json",
    mode: 0o000,
    check: "foreign-answers",
  },
  { what: "a queue that may not be written", path: "queue/dev-1", mode: 0o500 },
  { what: "a queue that may not be listed", path: "queue/dev-1", mode: 0o300 },
  { what: "a staging directory of mode 000", path: "private/staging/dev-1", mode: 0o000 },
  { what: "a file in the staging directory's place", path: "private/staging/dev-1", mode: "file" },
  { what: "intents of mode 500", path: "private/intents", mode: 0o500 },
];

for (const { what, path, mode } of OBSTRUCTIONS) {
  // Threat: C2, C4
  Deno.test(`decide() records nothing, and the bottle goes on once it is repaired, with ${what}`, async () => {
    await using dir = await tempDir();
    const queued = await queueSample(dir.path, { id: "p1" });
    const place = dir.at(path);
    await Deno.mkdir(place.slice(0, place.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    if (mode === "file") await Deno.writeTextFile(place, "");
    else await Deno.mkdir(place, { recursive: true });
    await asUser(dir.path, async () => {
      if (mode !== "file") await Deno.chmod(place, mode);
      try {
        await assertRejects(() => approve(dir, queued), Error);
      } finally {
        if (mode !== "file") await Deno.chmod(place, 0o700);
      }
      assertEquals(await actions(dir), []);
      if (mode === "file") await Deno.remove(place);
      await approve(dir, queued);
      assertEquals(await actions(dir), ["approved"]);
      assertEquals((await readResponse(queued.queueDir, "p1")).status, "approved");
    });
  });
}

// Threat: C2
Deno.test("decide() names what is in a response's place and cannot be moved away", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  const place = `${queued.queueDir}/p1.response.json`;
  await Deno.mkdir(place);
  await asUser(dir.path, async () => {
    await Deno.chmod(place, 0o000);
    const error = await assertRejects(() => approve(dir, queued), SuperviseError, place);
    assertEquals(error.code, "queue_not_writable");
    const named = ["--sha256", queued.proposalSha256];
    const command = ["approve", "p1", "--override-unrecorded", ...named];
    const { code, err } = await supervise(dir.path, command);
    assertEquals(code, 1);
    assertStringIncludes(err, "Nothing was decided; supervise doctor says what to repair");
    await Deno.chmod(place, 0o700);
  });
});

// Threat: B3
Deno.test("decide() answers though a file is in the archive's place, which only the sidecar needs", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  await Deno.writeTextFile(`${queued.queueDir}/processed`, "");
  await approve(dir, queued);
  assertEquals((await readResponse(queued.queueDir, "p1")).status, "approved");
});
