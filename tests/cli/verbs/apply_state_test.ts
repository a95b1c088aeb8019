import { readFrozen, readNotProven } from "../../../internal_mod.ts";
import {
  AuditLogChangedError,
  editFile,
  freezeFiles,
  readAuditEntries,
  sha256Hex,
} from "../../../mod.ts";
import { openTestApp } from "../../support/app.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";

const IN_FORCE = "api.example.com\n";

const notProvenPath = (dir: TempDir) => dir.at("private/not-proven/dev-1.json");

/** A bottle with a proposal, of whose proxy nobody knows which allowlist it has. */
async function notProven(): Promise<TempDir> {
  const dir = await tempDir();
  await Deno.mkdir(dir.at("current-config/dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config/dev-1/allowlist"), IN_FORCE);
  await queueSample(dir.path, { id: "p1", proposedFile: `${IN_FORCE}api.github.com\n` });
  await Deno.mkdir(dir.at("private/not-proven"), { recursive: true, mode: 0o700 });
  const state = { tool: "pipelock-block", reason: "start: gone", since: "2026-01-01T00:00:00Z" };
  await Deno.writeTextFile(notProvenPath(dir), JSON.stringify(state), { mode: 0o600 });
  return dir;
}

const resolve = (dir: TempDir, ...more: string[]) =>
  supervise(dir.path, ["apply", "resolve", "--bottle", "dev-1", ...more]);

/** Has a program reload, which notes that, and ends with an exit code. */
async function reloadEnding(dir: TempDir, code: number): Promise<void> {
  const argv = ["/bin/sh", "-c", 'echo reloaded >> "$0"; exit "$1"', dir.at("said"), String(code)];
  const apply = JSON.stringify({
    pipelock: { render: "squid", to: dir.at("allowed"), reload: { argv } },
  });
  await Deno.writeTextFile(dir.at("apply.json"), apply, { mode: 0o600 });
}

Deno.test("apply resolve without apply.json wants the bottle's name, and then takes the operator's word", async () => {
  await using dir = await notProven();
  for (const more of [[], ["--json"], ["--confirm", "dev-2"]]) {
    const { code, err } = await resolve(dir, ...more);
    assertEquals(code, 2);
    assertStringIncludes(err, "without a person: add --confirm dev-1");
  }
  assertEquals(readNotProven(dir.path, "dev-1")?.reason, "start: gone");
  const args = ["approve", "p1", "--if-unmarked"];
  assertStringIncludes((await supervise(dir.path, args)).err, "resolve that first");
  const { code, out } = await resolve(dir, "--confirm", "dev-1", "--notes", "I looked");
  assertEquals([code, out], [
    0,
    "resolved dev-1: by the operator's word; no applier looked\n",
  ]);
  const [entry] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals([entry?.operatorAction, entry?.operatorNotes], ["apply-resolved", "I looked"]);
  assertEquals(entry?.finalSha256, sha256Hex(IN_FORCE));
  const shown = await supervise(dir.path, [
    "audit",
    "show",
    "--action",
    "apply-resolved",
    "--full",
  ]);
  assertMatch(shown.out, /I looked/);
  const again = await resolve(dir, "--json");
  assertEquals([again.code, JSON.parse(again.out)], [
    0,
    { version: 1, bottle: "dev-1", resolved: false, says: null, audit_head: null },
  ]);
});

// Threat: C11
Deno.test("apply resolve has the programs of apply.json look, and believes nobody else", async () => {
  await using dir = await notProven();
  await reloadEnding(dir, 1);
  const failed = await resolve(dir, "--confirm", "dev-1", "--json");
  assertEquals(
    [failed.code, JSON.parse(failed.out).error.code],
    [1, "enforcer_not_proven"],
    failed.err,
  );
  assertEquals(readNotProven(dir.path, "dev-1")?.reason, "start: gone");
  await reloadEnding(dir, 0);
  const { code, out } = await resolve(dir, "--json");
  const { resolved, says, audit_head: head } = JSON.parse(out);
  assertEquals([code, resolved, head.startsWith("1:")], [0, true, true]);
  assertStringIncludes(says, "/bin/sh ended with exit code 0");
  assertEquals(readNotProven(dir.path, "dev-1"), undefined);
  assertStringIncludes(await Deno.readTextFile(dir.at("said")), "reloaded\n");
});

