import {
  decide,
  type DecideRequest,
  inspectProposal,
  readAuditEntries,
  readOverview,
  readResponse,
  SuperviseError,
} from "../../mod.ts";
import { supervise } from "../support/command_line.ts";
import { type QueuedProposal, queueSample } from "../support/records.ts";
import { canMount, mountTmpfs } from "../support/small_disk.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { asUser, ranAlone } from "../support/user.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const SLUG = "dev-1";

const SHA256 = "0".repeat(64);

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
  Deno.test(`decide() records nothing, and the bottle goes on once it is repaired, with ${what}`, async (t) => {
    if (await ranAlone(t)) return;
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

// Threat: B5, C2
Deno.test("what is said of an archive that may not be entered is true: list and reject name its mode", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  const { proposalSha256 } = await queueSample(dir.path, { id: "p1" });
  const archive = dir.at("queue", "dev-1", "processed");
  await Deno.mkdir(archive);
  await asUser(dir.path, async () => {
    for (const mode of [0o000, 0o600]) {
      await Deno.chmod(archive, mode);
      const reason = `processed has mode ${mode.toString(8)}`;
      const listed = await supervise(dir.path, ["list"]);
      assertEquals(listed.code, 0);
      assertStringIncludes(listed.out, "p1");
      assertStringIncludes(listed.err, reason);
      const named = ["--sha256", proposalSha256, "--notes", "no"];
      const { code, err } = await supervise(dir.path, ["reject", "p1", ...named]);
      assertEquals(code, 1, err);
      assertStringIncludes(err.replace(/\s+/g, " "), reason);
      assert(!/planted|without a record/.test(err), err);
    }
    await Deno.chmod(archive, 0o700);
    assertEquals((await supervise(dir.path, ["reject", "p1", "--notes", "no"])).code, 0);
  });
});

// Threat: C2
Deno.test("decide() names what is in a response's place and cannot be moved away", async (t) => {
  if (await ranAlone(t)) return;
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

// Threat: C2, C4
Deno.test("decide() records nothing if the queue's owner could not read the response", {
  ignore: Deno.uid() !== 0,
}, async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  await asUser(dir.path, async () => {
    const error = await assertRejects(() => approve(dir, queued), SuperviseError, "user 1001 owns");
    assertEquals(error.code, "queue_not_writable");
    assertEquals(await actions(dir), []);
    assertEquals(Array.from(Deno.readDirSync(queued.queueDir), ({ name }) => name), [
      "p1.proposal.json",
    ]);
  }, async () => {
    await Deno.chown(queued.queueDir, 1001, null);
    await Deno.chmod(queued.queueDir, 0o777);
  });
  await approve(dir, queued);
  assertEquals((await Deno.stat(`${queued.queueDir}/p1.response.json`)).uid, 1001);
});

// Threat: C2, C4
Deno.test("decide() records nothing if the response would be too large for its readers", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  const inspection = await inspectProposal({ root: dir.path, bottleSlug: SLUG, proposalId: "p1" });
  const decideWith = (notes: string) =>
    decide({
      ...inspection,
      root: dir.path,
      verdict: { status: "rejected" },
      notes,
      operator: "ada@host",
    });
  const most = 8 * 1024 * 1024 - 1300;
  const error = await assertRejects(() => decideWith("x".repeat(most + 300)), SuperviseError);
  assertEquals(error.code, "queue_not_writable");
  await assertRejects(() => decideWith("\u202e".repeat(1_400_000)), SuperviseError, "too large");
  assertEquals(await actions(dir), []);
  await decideWith("x".repeat(most));
  assertEquals((await readResponse(queued.queueDir, "p1")).notes.length, most);
});

// Threat: C2, C4
Deno.test("decide() records nothing if the disk has no room for the response", {
  ignore: !canMount,
}, async () => {
  await using dir = await tempDir();
  // Room for the proposal and what is recorded of a decision, and not for the response besides.
  await using _ = await mountTmpfs(dir.path, "size=300k");
  const queued = await queueSample(dir.path, {
    id: "p1",
    proposedFile: "# a long comment\n".repeat(6_000),
  });
  const error = await assertRejects(() => approve(dir, queued), SuperviseError);
  assertEquals(error.code, "queue_not_writable");
  assertEquals(await actions(dir), []);
});

/** What a program that is not type-checked may ask for, and the field that is named. */
const MALFORMED: readonly (readonly [change: Record<string, unknown>, names: string])[] = [
  [{ operator: undefined }, "operator"],
  [{ operator: "" }, "operator"],
  [{ operatorName: 1 }, "operatorName"],
  [{ notes: null }, "notes"],
  [{ proposalSha256: undefined }, "proposalSha256"],
  [{ proposalSha256: [SHA256] }, "proposalSha256"],
  [{ currentSha256: 7 }, "currentSha256"],
  [{ proposalId: ["p1"] }, "proposalId"],
  [{ bottleSlug: undefined }, "bottleSlug"],
  [{ root: 7 }, "root"],
  [{ verdict: undefined }, "verdict"],
  [{ verdict: "approved" }, "verdict"],
  [{ verdict: { status: "superseded" } }, "verdict"],
  [{ verdict: { status: "modified" } }, "verdict"],
  [{ verdict: { status: "modified", finalFile: new String("x.example\n") } }, "verdict"],
  [{ verdict: { status: "rejected", finalFile: "x.example\n" } }, "verdict"],
  [{ verdict: { status: "approved", finalFile: "x.example\n" } }, "verdict"],
  [{ confirmedSlug: true }, "confirmedSlug"],
  [{ allowStale: "no" }, "allowStale"],
  [{ overrideUnrecorded: 0 }, "overrideUnrecorded"],
  [{ ifUnmarked: "true" }, "ifUnmarked"],
];

Deno.test.each(MALFORMED)(
  "decide() records nothing of a request with %o",
  async (change, names) => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const shown = await inspectProposal({ root: dir.path, bottleSlug: SLUG, proposalId: "p1" });
    const sound = {
      ...shown,
      root: dir.path,
      verdict: { status: "approved" },
      notes: "",
      operator: "a@b",
    };
    const request = { ...sound, ...change } as unknown as DecideRequest;
    await assertRejects(() => decide(request), TypeError, `Cannot decide: ${names}: `);
    assertEquals(await actions(dir), []);
    await decide(sound as DecideRequest);
    assertEquals(await actions(dir), ["approved"]);
  },
);

