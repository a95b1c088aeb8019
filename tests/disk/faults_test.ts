import { openNames } from "../../src/disk/known_names.ts";
import { readOwnFile, stampOf } from "../../src/disk/read_own.ts";
import { directoryIdentity } from "../../src/disk/read_untrusted.ts";
import { watchFile } from "../../src/disk/watch.ts";
import { moveFiles, replaceFileWithOthers } from "../../src/disk/write_together.ts";
import { replaceFile, writeNewFile } from "../../src/disk/write.ts";
import { actBetween } from "../support/between.ts";
import { callsOf } from "../support/calls.ts";
import { REPO, run } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";

const ignore = isMissing("strace", "-V");

const bytes = new TextEncoder().encode("new\n");

/** Runs code whose first such call on a path fails; returns the name of the error that it ends with. */
async function failing(dir: TempDir, path: string, call: string, code: string): Promise<string> {
  const program = `
    import * as write from "${REPO}src/disk/write.ts";
    import * as together from "${REPO}src/disk/write_together.ts";
    import * as lock from "${REPO}src/disk/lock.ts";
    const bytes = new TextEncoder().encode("new\\n");
    try { ${code} } catch (error) { console.log(error.code ?? error.name); }`;
  await Deno.writeTextFile(dir.at("program.ts"), program);
  const { code: exit, out, err } = await run("strace", [
    ...["-f", "-qq", "-o", dir.at("trace"), "-P", path, "-e", `inject=${call}:error=EIO:when=1`],
    ...["deno", "run", "-A", "--quiet", `--config=${REPO}deno.json`, dir.at("program.ts")],
  ]);
  assertEquals(exit, 0, err);
  return out.trimEnd();
}

const namesIn = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();

for (
  const [what, call, target, code, left] of [
    [
      "writeNewFile() removes a file that is not on the disk",
      "fdatasync",
      "x",
      "write.writeNewFile(X, bytes)",
      [],
    ],
    [
      "createOnce() removes its staging if it could not link",
      "linkat",
      "x",
      "write.createOnce(X, bytes, D)",
      [],
    ],
    [
      "replaceFileWithOthers() fails if its directory cannot be synced",
      "fsync",
      ".",
      "await together.replaceFileWithOthers(X, bytes)",
      ["x"],
    ],
    [
      "moveFiles() fails if a directory cannot be synced",
      "fsync",
      ".",
      "await together.moveFiles([], D, D)",
      [],
    ],
  ] as const
) {
  // Threat: C3
  Deno.test(`where a disk fails, ${what}`, { ignore }, async () => {
    await using dir = await tempDir();
    const d = dir.at("d");
    await Deno.mkdir(d);
    const said = code.replace("X", JSON.stringify(`${d}/x`)).replaceAll("D", JSON.stringify(d));
    assertEquals(await failing(dir, target === "." ? d : `${d}/x`, call, said), "EIO");
    assertEquals(namesIn(d), [...left]);
  });
}

// Threat: C3
Deno.test("a line whose sync failed is cut off again", { ignore }, async () => {
  await using dir = await tempDir();
  const log = dir.at("log");
  await Deno.writeTextFile(log, "old\n");
  const code = `await lock.withLockedLog("${log}", false, (log) => log.append(bytes));`;
  assertEquals(await failing(dir, log, "fdatasync", code), "EIO");
  assertEquals(await Deno.readTextFile(log), "old\n");
});

Deno.test("replaceFile() removes what it could not rename", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("x"));
  assertThrows(() => replaceFile(dir.at("x"), bytes), Error, "directory");
  assertEquals(namesIn(dir.path), ["x"]);
});

Deno.test("moveFiles() that failed once does not fail those that come later", async () => {
  await using dir = await tempDir();
  const [from, to] = [dir.at("from"), dir.at("to")];
  await assertRejects(() => moveFiles(["x"], from, to), Deno.errors.NotFound);
  await Deno.mkdir(from);
  await Deno.writeTextFile(dir.at("from", "x"), "");
  await moveFiles(["x"], from, to);
  assertEquals(namesIn(to), ["x"]);
});

// Threat: C3
Deno.test("replaceFileWithOthers() and moveFiles() return when it is on the disk, not before", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("d"));
  const code = `
    import { moveFiles, replaceFileWithOthers } from "REPOsrc/disk/write_together.ts";
    const said = Deno.openSync("${dir.at("d")}/said", { write: true, create: true });
    await replaceFileWithOthers("${dir.at("d")}/x", new Uint8Array(1));
    said.writeSync(new Uint8Array(1));
    await moveFiles(["x"], "${dir.at("d")}", "${dir.at("d")}/p");
    said.writeSync(new Uint8Array(1));`;
  const calls = await callsOf(dir, dir.at("d"), code);
  const told = calls.flatMap((call, n) => call === "write said" ? n : []);
  assertEquals(told.length, 2);
  const before = calls.slice(0, told[0]);
  assert(before.includes("rename x") || before.some((call) => /^rename \.x\./.test(call)));
  assertEquals(before.at(-1), "fsync .");
  // The directory that got the file, then the one that had it.
  assertEquals(calls.slice(told[0]! + 1, told[1]).slice(-2), ["fsync p", "fsync ."]);
});

