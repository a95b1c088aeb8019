import { ensureSigningKey, exportAuditLogs } from "../../../internal_mod.ts";
import { readAuditEntries } from "../../../mod.ts";
import { FOREIGN_LINE, makeLog } from "../../support/audit.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { run } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/** Runs a command and writes what it prints into a file. */
async function superviseInto(dir: TempDir, file: string, words: string): Promise<string> {
  const { code, bytes, err } = await supervise(dir.path, words.split(" "));
  assertEquals(code, 0, err);
  await Deno.writeFile(dir.at(file), bytes);
  return err;
}

// Threat: L1
Deno.test("audit verify prints a row for each log, and exits 1 if one is not sound", async () => {
  await using dir = await tempDir();
  await makeLog(dir.path, ["one", "two"]);
  const log = await makeLog(dir.path, ["one"], "dev-2");
  await log.add(FOREIGN_LINE.replace("dev-1", "dev-2"));
  const { fingerprint } = await ensureSigningKey(dir.path);
  const sound = await supervise(dir.path, ["audit", "verify"]);
  assertEquals([sound.code, sound.err], [0, ""]);
  const rows = sound.out.split("\n");
  assertMatch(rows[0]!, /^ +LINES +CHAINED +FOREIGN +TORN +SIGNATURES +HEAD +LOG$/);
  assertMatch(rows[1]!, /^ok +2 +2 +0 +0 +2 +2:[0-9a-f]{12} +pipelock-dev-1$/);
  assertMatch(rows[2]!, /^ok +2 +1 +1 +0 +1 +2:[0-9a-f]{12} +pipelock-dev-2$/);
  assertEquals(rows[3], "      the last line is not signed, and no signed line covers it yet");
  assertEquals(rows[4], `signed with ${fingerprint}`);

  await log.put((await Deno.readTextFile(log.path)).replace('"one"', '"eno"'));
  const broken = await supervise(dir.path, ["audit", "verify"]);
  assertEquals(broken.code, 1);
  assertMatch(broken.out, /^FAIL +2 +1 +1 +0 +0 .*\n {6}line 1: its signature does not fit\n/m);
  const one = await supervise(dir.path, ["audit", "verify", "--bottle", "dev-1"]);
  assertEquals([one.code, one.out.includes("dev-2")], [0, false]);
  const json = await supervise(dir.path, ["audit", "verify", "--json"]);
  const { version, ok, keys, logs } = JSON.parse(json.out);
  assertEquals([json.code, version, ok, keys], [1, 1, false, [fingerprint]]);
  assertEquals(logs[1].first_error, "line 1: its signature does not fit");
  assertEquals(logs[0].head.startsWith("2:"), true);
  // A copy of it, or its head, must not pass for a good one in a script.
  for (const command of ["audit export", "audit head"]) {
    const { code, err } = await supervise(dir.path, command.split(" "));
    assertEquals([code, err.includes("! pipelock-dev-2 is not sound: ")], [1, true], err);
  }
});

// Threat: L3
Deno.test("audit head prints anchors that audit verify --anchors checks, for logs that are gone too", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one", "two"]);
  await superviseInto(dir, "kept", "audit head");
  const kept = await Deno.readTextFile(dir.at("kept"));
  assertMatch(kept, /^# 2\S+Z, signed with SHA256:\S{43}\npipelock-dev-1 2:[0-9a-f]{64}\n$/);
  const anchors = ["audit", "verify", "--anchors", dir.at("kept")];
  assertEquals((await supervise(dir.path, anchors)).code, 0);

  await Deno.remove(dir.at("private", "heads"), { recursive: true });
  await log.put((await log.lines())[0]!);
  assertEquals((await supervise(dir.path, ["audit", "verify"])).code, 0);
  const cut = await supervise(dir.path, anchors);
  assertEquals(cut.code, 1);
  const said = cut.out.replaceAll(/\n ↪/g, "");
  assertStringIncludes(said, `line 2: lines 2 to 2 are gone, by ${dir.at("kept")}, line 2`);

  await Deno.remove(log.path);
  assertEquals((await supervise(dir.path, ["audit", "verify"])).code, 3);
  const gone = await supervise(dir.path, [...anchors.slice(0, 3), "-"], { input: kept });
  assertEquals(gone.code, 1);
  assertMatch(gone.out, /^FAIL +0 .*pipelock-dev-1\n +line 1: lines 1 to 2 are gone/m);

  await Deno.writeTextFile(dir.at("kept"), "nonsense\n");
  const none = await supervise(dir.path, anchors);
  assertEquals(none.code, 1);
  assertStringIncludes(none.err, "kept, line 1: expected LOG SEQ:HASH, as audit head prints it");
});