Deno.test("freeze keeps approvals from changing a file, until it is over or ended", async () => {
  await using dir = await notProven();
  await Deno.remove(notProvenPath(dir));
  const freeze = (...more: string[]) =>
    supervise(dir.path, ["freeze", "--bottle", "dev-1", ...more]);
  const frozen = await freeze("--for", "2h", "--notes", "a release", "--json");
  const until = JSON.parse(frozen.out).frozen_until;
  assertEquals([frozen.code, readFrozen(dir.path, "dev-1")], [0, until]);
  const approve = () => supervise(dir.path, ["approve", "p1", "--if-unmarked", "--json"]);
  const refused = await approve();
  assertEquals(refused.code, 6);
  assertStringIncludes(refused.err, `its files are frozen until ${until}`);
  const other = await freeze("--until", "2999-01-01T00:00:00Z");
  assertMatch(other.out, /^dev-1 is frozen until 2999-01-01 .*; --end ends it before\.\n$/);
  const ended = await freeze("--end", "--json");
  const { audit_head: head, ...said } = JSON.parse(ended.out);
  assertEquals(said, { version: 1, bottle: "dev-1", frozen_until: null });
  assertMatch(head, /^3:[0-9a-f]{64}$/);
  assertEquals(readFrozen(dir.path, "dev-1"), undefined);
  assertEquals((await freeze("--end")).out, "dev-1 is not frozen.\n");
  const entries = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals(entries.map((entry) => [entry.operatorAction, entry.until, entry.operatorNotes]), [
    ["frozen", until, "a release"],
    ["frozen", "2999-01-01T00:00:00.000Z", ""],
    ["freeze-ended", undefined, ""],
  ]);
  const shown = await supervise(dir.path, ["audit", "show", "--action", "frozen", "--full"]);
  assertStringIncludes(shown.out, `  no file of the bottle changes until ${until}\n`);
});

// Threat: C11
Deno.test("freeze waits for a change that is under way, and is there after each failure", async () => {
  await using dir = await notProven();
  await Deno.remove(notProvenPath(dir));
  const edit = { root: dir.path, bottleSlug: "dev-1", tool: "pipelock-block" } as const;
  const file = `${IN_FORCE}api.github.com\n`;
  const done: string[] = [];
  let frozen: Promise<unknown> = Promise.resolve();
  const until = new Date(Date.now() + 3_600_000);
  const request = { root: dir.path, bottleSlug: "dev-1", notes: "", operator: "ada@host" };
  await editFile({
    ...edit,
    ...{ file, currentSha256: sha256Hex(IN_FORCE), notes: "", operator: "ada@host" },
    applier: {
      check: () => {
        frozen = freezeFiles({ ...request, until }).then(() => done.push("frozen"));
        return Promise.resolve();
      },
      apply: () => Promise.resolve(`${done.push("applied")}`),
      restore: () => Promise.resolve(""),
    },
  });
  await frozen;
  assertEquals(done, ["applied", "frozen"]);
  assertEquals(readFrozen(dir.path, "dev-1"), until.toISOString());
  // What cannot be recorded stays frozen, whether it was to begin or to end.
  await Deno.truncate(dir.at("audit/pipelock-dev-1.log"));
  await assertRejects(() => freezeFiles(request), AuditLogChangedError);
  const later = new Date(until.getTime() + 1);
  await assertRejects(() => freezeFiles({ ...request, until: later }), AuditLogChangedError);
  assertEquals(readFrozen(dir.path, "dev-1"), later.toISOString());
  for (const bad of [new Date(0), new Date(NaN)]) {
    await assertRejects(() => freezeFiles({ ...request, until: bad }), RangeError);
  }
});

