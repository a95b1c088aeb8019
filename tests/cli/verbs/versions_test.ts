import { freeze } from "../../../internal_mod.ts";
import { readAuditEntries, sha256Hex } from "../../../mod.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const FIRST = "api.example.com\n";
const SECOND = `${FIRST}a.example.com\n`;
const BY_HAND = `${FIRST}by-hand.example.com\n`;

const fileOf = (dir: TempDir) => dir.at("current-config/dev-1/allowlist");
const inForce = (dir: TempDir) => Deno.readTextFile(fileOf(dir));
const on = (dir: TempDir, args: readonly string[], input = "") =>
  supervise(dir.path, [...args, "--bottle", "dev-1"], { input });

/** A bottle with two versions: one from before the record, and an edit. */
async function edited(): Promise<TempDir> {
  const dir = await tempDir();
  await Deno.mkdir(dir.at("current-config/dev-1"), { recursive: true });
  await Deno.writeTextFile(fileOf(dir), FIRST);
  const { code, err } = await on(dir, ["edit", "allowlist", "--file", "-"], SECOND);
  assertEquals(code, 0, err);
  return dir;
}

Deno.test("versions lists what was in force, and prints one", async () => {
  await using dir = await edited();
  const { out } = await on(dir, ["versions", "allowlist"]);
  const [two = "", one = ""] = out.split("\n");
  assertMatch(two, /^2 {2}\d{4}-.* {2}operator-edit +\S+@\S+ {2}[0-9a-f]{12} {2}in force$/);
  assertMatch(one, new RegExp(`^1 {2} +without a record +${sha256Hex(FIRST).slice(0, 12)}$`));
  assertEquals((await on(dir, ["versions", "allowlist", "--show", "1"])).out, FIRST);
  const { versions, ...about } = JSON.parse(
    (await on(dir, ["versions", "allowlist", "--json"])).out,
  );
  assertEquals(about, {
    ...{ version: 1, bottle: "dev-1", tool: "pipelock-block", keep: 50 },
    in_force_sha256: sha256Hex(SECOND),
  });
  assertEquals(versions[1], {
    ...{ number: 1, sha256: sha256Hex(FIRST), in_force: false, kept: true, timestamp: null },
    ...{ operator_action: null, operator: null, operator_name: null, proposal_id: null },
    ...{ origin: null, until: null, applied: null },
  });
  const shown = await on(dir, ["versions", "allowlist", "--show", "2", "--json"]);
  const { number, file, sha256 } = JSON.parse(shown.out);
  assertEquals([number, file, sha256], [2, SECOND, sha256Hex(SECOND)]);
  assertEquals(
    (await on(dir, ["versions", "routes"])).out,
    "No change of the routes.json of dev-1 is recorded.\n",
  );
  await Deno.writeTextFile(fileOf(dir), BY_HAND);
  await Deno.remove(dir.at("private/known/dev-1", sha256Hex(FIRST)));
  const drifted = await on(dir, ["versions", "allowlist"]);
  assertMatch(drifted.out, /^2 .* [0-9a-f]{12}\n1 .* not kept\n$/);
  assertStringIncludes(drifted.err, "! the bytes of 1 of these are not kept: at most 50 files");
  assertStringIncludes(drifted.err, `in force is another one, sha256 ${sha256Hex(BY_HAND)}`);
});

Deno.test("versions has a grant and its end, and says until when it was", async () => {
  await using dir = await edited();
  await queueSample(dir.path, { id: "p1", proposedFile: `${SECOND}api.github.com\n` });
  await supervise(dir.path, ["show", "p1"]);
  const approved = await supervise(dir.path, ["approve", "p1", "--for", "2h"]);
  assertEquals(approved.code, 0, approved.err);
  assertEquals((await supervise(dir.path, ["revoke", "p1"])).code, 0);
  const { out } = await on(dir, ["versions", "allowlist"]);
  const rows = out.replaceAll("\n ↪", "").split("\n");
  assertMatch(rows[0]!, /^4 .* {2}grant-revoked +\S+@\S+ {2}[0-9a-f]{12} {2}in force$/);
  assertMatch(rows[1]!, /^3 .* {2}approved \(until \d{4}-.*\)/);
  assertEquals(await inForce(dir), SECOND);
  assertEquals((await supervise(dir.path, ["drift"])).code, 0);
});

Deno.test("rollback puts an earlier version in force as an edit, and says which", async () => {
  await using dir = await edited();
  const { code, out, err } = await on(dir, ["rollback", "allowlist", "--notes", "too wide"]);
  assertEquals(code, 0, err);
  assertStringIncludes(out, "changed allowlist (dev-1)\nin force: the file alone");
  assertEquals(await inForce(dir), FIRST);
  const [, entry] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals(
    [entry?.operatorAction, entry?.operatorNotes, entry?.origin],
    ["operator-edit", "too wide", "version 1"],
  );
  const full = await on(dir, ["audit", "show", "--full"]);
  assertStringIncludes(full.out, "  the operator's file: version 1\n");
  const back = await on(dir, ["rollback", "allowlist", "--to", "2", "--json"]);
  assertEquals([back.code, await inForce(dir)], [0, SECOND]);
  // Twice is back where it was.
  for (const file of [FIRST, SECOND]) {
    await on(dir, ["rollback", "allowlist"]);
    assertEquals(await inForce(dir), file);
  }
});