Deno.test.each([
  ["no anchor", "\n", "it has no head of a log with lines, so it would check nothing", []],
  ["nothing at all", "", "it has no head of a log with lines", []],
  [
    "comments and blank lines",
    "# pipelock-dev-1 1:0000\n \t\r\n\n#\n",
    "it has no head of a log with lines",
    [],
  ],
  [
    "the head of an empty log",
    `pipelock-dev-1 0:${"0".repeat(64)}\n`,
    "it has no head of a log with lines",
    [],
  ],
  [
    "heads of logs that are not selected",
    `pipelock-dev-2 1:${"0".repeat(64)}\n`,
    "it has no head of a log with lines that --bottle and --component select",
    ["--bottle", "dev-1"],
  ],
  [
    "an anchor of no log",
    `# one\npipelok-dev-1 1:${"0".repeat(64)}\n`,
    "-, line 2: pipelok-dev-1 is no name of an audit log",
    [],
  ],
] as [string, string, string, string[]][])(
  "audit verify takes no anchors that check nothing: %s",
  async (_, input, says, more) => {
    await using dir = await tempDir();
    await makeLog(dir.path, ["one"]);
    const verify = ["audit", "verify", "--anchors", "-", ...more];
    const { code, out, err } = await supervise(dir.path, verify, { input });
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, says);
  },
);

Deno.test("audit verify finds a log that was removed with all memory of it, by the answers", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await supervise(dir.path, ["show", "p1"]);
  assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 0);
  await makeLog(dir.path, ["one"], "dev-2");
  await Deno.remove(dir.at("audit", "pipelock-dev-1.log"));
  await Deno.remove(dir.at("private", "heads", "pipelock-dev-1"));
  for (const flags of [[], ["--bottle", "dev-1"], ["--component", "pipelock"]]) {
    const { code, out } = await supervise(dir.path, ["audit", "verify", ...flags]);
    assertEquals(code, 1, flags.join());
    assertMatch(out, /^FAIL +0 .* pipelock-dev-1\n +line 1: lines 1 to 1 are gone, by /m);
    assertEquals(out.match(/^(ok|FAIL)/gm)?.length, flags[0] === "--bottle" ? 1 : 2);
  }
  assertEquals((await supervise(dir.path, ["audit", "verify", "--bottle", "dev-2"])).code, 0);
});

// Threat: L3
Deno.test("audit verify finds that a removed bottle's log is gone, by the responses that were moved", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  assertEquals((await supervise(dir.path, ["reject", "p1", "--notes", "no"])).code, 0);
  await makeLog(dir.path, ["one"], "dev-2");
  const removed = dir.at("private", "removed", "dev-1");
  await Deno.mkdir(removed, { recursive: true, mode: 0o700 });
  await Deno.rename(dir.at("queue", "dev-1"), join(removed, "dev-1.1"));
  assertEquals((await supervise(dir.path, ["audit", "verify"])).code, 0);
  await Deno.remove(dir.at("audit", "pipelock-dev-1.log"));
  await Deno.remove(dir.at("private", "heads", "pipelock-dev-1"));
  const { code, out } = await supervise(dir.path, ["audit", "verify"]);
  assertEquals(code, 1);
  assertMatch(out, /^FAIL +0 .* pipelock-dev-1\n +line 1: lines 1 to 1 are gone, by /m);
});

// Threat: L3
Deno.test("a packed queue or a note in private/removed stops neither audit verify nor doctor", async () => {
  await using dir = await tempDir();
  await makeLog(dir.path, ["one"]);
  const removed = dir.at("private", "removed");
  await Deno.mkdir(join(removed, "dev-2"), { recursive: true, mode: 0o700 });
  // Names that a bottle could have, and one that a removed queue could have.
  for (const name of ["dev-1.tar.gz", "dev-1", "notes.txt", "dev-2/dev-2.1"]) {
    await Deno.writeTextFile(join(removed, name), "");
  }
  const { code, out, err } = await supervise(dir.path, ["audit", "verify"]);
  assertEquals([code, err, out.match(/^(ok|FAIL)/gm)], [0, "", ["ok"]]);
  const { findings } = JSON.parse((await supervise(dir.path, ["doctor", "--json"])).out);
  const found = findings.filter(({ check }: { check: string }) =>
    ["logs", "foreign-answers", "files-in-force"].includes(check)
  );
  assertEquals(found.map(({ state }: { state: string }) => state), ["ok", "ok", "ok"]);
  // What a proposal was is looked for there too.
  const shown = await supervise(dir.path, ["show", "p9", "--bottle", "dev-1"]);
  assertEquals(shown.code, 3, shown.err);
});

