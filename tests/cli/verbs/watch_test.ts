import { archiveProposal, decide, writeResponse } from "../../../mod.ts";
import { startWatch } from "../../support/command_line.ts";
import { inEnvironment } from "../../support/environment.ts";
import { flood } from "../../support/flood.ts";
import { queueSample } from "../../support/records.ts";
import { REPO } from "../../support/run.ts";
import { tempDir } from "../../support/temp.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

Deno.test("watch --json prints what arrives, is decided, is withdrawn, cannot be read", async () => {
  await using dir = await tempDir();
  const first = await queueSample(dir.path, { id: "p1", proposedFile: "# a\n" });
  const watch = startWatch(dir.path, ["--json"]);
  const next = async () => {
    const { version, event, id, bottle_slug, ...rest } = JSON.parse(await watch.next());
    assertEquals(version, 1);
    return { event: `${event} ${bottle_slug}/${id ?? rest.file}`, ...rest };
  };
  const arrived = await next();
  assertEquals(arrived.event, "arrived dev-1/p1");
  assertEquals(arrived.proposal_sha256, first.proposalSha256);
  assertEquals(arrived.marks, { high: 0, medium: 0, low: 0 });
  // A bottle that did not exist when the watch began.
  const second = await queueSample(dir.path, { id: "p2", bottleSlug: "new" });
  assertEquals((await next()).event, "arrived new/p2");
  await decide({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: "p1",
    proposalSha256: first.proposalSha256,
    verdict: { status: "rejected" },
    notes: "no \u202e",
    operator: "ada@host",
  });
  await archiveProposal(first.queueDir, "p1");
  assertEquals(await next(), {
    event: "decided dev-1/p1",
    status: "rejected",
    operator: "ada@host",
    notes: "no \u202e",
    notes_visible: "no ⟨U+202E⟩",
    notes_escaped: 1,
  });
  await Deno.remove(second.path);
  assertEquals(await next(), { event: "withdrawn new/p2" });
  // At once: an empty file that is filled later would be two events.
  await Deno.writeTextFile(dir.at("broken"), "{");
  await Deno.rename(dir.at("broken"), `${first.queueDir}/x.proposal.json`);
  const unreadable = await next();
  assertEquals(unreadable, {
    event: "unreadable dev-1/x.proposal.json",
    file: "x.proposal.json",
    reason: "it is not JSON",
  });
  // It is mended; another one is taken away.
  await queueSample(dir.path, { id: "x" });
  assertEquals((await next()).event, "arrived dev-1/x");
  assertEquals(await next(), {
    event: "cleared dev-1/x.proposal.json",
    file: "x.proposal.json",
  });
  await Deno.symlink("/etc/passwd", `${first.queueDir}/y.proposal.json`);
  assertEquals((await next()).event, "unreadable dev-1/y.proposal.json");
  await Deno.remove(`${first.queueDir}/y.proposal.json`);
  assertEquals((await next()).event, "cleared dev-1/y.proposal.json");
  assertEquals([await watch.end(), await watch.next()], [0, ""]);
});

Deno.test("watch prints lines for people, one bottle only if told so", async () => {
  await using dir = await tempDir();
  const watch = startWatch(dir.path, ["--bottle", "dev-1"]);
  await queueSample(dir.path, { id: "other", bottleSlug: "dev-2" });
  await queueSample(dir.path, {
    id: "p1",
    proposedFile: "# a\n",
    justification: "two\nlines \x1b[2J",
  });
  assertStringIncludes(await watch.next(), "  arrived     p1  dev-1  pipelock-block  [1 escaped");
  assertEquals([await watch.end(), await watch.next()], [0, ""]);
});

