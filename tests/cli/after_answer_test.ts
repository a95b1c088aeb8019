import { readAnswer } from "../../internal_mod.ts";
import { archiveProposal, readAuditEntries, waitForResponse } from "../../mod.ts";
import { openTestApp } from "../support/app.ts";
import { startWatch, supervise } from "../support/command_line.ts";
import { queueSample } from "../support/records.ts";
import { supervise as launched } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const IN_FORCE = "FROM debian:12\nUSER agent\n";

const CHANGED = `${IN_FORCE}# a\n`;

/** A bottle whose image is built, and which then cannot be started anew. */
async function prepared(): Promise<TempDir> {
  const dir = await tempDir();
  await Deno.mkdir(dir.at("current-config/dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config/dev-1/Dockerfile"), IN_FORCE);
  await queueSample(dir.path, { id: "p1", tool: "capability-block", proposedFile: CHANGED });
  const render = { argv: ["/bin/sh", "-c", 'printf %064d 7 > "$1"', "sh", "{file}"] };
  const seen = 'echo "$*" > "$0"; exit 3';
  const after_answer = {
    argv: ["/bin/sh", "-c", seen, dir.at("restarted"), "{bottle}", "{image}"],
  };
  const apply = JSON.stringify({ rebuild: { render, after_answer } });
  await Deno.writeTextFile(dir.at("apply.json"), apply, { mode: 0o600 });
  return dir;
}

const FAILED =
  "it is in force and recorded, but then: after_answer: /bin/sh ended with exit code 3";

/** Takes up the answer, as a sidecar does whose call waits for it. */
async function takeUp(dir: TempDir): Promise<void> {
  await waitForResponse(dir.at("queue/dev-1"), "p1");
  await archiveProposal(dir.at("queue/dev-1"), "p1");
}

async function restartedAndTold(dir: TempDir): Promise<void> {
  assertEquals(await Deno.readTextFile(dir.at("restarted")), `dev-1 ${"7".padStart(64, "0")}\n`);
  const answer = await readAnswer(dir.at("queue/dev-1"), "p1");
  assertEquals([answer?.status, answer?.effect], ["approved", "restarts"]);
}

for (const json of [false, true]) {
  Deno.test(`approve${json ? " --json" : ""} restarts the bottle on its image, and says that this failed`, async () => {
    await using dir = await prepared();
    await supervise(dir.path, ["show", "p1"]);
    const args = ["approve", "p1", ...(json ? ["--json"] : [])];
    const [{ code, out, err }] = await Promise.all([supervise(dir.path, args), takeUp(dir)]);
    assertEquals(code, 0, err);
    if (json) assertStringIncludes(JSON.parse(out).warning, FAILED.split("then: ")[1]!);
    else assertStringIncludes(err, `! ${FAILED}`);
    await restartedAndTold(dir);
  });
}

Deno.test("edit dockerfile says so too", async () => {
  await using dir = await prepared();
  const args = ["edit", "dockerfile", "--bottle", "dev-1", "--file", "-"];
  const { code, err } = await supervise(dir.path, args, { input: CHANGED });
  assertEquals(code, 0, err);
  assertStringIncludes(err, `! ${FAILED}`);
});

Deno.test("watch --decide says so too", async () => {
  await using dir = await prepared();
  const rule = { name: "same", tool: "capability-block", marks_at_most: "none", then: "approve" };
  const policy = JSON.stringify({ version: 1, rules: [rule] });
  await Deno.writeTextFile(dir.at("policy.json"), policy, { mode: 0o600 });
  const watch = startWatch(dir.path, ["--decide"]);
  await takeUp(dir);
  let line: string;
  while (!(line = await watch.next()).startsWith("2> ! it is in force"));
  assertStringIncludes(line, FAILED);
  await watch.end();
  await restartedAndTold(dir);
});

Deno.test("the full screen says so too, and when it has ended", async () => {
  await using dir = await prepared();
  const done = { bottleSlug: "dev-1", proposalId: "p1", status: "approved", notes: "" } as const;
  const decide = () =>
    Promise.resolve({ ...done, auditLog: "", auditHead: "", warning: "the bottle does not start" });
  const app = await openTestApp(dir, { ports: { decide } });
  await app.keys("return", "a");
  await app.wait(5_000);
  const says = "! it is in force and recorded, but then: the bottle does not start";
  assertStringIncludes(app.screen(), says.slice(2, 60));
  assertEquals(app.app.end(), ["approved p1 (dev-1)", says]);
});

Deno.test("a verb says of a decision that was cut short behind its answer that the bottle may not be restarted", async () => {
  await using dir = await prepared();
  await supervise(dir.path, ["show", "p1"]);
  const apply = JSON.parse(await Deno.readTextFile(dir.at("apply.json")));
  // Ends the command line, which started it.
  apply.rebuild.after_answer.argv = ["/bin/sh", "-c", "kill -9 $PPID"];
  await Deno.writeTextFile(dir.at("apply.json"), JSON.stringify(apply));
  const [{ code }] = await Promise.all([launched(dir.path, ["approve", "p1"]), takeUp(dir)]);
  assertEquals(code === 0, false);
  const { err } = await supervise(dir.path, ["list"]);
  assertStringIncludes(err, "! an interrupted decision on p1 (dev-1) is recorded; whether its");
  assertEquals((await supervise(dir.path, ["list"])).err, "");
  const [entry] = await readAuditEntries("rebuild", "dev-1", { root: dir.path });
  assertEquals([entry?.operatorAction, entry?.effect], ["approved", "restarts"]);
});
