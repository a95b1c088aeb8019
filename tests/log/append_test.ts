import { ensureSigningKey, exportAuditLogs } from "../../internal_mod.ts";
import {
  AuditLogChangedError,
  readAuditEntries,
  verifyAuditLog,
  writeAuditEntry,
} from "../../mod.ts";
import { appendEntry } from "../../src/log/append.ts";
import { FOREIGN_LINE, makeLog, sampleEntry, type SampleLog } from "../support/audit.ts";
import { PYTHON_MISSING, startAppender } from "../support/python.ts";
import { REPO, run } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { basename } from "@std/path";

const append = (dir: TempDir, operatorNotes = "more") =>
  writeAuditEntry(sampleEntry({ operatorNotes }), { root: dir.path });

const verify = (dir: TempDir) => verifyAuditLog("pipelock", "dev-1", { root: dir.path });

const entries = (dir: TempDir) => readAuditEntries("pipelock", "dev-1", { root: dir.path });

/** Appends from a process of its own, which remembers nothing; its standard error if it failed. */
async function appendElsewhere(dir: TempDir, bottleSlug = "dev-1"): Promise<string> {
  const program = `
    import { writeAuditEntry } from "${REPO}mod.ts";
    try {
      await writeAuditEntry(JSON.parse(Deno.args[1]), { root: Deno.args[0] });
    } catch (error) {
      console.error(error.name + ": " + error.message);
    }`;
  await Deno.writeTextFile(dir.at("append.ts"), program);
  const { err } = await run("deno", [
    ...["run", "--no-prompt", `--config=${REPO}deno.json`],
    ...[`--allow-read=${dir.path}`, `--allow-write=${dir.path}`],
    ...[dir.at("append.ts"), dir.path, JSON.stringify(sampleEntry({ bottleSlug }))],
  ]);
  return err;
}

/** What is left of a line by a writer that died, and the note that the next line has. */
const TORN: Readonly<Record<string, string>> = {
  "half a line": '{"timestamp": "2026-',
  "NULs": "\0".repeat(4096),
  "a whole line without its LF": FOREIGN_LINE.slice(0, -1),
};

for (const [what, torn] of Object.entries(TORN)) {
  // Threat: C3
  Deno.test(`writeAuditEntry() puts ${what} aside, and the new line says so`, async () => {
    await using dir = await tempDir();
    const log = await makeLog(dir.path, ["one", "two"]);
    const before = await Deno.readTextFile(log.path);
    await log.add(torn);
    const found = await verify(dir);
    assertEquals([found.ok, found.torn, found.lines], [false, 1, 2]);
    assertStringIncludes(found.firstError, `line 3: ${torn.length} bytes of a torn line`);

    await append(dir);
    const [, , line, ...rest] = await log.lines();
    assertEquals(rest, []);
    assert((await Deno.readTextFile(log.path)).startsWith(before));
    assertEquals(await Deno.readTextFile(`${log.path}.torn-2`), torn);
    assertEquals(Deno.statSync(`${log.path}.torn-2`).mode! & 0o777, 0o600);
    assertEquals(
      JSON.parse(line!).repair,
      `${torn.length} bytes of a torn line are kept in pipelock-dev-1.log.torn-2`,
    );
    const repaired = await verify(dir);
    assertEquals([repaired.ok, repaired.torn, repaired.lines], [true, 1, 3]);
    // It is said once.
    await append(dir);
    assertEquals((await entries(dir)).at(-1)?.repair, undefined);
  });
}

Deno.test("writeAuditEntry() puts aside the torn line of a log that has no other", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("audit"));
  await Deno.writeTextFile(dir.at("audit", "pipelock-dev-1.log"), "{");
  await append(dir);
  const { ok, lines, torn } = await verify(dir);
  assertEquals([ok, lines, torn], [true, 1, 1]);
});

Deno.test("writeAuditEntry() says it although a crash came between the cut and the line", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  // As the crash left it: put aside, cut off, not said.
  await Deno.writeTextFile(`${log.path}.torn-1`, "{half");
  const record = dir.at("private", "heads", "pipelock-dev-1");
  const said = (await Deno.readTextFile(record)).trimEnd();
  await Deno.writeTextFile(record, `${said} torn`.padEnd(255) + "\n");
  await append(dir);
  assertStringIncludes((await entries(dir))[1]!.repair!, "kept in pipelock-dev-1.log.torn-1");
});