// Threat: C2
Deno.test("a decided proposal whose response is gone is reported, and not pending", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  const other = await queueSample(dir.path, { id: "p2" });
  await approve(dir, queued);
  const response = `${queued.queueDir}/p1.response.json`;
  const told = await Deno.readTextFile(response);
  await Deno.remove(response);
  const ids = () => readOverview({ root: dir.path }).pending.map(({ proposalId }) => proposalId);
  const { unreadable } = readOverview({ root: dir.path });
  assertEquals(ids(), ["p2"]);
  assertEquals(unreadable.map(({ file }) => file), ["p1.proposal.json"]);
  assertStringIncludes(unreadable[0]!.reason, "approved already, and its response is gone");
  const listed = await supervise(dir.path, ["list"]);
  assertStringIncludes(listed.out + listed.err, "its response is gone");
  const { out } = await supervise(dir.path, ["doctor"]);
  assertStringIncludes(out, "its response is gone");
  // While it is being answered, it is reported as neither.
  const intent = dir.at("private/intents/dev-1.json");
  await Deno.writeTextFile(intent, "");
  assertEquals(readOverview({ root: dir.path }).unreadable, []);
  await Deno.remove(intent);
  await Deno.writeTextFile(response, told);
  assertEquals(readOverview({ root: dir.path }).unreadable, []);
  assertEquals(ids(), [other.proposal.id]);
});
