import { moveFiles, replaceFileWithOthers } from "../../src/disk/write_together.ts";
import { createOnce, ensureDirectory, writeFully } from "../../src/disk/write.ts";
import { REPO, run } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertThrows } from "@std/assert";

const ignore = isMissing("strace", "-V");

const CALLS =
  "chmod,fchmodat,fsync,fdatasync,ftruncate,flock,rename,renameat,renameat2,link,linkat,unlink,unlinkat,write";

/** The system calls on the files of a directory that a line of code makes, in order. */
async function trace(dir: string, code: string): Promise<string[]> {
  const program = `
    import * as files from "${REPO}src/disk/write.ts";
    import * as together from "${REPO}src/disk/write_together.ts";
    import * as logs from "${REPO}src/disk/lock.ts";
    const durable = { ...files, ...together, ...logs };
    const bytes = new TextEncoder().encode("0123456789\\n");
    ${code}`;
  await Deno.writeTextFile(`${dir}/program.ts`, program);
  await Deno.mkdir(`${dir}/d`);
  const deno = ["deno", "run", "-A", "--quiet", `--config=${REPO}deno.json`, `${dir}/program.ts`];
  const strace = ["-f", "-y", "-qq", "-e", `trace=${CALLS}`, "-o", `${dir}/trace`];
  const { code: exit, err } = await run("strace", [...strace, ...deno]);
  assertEquals(exit, 0, err);
  return (await Deno.readTextFile(`${dir}/trace`)).split("\n")
    .filter((line) => line.includes(`${dir}/d`) && !line.includes("resumed"))
    .map((line) => {
      const call = line.match(/^\d+ +(\w+)\(/)?.[1]?.replace(/at2?$/, "");
      const onDirectory = line.match(/\((\d+)<([^>]*)>/)?.[2] === `${dir}/d`;
      return onDirectory && call?.includes("sync") ? `${call} directory` : String(call);
    });
}

for (
  const [what, code, calls] of [
    [
      "createOnce()",
      'durable.createOnce("DIR/x", bytes, "DIR");',
      ["write", "fdatasync", "link", "fsync directory", "unlink"],
    ],
    [
      "replaceFile()",
      'durable.replaceFile("DIR/x", bytes);',
      ["write", "fdatasync", "rename", "fsync directory"],
    ],
    [
      "handOver()",
      'durable.handOver("DIR/x", bytes, "DIR");',
      ["write", "fdatasync", "rename", "fsync directory"],
    ],
    [
      "replaceFileWithOthers()",
      'await durable.replaceFileWithOthers("DIR/x", bytes);',
      ["write", "fdatasync", "rename", "fsync directory"],
    ],
    [
      "withLockedLog() appending to a new log",
      'await durable.withLockedLog("DIR/x", true, (log) => log.append(bytes));',
      ["flock", "write", "fdatasync", "fsync directory", "flock"],
    ],
    [
      "withLockedLog() appending twice",
      'await durable.withLockedLog("DIR/x", true, (l) => { l.append(bytes); l.append(bytes); });',
      ["flock", "write", "fdatasync", "fsync directory", "write", "fdatasync", "flock"],
    ],
    [
      "withLockedLog() cutting",
      'Deno.writeFileSync("DIR/x", bytes); await durable.withLockedLog("DIR/x", true, (l) => l.cut(4));',
      ["write", "flock", "ftruncate", "fdatasync", "flock"],
    ],
    [
      "openLogAtRest()",
      'Deno.writeFileSync("DIR/x", bytes); using x = await durable.openLogAtRest("DIR/x");',
      ["write", "flock", "flock"],
    ],
    [
      "replaceFileAlone() over what a crash left",
      'Deno.writeFileSync("DIR/.x.new.tmp", bytes); durable.replaceFileAlone("DIR/x", bytes);',
      ["write", "unlink", "write", "fdatasync", "rename", "fsync directory"],
    ],
    [
      "openUnsynced()",
      'Deno.writeFileSync("DIR/x", bytes); using x = durable.openUnsynced("DIR/x"); x.overwrite(bytes);',
      ["write", "write"],
    ],
    [
      "moveAside()",
      'Deno.writeFileSync("DIR/x", bytes); durable.moveAside("DIR/x", "DIR/p");',
      ["write", "fsync directory", "rename", "fsync", "fsync directory"],
    ],
    [
      "openToReaders()",
      'Deno.writeTextFileSync("DIR/x", ""); durable.openToReaders("DIR/x");',
      ["chmod", "fsync"],
    ],
    [
      "removeFile()",
      'Deno.writeTextFileSync("DIR/x", ""); durable.removeFile("DIR/x");',
      ["unlink", "fsync directory"],
    ],
    [
      "moveFiles()",
      'Deno.writeTextFileSync("DIR/x", ""); durable.ensureDirectory("DIR/p");' +
      'await durable.moveFiles(["x", "none"], "DIR", "DIR/p");',
      ["fsync directory", "rename", "rename", "fsync", "fsync directory"],
    ],
  ] as const
) {
  // Threat: C3
  Deno.test(`${what} makes the system calls that its comment says`, { ignore }, async () => {
    await using dir = await tempDir();
    assertEquals(await trace(dir.path, code.replaceAll("DIR", dir.at("d"))), [...calls]);
  });
}

// Threat: C3
Deno.test(
  "replaceFileWithOthers() syncs the directory once, after the renames of all that were called at once",
  {
    ignore,
  },
  async () => {
    await using dir = await tempDir();
    const code = `await Promise.all(["x", "y", "z"].map((name) =>
    durable.replaceFileWithOthers("${dir.at("d")}/" + name, bytes)));`;
    const calls = await trace(dir.path, code);
    const each = ["fdatasync", "rename", "write"].flatMap((call) => [call, call, call]);
    assertEquals(calls.slice(0, -1).toSorted(), each);
    assertEquals(calls.at(-1), "fsync directory");
  },
);

Deno.test("replaceFileWithOthers() and moveFiles() fail for those whose own change failed, and for no others", async () => {
  await using dir = await tempDir();
  const bytes = new Uint8Array([1]);
  Deno.mkdirSync(dir.at("taken"));
  const results = await Promise.allSettled([
    replaceFileWithOthers(dir.at("x"), bytes),
    replaceFileWithOthers(dir.at("taken"), bytes),
    moveFiles(["none"], dir.path, dir.at("taken", "further")),
    ...Array.from({ length: 200 }, (_, n) => replaceFileWithOthers(dir.at("many", `${n}`), bytes)),
    moveFiles(["none"], dir.path, dir.at("x")),
  ]);
  assertEquals(
    results.flatMap(({ status }, n) => status === "rejected" ? n : []),
    [1, results.length - 1],
  );
  assertEquals([...Deno.readDirSync(dir.at("many"))].length, 200);
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name).sort(), [
    "many",
    "taken",
    "x",
  ]);
});