Deno.test("writeAuditEntry() keeps every torn line where writers died one after the other", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  for (const torn of ["first", "second", "third"]) {
    await log.add(torn);
    // It puts the torn line aside, and dies before its own is whole.
    await assertRejects(() =>
      appendEntry(sampleEntry(), dir.path, () => {
        throw new Error("crash");
      })
    );
  }
  await log.add(FOREIGN_LINE);
  await append(dir);
  const kept = ["torn-1", "torn-1.2", "torn-1.3"].map((end) => `${log.path}.${end}`);
  const texts = await Promise.all(kept.map((file) => Deno.readTextFile(file)));
  assertEquals(texts, ["first", "second", "third"]);
  const { repair } = (await entries(dir))[2]!;
  assertStringIncludes(repair!, "5 bytes of a torn line are kept in pipelock-dev-1.log.torn-1;");
  assertStringIncludes(repair!, "6 bytes of a torn line are kept in pipelock-dev-1.log.torn-1.2");
  const { ok, torn } = await verify(dir);
  assertEquals([ok, torn], [true, 3]);
});

Deno.test("writeAuditEntry() covers what is no entry, and says which lines", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  await log.add('{"torn": "by the original"{"timestamp": 1}\n\n');
  assertEquals((await verify(dir)).firstError, "line 2: it is not JSON");
  await append(dir);
  assertEquals((await entries(dir))[1]!.repair, "not entries: line 2");
  const { ok, lines, chained, foreign, torn } = await verify(dir);
  assertEquals([ok, lines, chained, foreign, torn], [true, 4, 2, 1, 1]);
});

Deno.test("writeAuditEntry() goes on with a log that has only lines of the original", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("audit"));
  const log = await makeLog(dir.path, []);
  await log.put(FOREIGN_LINE.repeat(3));
  await append(dir);
  const { ok, lines, foreign, uncovered } = await verify(dir);
  assertEquals([ok, lines, foreign, uncovered], [true, 4, 3, 0]);
  assertEquals((await entries(dir))[3]!.seq, 3);
  // They are covered now.
  await log.put((await Deno.readTextFile(log.path)).replace("by hand", "by hook"));
  assertEquals((await verify(dir)).firstError, "line 4: a line before it is not what it was");
});

Deno.test("writeAuditEntry() goes on after a crash in the first append to a log of the original", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("audit"));
  const log = await makeLog(dir.path, []);
  const crash = () =>
    assertRejects(
      () =>
        appendEntry(sampleEntry(), dir.path, () => {
          throw new Error("crash");
        }),
      Error,
      "crash",
    );
  await log.put(FOREIGN_LINE.repeat(2) + "half a line\n");
  await crash();
  await append(dir);
  assertEquals((await entries(dir))[2]!.repair, "not entries: line 3");
  assertEquals((await verify(dir)).ok, true);

  // A power cut may also take what the original did not sync.
  await Deno.remove(dir.at("private", "heads"), { recursive: true });
  await log.put(FOREIGN_LINE.repeat(2));
  await crash();
  await log.put(FOREIGN_LINE);
  await append(dir);
  assertEquals((await verify(dir)).ok, true);
});

/** What happens to a log while somebody writes to it. */
const CHANGED: Readonly<
  Record<string, { readonly change: (log: SampleLog) => Promise<void>; readonly says: string }>
> = {
  removed: { change: (log) => Deno.remove(log.path), says: "it is gone" },
  "truncated to nothing": { change: (log) => log.put(""), says: "it has 0 bytes, and had" },
  "cut by a line": {
    change: async (log) => await log.put((await log.lines()).slice(0, 2).join("")),
    says: "bytes, and had",
  },
  "replaced by another": {
    change: async (log) => {
      const lines = await log.lines();
      await Deno.remove(log.path);
      await log.put([lines[0], lines[1], lines[1], lines[2], lines[2]].join(""));
    },
    says: "",
  },
  "replaced by a directory's worth of foreign lines": {
    change: async (log) => {
      await Deno.rename(log.path, `${log.path}.old`);
      await log.put(FOREIGN_LINE.repeat(50));
    },
    says: "",
  },
};