Deno.test("two writes of one file at once both succeed", async () => {
  await using dir = await tempDir();
  await Promise.all([1, 2].map(() => replaceFileWithOthers(dir.at("x"), bytes)));
  assertEquals(namesIn(dir.path), ["x"]);
});

// Threat: B2
Deno.test("writeNewFile() overwrites nothing, and follows no link", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("kept"), "kept");
  await Deno.symlink(dir.at("kept"), dir.at("link"));
  await Deno.symlink(dir.at("made"), dir.at("dangling"));
  for (const name of ["kept", "link", "dangling"]) {
    assertThrows(() => writeNewFile(dir.at(name), bytes), Deno.errors.AlreadyExists);
  }
  assertEquals(await Deno.readTextFile(dir.at("kept")), "kept");
  assertEquals(namesIn(dir.path), ["dangling", "kept", "link"]);
});

Deno.test("a file that was born later is another one, though it has the same inode", async () => {
  await using dir = await tempDir();
  const info = await Deno.stat(dir.path);
  const later = { ...info, birthtime: new Date(info.birthtime!.getTime() + 1) };
  assertNotEquals(stampOf(later).identity, stampOf(info).identity);
  assertEquals(stampOf({ ...info, size: info.size + 1 }).identity, stampOf(info).identity);
  for (const change of [{ mode: 0o400 }, { size: 1 }, { ctime: new Date(0) }]) {
    assertNotEquals(stampOf({ ...info, ...change }).text, stampOf(info).text);
  }
});

Deno.test("a directory that is made anew is another one, whatever inode it gets", async () => {
  await using dir = await tempDir();
  const seen = new Set<string>();
  for (let n = 0; n < 20; n++) {
    await Deno.mkdir(dir.at("d"));
    seen.add(directoryIdentity(dir.at("d"))!);
    const born = (await Deno.stat(dir.at("d"))).birthtime!.getTime();
    await Deno.remove(dir.at("d"));
    // The kernel tells births in ticks of its clock.
    while (Date.now() <= born + 20) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(seen.size, 20);
});

Deno.test("readOwnFile() takes only a missing file for none", async () => {
  await using dir = await tempDir();
  assertEquals(readOwnFile(dir.at("none")), undefined);
  assertThrows(() => readOwnFile(dir.path), Error, "directory");
});

Deno.test("openNames() sees what another process changed before a change of one's own", async () => {
  await using dir = await tempDir();
  const names = openNames(dir.path);
  names.list();
  names.change(() => Deno.writeTextFileSync(dir.at("mine"), ""));
  assertEquals(names.mayDiffer(), false);
  // Two changes within one tick of the clock have the same stamp.
  await new Promise((resolve) => setTimeout(resolve, 20));
  await Deno.writeTextFile(dir.at("another"), "");
  await new Promise((resolve) => setTimeout(resolve, 20));
  names.change(() => Deno.removeSync(dir.at("mine")));
  assertEquals(names.mayDiffer(), true);
});

Deno.test(
  "openNames() sees what another process changed while the names were read",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.at("d"));
    const code = `
    import { openNames } from "REPOsrc/disk/known_names.ts";
    const names = openNames("${dir.at("d")}");
    console.log(names.list().size, names.mayDiffer());`;
    const out = await actBetween(dir, code, dir.at("d"), {
      call: "getdents64",
      n: 2,
      act: () => Deno.writeTextFile(dir.at("d", "late"), ""),
    });
    assertEquals(out, "0 true\n");
  },
);

Deno.test("an interval that no timer can have is a long one", async () => {
  await using dir = await tempDir();
  for (const name of ["long", "short"]) {
    await Deno.mkdir(dir.at(name));
    await Deno.writeTextFile(dir.at(name, "f"), "");
  }
  let looks = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stopLong = watchFile(dir.at("long"), "f", 2 ** 40, () => looks++);
  let others = 0;
  const stopShort = watchFile(dir.at("short"), "f", 5, () => {
    if (++others === 20) resolve();
  });
  await promise;
  stopLong();
  stopShort();
  assert(looks >= 1 && looks <= 3, `${looks} looks in the time of 20 with an interval of 5 ms`);
});