Deno.test("watch says what is marked, who decided, and what they said", async () => {
  await using dir = await tempDir();
  const proposedFile = "*.example.com\n";
  const { proposalSha256 } = await queueSample(dir.path, { id: "p1", proposedFile });
  const watch = startWatch(dir.path, []);
  assertStringIncludes(await watch.next(), "  arrived     1 high  p1  dev-1  pipelock-block  │");
  await decide({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: "p1",
    proposalSha256,
    verdict: { status: "rejected" },
    notes: "one\x1b[2J\nhost",
    operator: "ada@host",
  });
  assertMatch(
    await watch.next(),
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d {2}rejected {4}p1 {2}dev-1 {2}by ada@host {2}\[1/,
  );
  assertEquals([await watch.end(), await watch.next()], [0, ""]);
});

Deno.test("watch --json tells a planted answer as that, and as decided once somebody overrides it", async () => {
  await using dir = await tempDir();
  const { queueDir, proposalSha256 } = await queueSample(dir.path, { id: "p1" });
  const watch = startWatch(dir.path, ["--json"]);
  const next = async () => JSON.parse(await watch.next());
  assertEquals((await next()).event, "arrived");
  const planted = { proposalId: "p1", status: "approved", notes: "yes", finalFile: "x" } as const;
  await writeResponse(queueDir, planted);
  const alarm = { version: 1, bottle_slug: "dev-1", id: "p1" };
  assertEquals(await next(), { ...alarm, event: "foreign_answer", says: "approved" });
  await decide({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: "p1",
    proposalSha256,
    verdict: { status: "rejected" },
    notes: "no",
    operator: "ada@host",
    overrideUnrecorded: true,
  });
  const { event, id, status, notes } = await next();
  assertEquals({ event, id, status, notes }, {
    event: "decided",
    id: "p1",
    status: "rejected",
    notes: "no",
  });
  assertEquals([await watch.end(), await watch.next()], [0, ""]);
});

Deno.test("watch says of an approval what made it take effect, and that nothing did", async () => {
  await using dir = await tempDir();
  const { proposalSha256 } = await queueSample(dir.path, { id: "p1" });
  const [people, program] = [startWatch(dir.path, []), startWatch(dir.path, ["--json"])];
  for (const watch of [people, program]) assertStringIncludes(await watch.next(), "arrived");
  const ref = { root: dir.path, bottleSlug: "dev-1", proposalId: "p1", proposalSha256 };
  const verdict = { status: "approved" } as const;
  await decide({ ...ref, verdict, notes: "fine", operator: "ada@host" });
  assertMatch(
    await people.next(),
    / {2}approved {4}p1 {2}dev-1 {2}by ada@host {2}file alone {2}…$/,
  );
  const { event, applied } = JSON.parse(await program.next());
  assertEquals([event, applied], ["decided", "the file alone: nothing reloads it"]);
  for (const watch of [people, program]) await watch.end();
});

Deno.test("watch --tool tells of that tool alone", async () => {
  await using dir = await tempDir();
  const other = await queueSample(dir.path, { id: "other" });
  await queueSample(dir.path, {
    id: "mine",
    tool: "capability-block",
    proposedFile: "FROM debian:12\n",
  });
  const watch = startWatch(dir.path, ["--json", "--tool", "capability-block"]);
  assertEquals(JSON.parse(await watch.next()).id, "mine");
  await Deno.remove(other.path);
  await Deno.remove(other.path.replace("other", "mine"));
  const { event, id } = JSON.parse(await watch.next());
  assertEquals({ event, id }, { event: "withdrawn", id: "mine" });
  assertEquals([await watch.end(), await watch.next()], [0, ""]);
});

Deno.test("watch ends quietly, exit 0, when nobody reads what it prints", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const watch = new Deno.Command("sh", {
    args: [join(REPO, "cli/supervise.sh"), "watch", "--json"],
    ...inEnvironment({ CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" }),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = watch.stdout.getReader();
  assertStringIncludes(new TextDecoder().decode((await reader.read()).value), '"id":"p1"');
  await reader.cancel();
  // The next line finds that out.
  await queueSample(dir.path, { id: "p2" });
  assertEquals(await new Response(watch.stderr).text(), "");
  assertEquals((await watch.status).code, 0);
});

Deno.test("watch raises an alarm when the count of what it does not list changes, and when it is over", async () => {
  await using dir = await tempDir();
  const queue = dir.at("queue", "dev-1");
  flood(queue, 1_002);
  const watch = startWatch(dir.path, ["--json"]);
  const next = async () => {
    while (true) {
      const { event, bottle_slug, count } = JSON.parse(await watch.next());
      if (event === "unlisted") return { bottle_slug, count };
    }
  };
  assertEquals(await next(), { bottle_slug: "dev-1", count: 2 });
  await queueSample(dir.path, { id: "more" });
  assertEquals(await next(), { bottle_slug: "dev-1", count: 3 });

  const people = startWatch(dir.path, []);
  let line = "";
  while (!line.includes("  ! ")) line = await people.next();
  assertStringIncludes(
    line,
    "  ! dev-1: 3 more are pending and not listed",
  );
  await Deno.rename(queue, dir.at("queue", "dev-2"));
  while (!line.trimEnd().endsWith("is listed")) line = await people.next();
  assertStringIncludes(line, "  ! dev-1: all that is pending is listed");
  assertEquals(await next(), { bottle_slug: "dev-1", count: 0 });
  for (const { end, next } of [watch, people]) {
    assertEquals(await end(), 0);
    while (await next() !== "");
  }
});

Deno.test("watch names the bottle and the marks however narrow the terminal is, and cuts the rest", async () => {
  const bottleSlug = "claude-bottle-customer-dev-1";
  for (let columns = 20; columns <= 120; columns += 5) {
    await using dir = await tempDir();
    const justification = "word ".repeat(40);
    await queueSample(dir.path, {
      id: "p1",
      bottleSlug,
      proposedFile: "*.example.net\n",
      justification,
    });
    const watch = startWatch(dir.path, [], columns);
    let shown = "";
    while (!shown.endsWith("…")) {
      const line = await watch.next();
      assertEquals(line.length < columns, true, line);
      shown += line.replace(/^ ↪/, "");
    }
    assertStringIncludes(shown, bottleSlug);
    assertStringIncludes(shown, "1 high");
    assertEquals(await watch.end(), 0);
  }
});