Deno.test("a versions.json that cannot be used is named by versions and doctor", async () => {
  await using dir = await edited();
  await Deno.writeTextFile(dir.at("versions.json"), '{"keep": 0}');
  const { code, err } = await on(dir, ["versions", "allowlist", "--json"]);
  assertEquals(code, 1);
  assertStringIncludes(err, `Cannot read ${dir.at("versions.json")}, field "keep": not 1 or more`);
  const { code: bad, out } = await supervise(dir.path, ["doctor", "--json"]);
  const found = JSON.parse(out).findings.find(({ check }: { check: string }) => check === "drift");
  assertEquals([bad, found.state], [1, "bad"]);
  assertStringIncludes(found.says, "versions.json");
});

// Threat: C11
Deno.test("rollback refuses in words what it cannot do", async () => {
  await using dir = await edited();
  const refused = async (args: readonly string[], code: number, says: string) => {
    const made = await on(dir, ["rollback", ...args]);
    assertEquals(made.code, code, made.err);
    assertStringIncludes(made.err, says);
  };
  await refused(["allowlist", "--to", "2"], 1, "that version is in force already");
  await refused(["allowlist", "--to", "7"], 3, "Cannot find version 7: there are 1 to 2");
  await refused(["allowlist", "--to", "one"], 2, "Cannot use one as --to");
  await refused(["routes"], 1, "no change of it is recorded");
  await refused(["routes", "--to", "1"], 3, "none is recorded");
  await refused([], 2, "write one of routes, allowlist, dockerfile");
  freeze(dir.path, "dev-1", new Date(Date.now() + 3_600_000).toISOString());
  await refused(["allowlist"], 1, "its files are frozen until");
  freeze(dir.path, "dev-1", undefined);
  await Deno.writeTextFile(fileOf(dir), BY_HAND);
  await refused(["allowlist"], 1, "another file is in force");
  await Deno.remove(dir.at("private/known/dev-1", sha256Hex(FIRST)));
  await refused(["allowlist", "--to", "1"], 3, "its bytes are not kept");
  await Deno.mkdir(dir.at("private/not-proven"), { mode: 0o700 });
  const state = { tool: "pipelock-block", reason: "gone", since: "2026-01-01T00:00:00Z" };
  await Deno.writeTextFile(dir.at("private/not-proven/dev-1.json"), JSON.stringify(state));
  await refused(["allowlist", "--to", "2"], 1, "resolve that first");
  assertEquals(await inForce(dir), BY_HAND);
});

Deno.test("drift names a file in force without a record, and records or restores it", async () => {
  await using dir = await edited();
  const looked = await supervise(dir.path, ["drift"]);
  assertEquals([looked.code, looked.out], [
    0,
    "Each file of which a change is recorded is the one in force.\n",
  ]);
  for (
    const [flag, file, origin] of [
      ["--restore", SECOND, "version 2"],
      ["--record", BY_HAND, "found"],
    ] as const
  ) {
    await Deno.writeTextFile(fileOf(dir), BY_HAND);
    const { code, out } = await supervise(dir.path, ["drift"]);
    assertEquals([code, out], [
      1,
      `dev-1: the allowlist in force is not the one that was recorded last
  recorded  ${sha256Hex(SECOND)}
  found     ${sha256Hex(BY_HAND)}
  supervise drift allowlist --bottle dev-1 --record, or --restore
`,
    ]);
    const json = await supervise(dir.path, ["drift", "--json"]);
    assertEquals([json.code, JSON.parse(json.out).drift], [1, [{
      ...{ bottle: "dev-1", tool: "pipelock-block", problem: null },
      ...{ recorded_sha256: sha256Hex(SECOND), found_sha256: sha256Hex(BY_HAND) },
    }]]);
    const doctor = await supervise(dir.path, ["doctor"]);
    assertMatch(doctor.out, /warn {2}drift +dev-1: the allowlist in force is not the recorded one/);
    const ended = await on(dir, ["drift", flag]);
    assertEquals(ended.code, 0, ended.err);
    assertEquals(await inForce(dir), file);
    assertEquals((await supervise(dir.path, ["drift"])).code, 0);
    const entry = (await readAuditEntries("pipelock", "dev-1", { root: dir.path })).at(-1);
    assertEquals([entry?.origin, entry?.finalSha256], [origin, sha256Hex(file)]);
  }
});

// Threat: C11
Deno.test("drift changes nothing without a file, a bottle, or the confirmation that the file needs", async () => {
  await using dir = await edited();
  const says = async (args: readonly string[], code: number, words: string) => {
    const made = await supervise(dir.path, ["drift", ...args]);
    assertEquals(made.code, code, made.err);
    assertStringIncludes(made.err + made.out, words);
  };
  await says(["--record", "--bottle", "dev-1"], 0, "is the one in force.");
  await Deno.writeTextFile(fileOf(dir), `${SECOND}*.evil.example\n`);
  await says(["--record"], 2, "add --bottle SLUG");
  await says(["--record", "--restore", "--bottle", "dev-1"], 2, "Cannot use --record with");
  await says(["--record", "--bottle", "dev-1"], 2, "--confirm dev-1");
  await says(["routes", "--record", "--bottle", "dev-1"], 0, "is the one in force.");
  await Deno.writeTextFile(fileOf(dir), "no host\n");
  await says(["--record", "--bottle", "dev-1"], 1, "invalid allowlist");
  assertEquals(await inForce(dir), "no host\n");
  const routes = '{"routes": []}\n';
  assertEquals((await on(dir, ["edit", "routes", "--file", "-"], routes)).code, 0);
  await Deno.remove(dir.at("current-config/dev-1/routes.json"));
  await says(["--restore", "--bottle", "dev-1"], 2, "write routes or allowlist behind drift");
  await says(["routes", "--record", "--bottle", "dev-1"], 1, "there is no file to record");
  await says(["routes", "--restore", "--bottle", "dev-1"], 0, "changed routes.json (dev-1)");
});