// Threat: L3
Deno.test("audit verify, export and head end with 3 where there is no line of a log, and say where", async () => {
  await using dir = await tempDir();
  const WORDS = { verify: "verify", export: "export", head: "print a head" };
  const refused = async (words: readonly string[], place: string) => {
    const { code, out, err } = await supervise(dir.path, ["audit", ...words]);
    assertEquals([code, out], [3, ""], words.join(" "));
    const verb = WORDS[words[0] as keyof typeof WORDS];
    assertEquals(
      err.replaceAll(/\n ↪/g, ""),
      `Cannot ${verb}: there is no line of an audit log ${place}\n`,
    );
  };
  const below = (only: string) => `under ${dir.path}${only}; the first decision writes one`;
  for (const verb of ["verify", "export", "head"]) await refused([verb], below(""));
  // A log without a line has nothing that could be checked.
  await Deno.mkdir(dir.at("audit"));
  await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), "");
  await refused(["verify"], below(""));
  await Deno.remove(dir.at("audit"), { recursive: true });

  await makeLog(dir.path, ["one"]);
  await queueSample(dir.path, { bottleSlug: "dev-2" });
  await superviseInto(dir, "all.audit", "audit export");
  for (const flags of [["--bottle", "dev-2"], ["--component", "rebuild"]]) {
    for (const verb of ["verify", "export", "head"]) {
      await refused([verb, ...flags], below(` for ${flags.join(" ")}`));
    }
    const inArchive = ["verify", "--archive", dir.at("all.audit"), ...flags];
    await refused(inArchive, `in ${dir.at("all.audit")} for ${flags.join(" ")}`);
  }
  await Deno.writeFile(dir.at("none.audit"), await exportAuditLogs([], { root: dir.path }));
  await refused(["verify", "--archive", dir.at("none.audit")], `in ${dir.at("none.audit")}`);
  const { code, out } = await supervise(dir.path, [
    "audit",
    "verify",
    "--json",
    "--bottle",
    "dev-2",
  ]);
  assertEquals([code, JSON.parse(out).error.code], [3, "not_found"]);
});

Deno.test("audit verify and audit head make no key in the place of one that is gone", async () => {
  await using dir = await tempDir();
  await makeLog(dir.path, ["one"]);
  const key = dir.at("private", "audit-signing-key.pem");
  await Deno.rename(key, dir.at("elsewhere"));
  for (let time = 0; time < 2; time++) {
    const { code, out } = await supervise(dir.path, ["audit", "verify"]);
    assertEquals(code, 1);
    assertStringIncludes(out, "line 1: there is no public key to check its signature with");
    assertMatch(
      (await supervise(dir.path, ["audit", "head"])).out,
      /^# \S+Z, no key is here\n/,
    );
  }
  assertEquals(
    [...Deno.readDirSync(dir.at("private"))].some(({ name }) => /pem/.test(name)),
    false,
  );
  await Deno.rename(dir.at("elsewhere"), key);
  assertEquals((await supervise(dir.path, ["audit", "verify"])).code, 0);
});

Deno.test("audit show says of a line that it is not signed, whatever the line says of a key", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  const { fingerprint } = await ensureSigningKey(dir.path);
  const claims = `, "operator": "ada@host", "operator_key": "${fingerprint}", "seq": 1}\n`;
  await log.add(FOREIGN_LINE.replace("}\n", claims));
  const { out } = await supervise(dir.path, ["audit", "show", "--full"]);
  assertEquals(out.match(/^ {2}(key \S+, .*|not signed)$/gm), [
    "  not signed",
    `  key ${fingerprint}, not checked`,
  ]);
  const json = await supervise(dir.path, ["audit", "show", "--json"]);
  const { entries } = JSON.parse(json.out);
  assertEquals(entries.map(({ seq }: { seq?: number }) => seq), [0, undefined]);
});

