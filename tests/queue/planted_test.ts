import { readOverview } from "../../mod.ts";
import {
  BAD_NAMES,
  makeOutside,
  OUTSIDE_SECRET,
  plantBadNames,
  PLANTED,
} from "../support/planted.ts";
import { startRacers } from "../support/race.ts";
import { queueSample } from "../support/records.ts";
import { inEnvironment } from "../support/environment.ts";
import { TextLineStream } from "../support/lines.ts";
import { REPO, run, type RunResult, supervise } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/** Plants every kind twice beside a sound proposal, and says what a listing should have to say. */
async function plantAll(dir: TempDir): Promise<{ file: string; reason: string }[]> {
  const { queueDir } = await queueSample(dir.path, { id: "sound" });
  await makeOutside(dir.at("outside"));
  const expected = BAD_NAMES.map((file) => ({ file, reason: "its name is no proposal id" }));
  await plantBadNames(queueDir);
  for (const { kind, plant, reason, asResponse = reason } of PLANTED) {
    await plant(`${queueDir}/p-${kind}.proposal.json`, dir.at("outside"));
    await plant(`${queueDir}/r-${kind}.response.json`, dir.at("outside"));
    expected.push({ file: `p-${kind}.proposal.json`, reason });
    expected.push({ file: `r-${kind}.response.json`, reason: asResponse });
  }
  return expected.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** Runs a command that a FIFO must not stop. It is killed if it waits for one, and fails then. */
async function endsByItself(dir: TempDir, ...args: string[]): Promise<RunResult> {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), 60_000);
  const result = await supervise(dir.path, args, { signal: end.signal });
  clearTimeout(timer);
  assertEquals(result.code, 0, `${args.join(" ")}: ${result.err}`);
  return result;
}

// Threat: B2
Deno.test("readOverview() and list name each planted file and its reason, beside a sound proposal", async () => {
  await using dir = await tempDir();
  const expected = await plantAll(dir);
  const { pending, unlisted, unreadable } = readOverview({ root: dir.path });
  assertEquals(pending.map(({ proposal }) => proposal.id), ["sound"]);
  assertEquals(unlisted, []);
  assertEquals(unreadable, expected.map((file) => ({ bottleSlug: "dev-1", ...file })));

  const { out } = await endsByItself(dir, "list", "--json");
  const json = JSON.parse(out);
  assertEquals(json.pending.map(({ id }: { id: string }) => id), ["sound"]);
  assertEquals(json.unreadable, expected.map((file) => ({ bottle_slug: "dev-1", ...file })));
  assert(!out.includes(OUTSIDE_SECRET));

  // Nor does any of them keep the sound one from being shown and decided.
  const shown = await supervise(dir.path, ["show", "sound"]);
  assertStringIncludes(shown.out, "api.github.com");
  const approved = await supervise(dir.path, ["approve", "sound"]);
  assertStringIncludes(approved.out, `approved id "sound" (dev-1)\n`);
  assertEquals(approved.code, 0);
});

Deno.test("show and approve refuse each planted proposal with its reason, and show nothing of it", async (t) => {
  await using dir = await tempDir();
  await plantAll(dir);
  const commands = PLANTED.flatMap(({ kind }) =>
    ["show", "approve"].map((verb) => [verb, `p-${kind}`])
  );
  const [operator] = await startRacers(dir, dir.path, [commands]);
  const ended = await operator!.go();
  for (const [n, { kind, reason }] of PLANTED.entries()) {
    await t.step(kind, () => {
      const [shown, approved] = ended.slice(2 * n);
      assertEquals([shown!.exit, shown!.printed], [1, []]);
      assertStringIncludes(shown!.complaints.join("\n"), reason);
      assertEquals([approved!.exit, approved!.printed], [1, []]);
    });
  }
});

// Threat: B2
Deno.test("list, show and approve wait for none of a hundred FIFOs", async () => {
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "sound" });
  const fifos = Array.from({ length: 100 }, (_, n) => `${queueDir}/f${n}.proposal.json`);
  assertEquals((await run("mkfifo", fifos)).code, 0);
  const list = await endsByItself(dir, "list");
  assertEquals(list.err.split("it is not a regular file").length, 101);
  const show = await endsByItself(dir, "show", "sound");
  assertStringIncludes(show.out, "sound");
  const approve = await endsByItself(dir, "approve", "sound");
  assertStringIncludes(approve.out, `approved id "sound" (dev-1)\n`);
});

for (
  const [what, plant, reason] of [
    [
      "a link",
      (path: string, outside: string) => Deno.symlink(outside, path),
      "it is a link, where a directory belongs",
    ],
    ["a file", (path: string) => Deno.writeTextFile(path, ""), "it is not a directory"],
    ["a FIFO", (path: string) => run("mkfifo", [path]), "it is not a directory"],
  ] as const
) {
  Deno.test(`list reports ${what} in the place of an archive or a queue, and lists the others`, async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "sound" });
    await queueSample(dir.path, { id: "hidden", bottleSlug: "outside" });
    await Deno.rename(dir.at("queue", "outside"), dir.at("outside"));
    await plant(dir.at("queue", "dev-1", "processed"), dir.at("outside"));
    await plant(dir.at("queue", "dev-2"), dir.at("outside"));
    const { out } = await supervise(dir.path, ["list", "--json"]);
    const json = JSON.parse(out);
    assertEquals(json.pending.map(({ id }: { id: string }) => id), ["sound"]);
    assertEquals(json.unreadable, [
      { bottle_slug: "dev-2", file: ".", reason },
      { bottle_slug: "dev-1", file: "processed", reason },
    ]);
    // What is behind a link is not found by its id either.
    assertEquals((await supervise(dir.path, ["show", "hidden"])).code, 3);
  });
}

Deno.test("readOverview() reports a planted archive first, so that no number of broken files hides it", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue", "dev-1");
  await Deno.mkdir(queue, { recursive: true });
  for (let n = 0; n < 150; n++) await Deno.writeTextFile(`${queue}/a${n}.proposal.json`, "");
  await Deno.symlink("/", `${queue}/processed`);
  const { unreadable } = readOverview({ root: dir.path });
  assertEquals(unreadable[0]?.file, "processed");
  assertEquals(unreadable.length, 102);
});

// Threat: B2
Deno.test("watch tells of other bottles, and can be ended, while FIFOs and links to them come into a queue", async () => {
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "first" });
  const watch = new Deno.Command("sh", {
    args: [join(REPO, "cli/supervise.sh"), "watch", "--json"],
    ...inEnvironment({ CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" }),
    stdout: "piped",
  }).spawn();
  // A watch that hangs is killed, and the test fails.
  const timer = setTimeout(() => watch.kill("SIGKILL"), 60_000);
  const lines = watch.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  const next = async () => JSON.parse((await lines.read()).value ?? "{}");
  assertEquals((await next()).id, "first");
  for (const [n, at] of ["a", "b", "c"].entries()) {
    assertEquals((await run("mkfifo", [dir.at(at), `${queueDir}/${at}`])).code, 0);
    await Deno.symlink(dir.at(at), `${queueDir}/link-${at}`);
    // A directory that is new is watched anew.
    await queueSample(dir.path, { id: `of-${n}`, bottleSlug: `dev-2${n}` });
    let told = await next();
    while (told.event === "unreadable") told = await next();
    assertEquals([told.event, told.id], ["arrived", `of-${n}`]);
  }
  watch.kill("SIGTERM");
  await lines.cancel();
  const { signal } = await watch.status;
  clearTimeout(timer);
  assert(signal !== "SIGKILL");
});