for (const [what, { change, says }] of Object.entries(CHANGED)) {
  for (const where of ["the process that wrote to it", "another process"] as const) {
    // Threat: L4
    Deno.test(`writeAuditEntry() refuses a log that was ${what}: ${where}`, async () => {
      await using dir = await tempDir();
      const log = await makeLog(dir.path, ["one", "two", "three"]);
      const kept = await Deno.readTextFile(log.path);
      await change(log);
      const after = await Deno.readTextFile(log.path).catch(() => undefined);
      const message = where === "another process"
        ? await appendElsewhere(dir)
        : (await assertRejects(() => append(dir), AuditLogChangedError)).message;
      assertStringIncludes(message, `Cannot record in ${log.path}: `);
      assertStringIncludes(message, says);
      assertStringIncludes(message, "put the right file back");
      assertEquals(await Deno.readTextFile(log.path).catch(() => undefined), after);
      assertEquals((await verify(dir)).ok, false);
      // The way out that the message names.
      await Deno.writeTextFile(log.path, kept);
      assertEquals(await appendElsewhere(dir), "");
      assertEquals((await verify(dir)).ok, true);
    });
  }
}

// Threat: L4
Deno.test("writeAuditEntry() in a running process refuses a copy in the log's place", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one", "two"]);
  await Deno.copyFile(log.path, dir.at("copy"));
  await Deno.rename(dir.at("copy"), log.path);
  const error = await assertRejects(() => append(dir), AuditLogChangedError);
  assertStringIncludes(error.message, "another file is in its place");
});

Deno.test("writeAuditEntry() in a running process refuses a changed log that got the old one's inode", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one", "two"]);
  const changed = (await Deno.readTextFile(log.path)).replace('"one"', '"eno"');
  const { ino } = Deno.statSync(log.path);
  // A file system gives the number to the next file, or to a later one, or to none.
  for (
    let tries = 0;
    tries < 100 && (tries === 0 || Deno.statSync(log.path).ino !== ino);
    tries++
  ) {
    await Deno.remove(log.path);
    await log.put(changed);
  }
  const error = await assertRejects(() => append(dir), AuditLogChangedError);
  assertStringIncludes(error.message, "another file is in its place");
});

Deno.test("writeAuditEntry() goes on after the other way out, and kept heads show the loss", async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one", "two", "three"]);
  await log.put((await log.lines())[0]!);
  const memory = dir.at("private", "heads", "pipelock-dev-1");
  const kept = await Deno.readTextFile(memory);
  await Deno.remove(memory);
  assertEquals(await appendElsewhere(dir), "");
  assertEquals((await verify(dir)).ok, true);
  const [seq, hash] = kept.split(" ")[0]!.split(":");
  const anchors = [{ log: "pipelock-dev-1", seq: Number(seq), hash: hash!, source: "kept" }];
  const { firstError } = await verifyAuditLog("pipelock", "dev-1", { root: dir.path, anchors });
  assertEquals(firstError, "line 3: lines 3 to 3 are gone, by kept");
});

Deno.test("writeAuditEntry() refuses a memory that is damaged, and says what to do", async () => {
  await using dir = await tempDir();
  await makeLog(dir.path, ["one"]);
  await Deno.writeTextFile(dir.at("private", "heads", "pipelock-dev-1"), "nonsense");
  assertStringIncludes(await appendElsewhere(dir), "it is not a head; move it away");
  // That is no dead end, and hides no other log.
  const { ok, lines, firstError } = await verify(dir);
  assertEquals([ok, lines], [false, 1]);
  assertStringIncludes(firstError, "private/heads/pipelock-dev-1: it is not a head");
});