// Threat: L8
Deno.test("audit export makes one file that another machine verifies without the root", async (t) => {
  await using dir = await tempDir();
  await using elsewhere = await tempDir();
  const log = await makeLog(dir.path, ["one", "two"]);
  await log.add(FOREIGN_LINE + "\xff\n");
  await makeLog(dir.path, ["three"]);
  await makeLog(dir.path, ["one"], "dev-2");
  const said = await superviseInto(dir, "archive", "audit export");
  const { fingerprint, publicKey } = await ensureSigningKey(dir.path);
  assertStringIncludes(said, fingerprint);
  // Standard tools take it apart.
  const { out } = await run("sh", ["-c", `tail -n +2 ${dir.at("archive")} | head -n 5`]);
  assertEquals(out, new TextDecoder().decode(await Deno.readFile(log.path)));

  await Deno.rename(dir.at("archive"), elsewhere.at("archive"));
  await Deno.writeTextFile(elsewhere.at("key.pem"), publicKey);
  const verify = ["audit", "verify", "--archive", elsewhere.at("archive")];
  const trusting = [...verify, "--public-key", elsewhere.at("key.pem")];
  const own = await supervise(elsewhere.at("none"), verify);
  assertEquals(own.code, 0, own.out);
  assertStringIncludes(own.err, "that key came with the archive: compare it");
  assertStringIncludes(own.out, `signed with ${fingerprint}`);
  assertEquals(own.out.match(/^ok /gm)?.length, 2);
  const trusted = await supervise(elsewhere.at("none"), [...trusting, "--json"]);
  assertEquals([trusted.code, trusted.err], [0, ""]);
  assertEquals([...Deno.readDirSync(elsewhere.path)].map(({ name }) => name).sort(), [
    "archive",
    "key.pem",
  ]);

  const archive = await Deno.readFile(elsewhere.at("archive"));
  const text = new TextDecoder("latin1").decode(archive);
  const latin1 = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
  const cut = (line: string) =>
    text.replace(line, "").replace(
      /"bytes":\d+/,
      (bytes) => `"bytes":${Number(bytes.slice(8)) - line.length}`,
    );
  const last = (await log.lines()).at(-1)!;
  for (
    const [what, changed, says] of [
      ["edited", text.replace('"three"', '"thrae"'), "its signature does not fit"],
      ["cut, its length made to fit", cut(last), "lines 5 to 5 are gone"],
      [
        "cut, with a head made up",
        cut(last).replace(/"head":"5:/, '"head":"4:'),
        "no trusted key signed the head that the archive states",
      ],
      [
        "cut, without a head",
        cut(last).replace(/"head":"5:/, '"head":"x:'),
        "no trusted key signed the head that the archive states",
      ],
      ["cut off", text.slice(0, -1), "bytes of logs, and says"],
      ["longer", text + "x", "bytes of logs, and says"],
      ["no archive", "{}\n", "it is not an archive that audit export made"],
      ["nothing", "", "it is empty"],
      ["not JSON", "what\n", "it is not JSON"],
    ] as const
  ) {
    await t.step(`an archive that is ${what} is found`, async () => {
      await Deno.writeFile(elsewhere.at("archive"), latin1(changed));
      const found = await supervise(elsewhere.at("none"), [...trusting, "--json"]);
      assertEquals(found.code, 1);
      assertStringIncludes(found.out + found.err, says);
    });
  }

  // Somebody else's archive is sound by its own key alone.
  await using forger = await tempDir();
  await makeLog(forger.path, ["one", "two"]);
  await superviseInto(forger, "archive", "audit export");
  await Deno.copyFile(forger.at("archive"), elsewhere.at("archive"));
  assertEquals((await supervise(elsewhere.at("none"), verify)).code, 0);
  const forged = await supervise(elsewhere.at("none"), trusting);
  assertEquals(forged.code, 1);
  assertStringIncludes(forged.out, "its key is not trusted here");
});

// Threat: L7
Deno.test("audit export refuses a terminal and JSON; a key file that is none is named", async () => {
  await using dir = await tempDir();
  await makeLog(dir.path, ["one"]);
  assertEquals((await supervise(dir.path, ["audit", "export", "--json"])).code, 2);
  await Deno.writeTextFile(dir.at("key.pem"), "nonsense");
  const wrong = await supervise(dir.path, ["audit", "verify", "--public-key", dir.at("key.pem")]);
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.err, 'it has no PEM block "PUBLIC KEY"');
  const gone = await supervise(dir.path, ["audit", "verify", "--public-key", dir.at("none")]);
  assertEquals(gone.code, 2);
  assertStringIncludes(gone.err, "there is no such file");
});

Deno.test("a decision records user@host and the key, and --operator adds a name to them", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2" });
  await supervise(dir.path, ["show", "p1"]);
  await supervise(dir.path, ["show", "p2"]);
  const first = await supervise(dir.path, ["approve", "p1", "--operator", "Ada <root@elsewhere>"]);
  const { fingerprint, created } = await ensureSigningKey(dir.path);
  assert(!created);
  assertEquals(
    first.err,
    `! created the audit signing key, ${fingerprint}; save this fingerprint somewhere else\n`,
  );
  const second = await supervise(dir.path, ["approve", "p2"]);
  assertEquals(second.err, "");
  const [one, two] = await readAuditEntries("pipelock", "dev-1", { root: dir.path });
  assertEquals([one?.operatorName, two?.operatorName], ["Ada <root@elsewhere>", undefined]);
  assertEquals([one?.operatorKey, two?.operatorKey], [fingerprint, fingerprint]);
  assertEquals(one?.operator, two?.operator);
  assertMatch(one!.operator!, /^[^@]+@[^@]+$/);
  const shown = await supervise(dir.path, ["audit", "show", "--full"]);
  assertStringIncludes(shown.out, `  by ${one!.operator} (Ada <root@elsewhere>)\n`);
});