// Threat: C11
Deno.test("list, show and the review screen say loudly what keeps a bottle's files from being changed", async () => {
  await using dir = await notProven();
  await supervise(dir.path, ["freeze", "--bottle", "dev-1", "--until", "2999-01-01T00:00:00Z"]);
  const list = await supervise(dir.path, ["list"]);
  assertStringIncludes(
    list.err,
    "! dev-1: ENFORCER NOT PROVEN: nobody knows which allowlist it has (start: gone)",
  );
  assertMatch(list.err, /! dev-1: FROZEN until 2999-01-01 /);
  const { held } = JSON.parse((await supervise(dir.path, ["list", "--json"])).out);
  const { bottle_slug: bottle, problem, ...state } = held[0];
  assertEquals([bottle, problem, state.frozen_until], ["dev-1", null, "2999-01-01T00:00:00.000Z"]);
  const bottles = await supervise(dir.path, ["bottle", "list"]);
  assertMatch(bottles.err, /! dev-1: ENFORCER NOT PROVEN: .*\n[^]*! dev-1: FROZEN until 2999/);
  const [listed] =
    JSON.parse((await supervise(dir.path, ["bottle", "list", "--json"])).out).bottles;
  assertEquals([listed.not_proven, listed.frozen_until], [state.not_proven, state.frozen_until]);
  const { out } = await supervise(dir.path, ["show", "p1"]);
  assertStringIncludes(out, "! ENFORCER NOT PROVEN: ");
  assertMatch(out, /\n! FROZEN until 2999-01-01 /);
  const shown = JSON.parse((await supervise(dir.path, ["show", "p1", "--json"])).out);
  assertEquals([shown.not_proven, shown.frozen_until], [state.not_proven, state.frozen_until]);
  await Deno.writeTextFile(notProvenPath(dir), "{");
  assertStringIncludes((await supervise(dir.path, ["list"])).err, "! dev-1: NOTHING IS APPLIED: ");
  const { app, screen } = await openTestApp(dir);
  assertStringIncludes(screen(), "NOTHING IS APPLIED");
  // Another program ended it, and nothing came into the queue.
  await Deno.remove(notProvenPath(dir));
  app.tick();
  assertMatch(screen(), /FROZEN until 2999/);
  await supervise(dir.path, ["freeze", "--bottle", "dev-1", "--end"]);
  app.tick();
  assert(!screen().includes("FROZEN"));
});

Deno.test("freeze and apply resolve say what is missing, or cannot be", async () => {
  await using dir = await notProven();
  const bottle = ["--bottle", "dev-1"];
  for (
    const [args, says] of [
      [["freeze", "--end"], "add --bottle SLUG"],
      [["apply", "resolve"], "add --bottle SLUG"],
      [["freeze", ...bottle], "give one of --until WHEN, --for TIME and --end"],
      [["freeze", ...bottle, "--end", "--for", "2h"], "give one of"],
      [["freeze", ...bottle, "--for", "soon"], "expected 90m, 12h or 7d"],
      [["freeze", ...bottle, "--until", "2h"], "that is over; --for 2h counts from now"],
    ] as const
  ) {
    const { code, err } = await supervise(dir.path, args);
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(err, says);
  }
});

Deno.test("doctor names a bottle whose enforcer is not proven, or that is frozen", async () => {
  await using dir = await notProven();
  await supervise(dir.path, ["freeze", "--bottle", "dev-1", "--until", "2999-01-01T00:00:00Z"]);
  const found = async () => {
    const { out } = await supervise(dir.path, ["doctor", "--json"]);
    const findings: { check: string; state: string; says: string; todo: string }[] =
      JSON.parse(out).findings;
    return findings.filter(({ check, says }) =>
      check === "files-in-force" && says.includes("nothing is applied")
    ).map(({ state, says, todo }) => ({ state, says, todo }));
  };
  assertEquals(await found(), [{
    state: "bad",
    says:
      "dev-1: since 2026-01-01T00:00:00Z nobody knows which allowlist its enforcer has (start: gone), " +
      "so nothing is applied",
    todo: "supervise apply resolve --bottle dev-1",
  }, {
    state: "warn",
    says: "dev-1: its files are frozen until 2999-01-01T00:00:00.000Z, so nothing is applied",
    todo: "supervise freeze --end --bottle dev-1",
  }]);
  await Deno.writeTextFile(notProvenPath(dir), "{");
  const [broken, ...rest] = await found();
  assertEquals([broken?.state, rest], ["bad", []]);
  assertStringIncludes(broken!.todo, notProvenPath(dir));
});