Deno.test("a key is made once, mode 0600, by whoever comes first, and signs for all", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("private"), { mode: 0o700 });
  assertEquals(await Promise.all([appendElsewhere(dir), appendElsewhere(dir)]), ["", ""]);
  const key = dir.at("private", "audit-signing-key.pem");
  assertEquals(Deno.statSync(key).mode! & 0o777, 0o600);
  const { created, fingerprint } = await ensureSigningKey(dir.path);
  assertEquals(created, false);
  const keys = (await entries(dir)).map(({ operatorKey }) => operatorKey);
  assertEquals(keys, [fingerprint, fingerprint]);
  assertEquals((await verify(dir)).signatures, 2);
});

Deno.test("writeAuditEntry() makes no key in the place of one that is gone, until it is told to", async () => {
  await using dir = await tempDir();
  await makeLog(dir.path, ["one"]);
  const old = await ensureSigningKey(dir.path);
  await Deno.remove(dir.at("private", "audit-signing-key.pem"));
  await assertRejects(() => append(dir), Error, "is gone, and it signed logs already; put it back");
  assertEquals((await entries(dir)).length, 1);

  await Deno.rename(dir.at("private", "heads"), dir.at("heads-moved-away"));
  await append(dir);
  const { publicKey } = await ensureSigningKey(dir.path);
  const mine = await verify(dir);
  assertEquals([mine.ok, mine.signatures], [false, 1]);
  const publicKeys = old.publicKey + publicKey;
  const both = await verifyAuditLog("pipelock", "dev-1", { root: dir.path, publicKeys });
  assertEquals([both.ok, both.signatures], [true, 2]);
});

/** Puts a root's key in the place of another root's. */
async function swapKey(dir: TempDir, other: TempDir): Promise<void> {
  const key = (of: TempDir) => of.at("private", "audit-signing-key.pem");
  await Deno.copyFile(key(other), key(dir));
}

// Threat: L12
Deno.test.each([
  ["the log that was signed", "dev-1"],
  ["a log that has no line yet", "dev-2"],
])("writeAuditEntry() signs nothing with another key in the key's place: %s", async (_, slug) => {
  await using dir = await tempDir();
  await using other = await tempDir();
  await makeLog(dir.path, ["one", "two"]);
  await makeLog(other.path, ["theirs"]);
  await Deno.copyFile(dir.at("private", "audit-signing-key.pem"), dir.at("kept.pem"));
  await swapKey(dir, other);
  const log = dir.at("audit", `pipelock-${slug}.log`);
  const before = await Deno.readTextFile(log).catch(() => undefined);
  const appendTo = (operatorNotes: string) =>
    writeAuditEntry(sampleEntry({ operatorNotes, bottleSlug: slug }), { root: dir.path });
  const says = "did not sign the last line of pipelock-dev-1; put the key back that did";
  await assertRejects(() => appendTo("here"), Error, says);
  assertStringIncludes(await appendElsewhere(dir, slug), says);
  assertEquals(await Deno.readTextFile(log).catch(() => undefined), before);
  // What asks for a key, and what signs an archive, are told the same.
  await assertRejects(() => ensureSigningKey(dir.path), Error, says);
  const ids = [{ component: "pipelock", slug: "dev-1" }];
  await assertRejects(() => exportAuditLogs(ids, { root: dir.path }), Error, says);

  // The way out that the message names.
  await Deno.rename(dir.at("kept.pem"), dir.at("private", "audit-signing-key.pem"));
  assertEquals(await appendElsewhere(dir, slug), "");
  await appendTo("here");
  assertEquals((await verify(dir)).ok, true);
  // That key is known to this process, and the other one is still not.
  await swapKey(dir, other);
  await assertRejects(() => appendTo("again"), Error, says);
});

// Threat: L12
Deno.test("writeAuditEntry() signs with another key once it is told to, and both keys verify", async () => {
  await using dir = await tempDir();
  await using other = await tempDir();
  await makeLog(dir.path, ["one"]);
  await makeLog(dir.path, ["one"], "dev-2");
  const old = await ensureSigningKey(dir.path);
  const { publicKey } = await ensureSigningKey(other.path);
  await Deno.copyFile(dir.at("private", "audit-signing-key.pem"), dir.at("old.pem"));
  await swapKey(dir, other);
  await assertRejects(() => append(dir), Error, "away: then this one signs");
  await Deno.rename(dir.at("private", "heads"), dir.at("heads-moved-away"));
  await append(dir);
  assertEquals(await appendElsewhere(dir), "");
  const publicKeys = old.publicKey + publicKey;
  const both = await verifyAuditLog("pipelock", "dev-1", { root: dir.path, publicKeys });
  assertEquals([both.ok, both.signatures], [true, 3]);
  // Then the old key is the wrong one, also for a log that it signed last.
  await Deno.rename(dir.at("old.pem"), dir.at("private", "audit-signing-key.pem"));
  await assertRejects(
    () => append(dir, "old"),
    Error,
    "did not sign the last line of pipelock-dev-1",
  );
  assertStringIncludes(await appendElsewhere(dir, "dev-2"), "put the key back that did");
});