Deno.test("writeFully() goes on after short writes and after signals, and gives up on other errors", () => {
  const written: number[] = [];
  let calls = 0;
  const file = {
    writeSync(bytes: Uint8Array): number {
      calls++;
      if (calls % 3 === 0) throw new Deno.errors.Interrupted("a signal came");
      if (bytes[0] === 10) throw new Deno.errors.BadResource("gone");
      written.push(...bytes.subarray(0, 2));
      return Math.min(2, bytes.length);
    },
  } as unknown as Deno.FsFile;
  writeFully(file, Uint8Array.from([1, 2, 3, 4, 5, 6, 7]));
  assertEquals([written, calls], [[1, 2, 3, 4, 5, 6, 7], 5]);
  assertThrows(() => writeFully(file, Uint8Array.from([8, 9, 10])), Deno.errors.BadResource);
});

Deno.test("ensureDirectory() makes parents with mode 0700, and leaves what is there", async () => {
  await using dir = await tempDir();
  ensureDirectory(dir.at("a", "b"));
  ensureDirectory(dir.at("a", "b"));
  assertEquals(Deno.statSync(dir.at("a")).mode! & 0o777, 0o700);
  await Deno.writeTextFile(dir.at("file"), "");
  assertThrows(() => ensureDirectory(dir.at("file")), Deno.errors.NotADirectory, "Cannot create");
});

Deno.test("createOnce() leaves no staging behind, whether it wins or not", async () => {
  await using dir = await tempDir();
  createOnce(dir.at("x"), new Uint8Array([1]), dir.at("staging"));
  const again = () => createOnce(dir.at("x"), new Uint8Array([2]), dir.at("staging"));
  assertThrows(again, Deno.errors.AlreadyExists);
  assertEquals([...Deno.readDirSync(dir.at("staging"))], []);
  assertEquals(Deno.readFileSync(dir.at("x")), new Uint8Array([1]));
});