// Threat: L4
Deno.test("approve refuses a log that was cut, decides nothing, and says what to do", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const log = await makeLog(dir.path, ["one", "two"]);
  await log.put((await log.lines())[0]!);
  await supervise(dir.path, ["show", "p1"]);
  const { code, out, err } = await supervise(dir.path, ["approve", "p1", "--json"]);
  assertEquals([code, JSON.parse(out).error.code], [1, "audit_log_changed"]);
  assertStringIncludes(err, "nothing was recorded");
  assertEquals((await supervise(dir.path, ["list"])).out.includes("p1"), true);
  assertEquals(
    [...Deno.readDirSync(dir.at("private"))].some(({ name }) => name === "intents"),
    false,
  );
});

// Threat: L12
Deno.test("with another key in the key's place approve decides nothing, and audit verify and head say so", async () => {
  await using dir = await tempDir();
  await using other = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const log = await makeLog(dir.path, ["one"]);
  await ensureSigningKey(other.path);
  const key = ["private", "audit-signing-key.pem"] as const;
  await Deno.copyFile(dir.at(...key), dir.at("kept.pem"));
  await Deno.copyFile(other.at(...key), dir.at(...key));
  const says = `Cannot sign: ${dir.at(...key)} did not sign the last line of pipelock-dev-1; `;
  await supervise(dir.path, ["show", "p1"]);
  const approved = await supervise(dir.path, ["approve", "p1"]);
  assertEquals(approved.code, 1);
  assertStringIncludes(approved.err.replaceAll(/\s+/g, " "), says);
  assertEquals((await log.lines()).length, 1);
  assertEquals((await supervise(dir.path, ["list"])).out.includes("p1"), true);
  assertEquals(
    [...Deno.readDirSync(dir.at("private"))].some(({ name }) => name === "intents"),
    false,
  );

  const verified = await supervise(dir.path, ["audit", "verify"]);
  assertEquals(verified.code, 1);
  assertMatch(verified.out, /^FAIL .*pipelock-dev-1\n {6}line 1: its key is not trusted here: /m);
  assertEquals(verified.out.includes("signed with"), false);
  assertStringIncludes(verified.err.replaceAll(/\s+/g, " "), `! ${says}`);
  const json = await supervise(dir.path, ["audit", "verify", "--json"]);
  assertEquals([json.code, JSON.parse(json.out).keys], [1, []]);
  for (const command of ["audit head", "audit export"]) {
    const { code, out, err } = await supervise(dir.path, command.split(" "));
    assertEquals([code, out], [1, ""]);
    assertStringIncludes(err.replaceAll(/\s+/g, " "), says);
  }

  await Deno.rename(dir.at("kept.pem"), dir.at(...key));
  assertEquals((await supervise(dir.path, ["approve", "p1"])).code, 0);
  assertEquals((await supervise(dir.path, ["audit", "verify"])).code, 0);
});