Deno.test("a log that is changed, gone or unreadable keeps no other log from being signed", async () => {
  await using dir = await tempDir();
  const changes: ((log: SampleLog) => Promise<void>)[] = [
    async (log) => await log.put((await log.lines())[0]!.replace('"one"', '"eno"')),
    (log) => Deno.remove(log.path),
    async (log) => {
      await Deno.remove(log.path);
      await Deno.mkdir(log.path);
    },
    (log) => Deno.writeTextFile(dir.at("private", "heads", basename(log.path, ".log")), "nonsense"),
  ];
  for (const [n, change] of changes.entries()) {
    await change(await makeLog(dir.path, ["one"], `dev-${n + 2}`));
  }
  assertEquals(await appendElsewhere(dir), "");
  assertEquals((await verify(dir)).ok, true);
});

// Threat: L7
Deno.test("ensureSigningKey() says who made the key, and refuses one that others may read, or that is none", async () => {
  await using dir = await tempDir();
  const { created, publicKey } = await ensureSigningKey(dir.path);
  assertEquals(created, true);
  assertStringIncludes(publicKey, "BEGIN PUBLIC KEY");
  const key = dir.at("private", "audit-signing-key.pem");
  await Deno.chmod(key, 0o640);
  await assertRejects(() => ensureSigningKey(dir.path), Error, "others may read it (mode 640)");
  await Deno.writeTextFile(key, "nonsense", { mode: 0o600 });
  await Deno.chmod(key, 0o600);
  await assertRejects(() => ensureSigningKey(dir.path), Error, "put the right key back");
  const rsa = ["genpkey", "-algorithm", "RSA", "-out", key];
  if ((await run("openssl", rsa).catch(() => ({ code: 1 }))).code === 0) {
    await Deno.chmod(key, 0o600);
    await assertRejects(() => ensureSigningKey(dir.path), Error, "it is not an Ed25519 key");
  }
});

Deno.test("writeAuditEntry() lets nobody set what the log itself says", async () => {
  await using dir = await tempDir();
  const claims = { operatorKey: "SHA256:mine", repair: "nothing", seq: 99 };
  await writeAuditEntry(sampleEntry(claims), { root: dir.path });
  const [entry] = await entries(dir);
  const { fingerprint } = await ensureSigningKey(dir.path);
  assertEquals([entry?.operatorKey, entry?.repair, entry?.seq], [fingerprint, undefined, 0]);
  assertEquals((await verify(dir)).ok, true);
});

Deno.test("writeAuditEntry() waits for Python's flock(), and covers what it wrote, torn or whole", {
  ignore: PYTHON_MISSING,
}, async () => {
  await using dir = await tempDir();
  const log = await makeLog(dir.path, ["one"]);
  const program = `
import fcntl, sys
with open(sys.argv[1], "a") as f:
    fcntl.flock(f, fcntl.LOCK_EX)
    print("ready", flush=True)
    sys.stdin.read()
    f.write(sys.argv[2])`;
  await Deno.writeTextFile(dir.at("hold.py"), program);
  for (const written of [FOREIGN_LINE, '{"timestamp": "20']) {
    const holder = await startAppender("python3", [dir.at("hold.py"), log.path, written]);
    let appended = false;
    const appending = append(dir).then(() => appended = true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals(appended, false);
    await holder.go();
    await appending;
  }
  const { ok, lines, chained, foreign, torn } = await verify(dir);
  assertEquals([ok, lines, chained, foreign, torn], [true, 4, 3, 1, 1]);
});
