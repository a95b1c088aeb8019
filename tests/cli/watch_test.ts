import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { archiveProposal, decide } from "../../mod.ts";
import { TextLineStream } from "../support/lines.ts";
import { flood } from "../support/flood.ts";
import { queueSample } from "../support/records.ts";
import { REPO } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";

function startWatch(dir: TempDir, args: readonly string[]) {
  const process = new Deno.Command("sh", {
    args: [join(REPO, "cli/supervise.sh"), "watch", ...args],
    env: { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = process.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  return { process, next: async () => (await lines.read()).value ?? "" };
}

Deno.test("watch --json prints what arrives, is decided, is withdrawn, cannot be read; Ctrl-C ends it", async () => {
  await using dir = await tempDir();
  const first = await queueSample(dir.path, { id: "p1" });
  const watch = startWatch(dir, ["--json"]);
  const next = async () => {
    const { version, event, id, bottle_slug, ...rest } = JSON.parse(await watch.next());
    assertEquals(version, 1);
    return { event: `${event} ${bottle_slug}/${id ?? rest.file}`, ...rest };
  };
  const arrived = await next();
  assertEquals(arrived.event, "arrived dev-1/p1");
  assertEquals(arrived.proposal_sha256, first.proposalSha256);
  // A bottle that did not exist when the watch began.
  const second = await queueSample(dir.path, { id: "p2", bottleSlug: "new" });
  assertEquals((await next()).event, "arrived new/p2");
  await decide({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: "p1",
    proposalSha256: first.proposalSha256,
    verdict: { status: "rejected" },
    notes: "no",
    operator: "ada@host",
  });
  await archiveProposal(first.queueDir, "p1");
  assertEquals(await next(), { event: "decided dev-1/p1", status: "rejected" });
  await Deno.remove(second.path);
  assertEquals(await next(), { event: "withdrawn new/p2" });
  // At once: an empty file that is filled later would be two events.
  await Deno.writeTextFile(dir.at("broken"), "{");
  await Deno.rename(dir.at("broken"), `${first.queueDir}/x.proposal.json`);
  const unreadable = await next();
  assertEquals(unreadable.event, "unreadable dev-1/x.proposal.json");
  watch.process.kill("SIGINT");
  assertEquals(await watch.next(), "");
  assertEquals((await watch.process.status).code, 0);
});

Deno.test("watch prints lines for people, one bottle only if told so", async () => {
  await using dir = await tempDir();
  const watch = startWatch(dir, ["--bottle", "dev-1"]);
  await queueSample(dir.path, { id: "other", bottleSlug: "dev-2" });
  await queueSample(dir.path, { id: "p1", justification: "two\nlines \x1b[2J" });
  assertStringIncludes(
    await watch.next(),
    "arrived    p1  dev-1  pipelock-block  [1 escaped]  │ two↵lines ⟨U+001B⟩[2J",
  );
  watch.process.kill("SIGTERM");
  assertEquals(await watch.next(), "");
  assertEquals((await watch.process.status).code, 0);
});

Deno.test("watch raises an alarm when the count of what it does not list changes, and when it is over", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue", "dev-1");
  flood(queue, 1_002);
  const watch = startWatch(dir, ["--json"]);
  const next = async () => {
    while (true) {
      const { event, bottle_slug, count } = JSON.parse(await watch.next());
      if (event === "unlisted") return { bottle_slug, count };
    }
  };
  assertEquals(await next(), { bottle_slug: "dev-1", count: 2 });
  await queueSample(dir.path, { id: "more" });
  assertEquals(await next(), { bottle_slug: "dev-1", count: 3 });

  const people = startWatch(dir, []);
  let line = "";
  while (!line.startsWith("!")) line = await people.next();
  assertEquals(line, "! dev-1: 3 more are pending and not listed: somebody floods this queue");
  await Deno.rename(queue, dir.at("queue", "dev-2"));
  while (!line.endsWith("is listed")) line = await people.next();
  assertEquals(line, "! dev-1: all that is pending is listed");
  assertEquals(await next(), { bottle_slug: "dev-1", count: 0 });
  for (const { process } of [watch, people]) process.kill("SIGTERM");
  for (const { process, next } of [watch, people]) {
    while (await next() !== "");
    await process.status;
  }
});
