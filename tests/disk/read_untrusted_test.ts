import { UnsafeFileError } from "../../mod.ts";
import {
  directoryIdentity,
  listNames,
  readInDirectory,
  readUntrusted,
  stampOfFile,
} from "../../src/disk/read_untrusted.ts";
import { REPO, run } from "../support/run.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";

const read = (file: string, allowHardLinks = false) =>
  readUntrusted(file, { maxBytes: 100, allowHardLinks });

Deno.test("readUntrusted() reads a plain file, up to its bound", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("f"), "x".repeat(100));
  assertEquals(read(dir.at("f")).bytes.length, 100);
  assertEquals(read(dir.at("f")).stamp, stampOfFile(dir.at("f")));
  await Deno.writeTextFile(dir.at("f"), "x".repeat(101));
  assertThrows(() => read(dir.at("f")), UnsafeFileError, "more than the 100 allowed");
  assertThrows(() => read(dir.at("none")), Deno.errors.NotFound, dir.at("none"));
});

Deno.test("readUntrusted() refuses a second name, unless it may have one", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.at("f"), "x");
  await Deno.link(dir.at("f"), dir.at("g"));
  assertThrows(() => read(dir.at("f")), UnsafeFileError, "it has 2 names");
  assertEquals(read(dir.at("f"), true).bytes.length, 1);
});

Deno.test("readInDirectory() reads nothing through a link in the place of the directory", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("real"));
  await Deno.writeTextFile(dir.at("real", "f"), "x");
  await Deno.symlink(dir.at("real"), dir.at("link"));
  const readIn = (...file: string[]) => readInDirectory(dir.at(...file), { maxBytes: 100 });
  assertEquals(readIn("real", "f"), read(dir.at("real", "f")));
  assertThrows(() => readIn("link", "f"), UnsafeFileError, "it is a link");
  assertThrows(() => readIn("real", "none"), Deno.errors.NotFound);
  assertThrows(() => readIn("none", "f"), Deno.errors.NotFound);
});

Deno.test("directoryIdentity() tells a directory from one made anew in its place", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("d"));
  const before = directoryIdentity(dir.at("d"));
  await Deno.rename(dir.at("d"), dir.at("kept"));
  await Deno.mkdir(dir.at("d"));
  assertNotEquals(directoryIdentity(dir.at("d")), before);
  assertEquals(directoryIdentity(dir.at("kept")), before);
});

Deno.test("directoryIdentity() tells directories apart, and refuses what is none", async () => {
  await using dir = await tempDir();
  await Deno.symlink(dir.path, dir.at("link"));
  await Deno.writeTextFile(dir.at("file"), "");
  assertEquals(directoryIdentity(dir.at("none")), undefined);
  assertEquals(directoryIdentity(dir.path), directoryIdentity(dir.at(".")));
  assertThrows(() => directoryIdentity(dir.at("link")), UnsafeFileError, "it is a link");
  assertThrows(() => listNames(dir.at("file")), UnsafeFileError, "it is not a directory");
});

// Threat: B2
Deno.test("readUntrusted() under scoped permissions follows no link, and waits for no FIFO", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("q"));
  await Deno.writeTextFile(dir.at("secret"), "secret");
  await Deno.symlink(dir.at("secret"), dir.at("q", "link"));
  await run("mkfifo", [dir.at("q", "fifo")]);
  await Deno.writeTextFile(dir.at("q", "plain"), "plain");
  const program = `
    import { readUntrusted } from "${REPO}src/disk/read_untrusted.ts";
    for (const name of ["link", "fifo", "plain"]) {
      try {
        const { bytes } = readUntrusted("${dir.at("q")}/" + name, { maxBytes: 100 });
        console.log(name, new TextDecoder().decode(bytes));
      } catch (error) {
        console.log(name, error.reason);
      }
    }`;
  await Deno.writeTextFile(dir.at("program.ts"), program);
  const { out, err } = await run("deno", [
    "run",
    "--no-prompt",
    `--config=${REPO}deno.json`,
    `--allow-read=${dir.at("q")}`,
    dir.at("program.ts"),
  ]);
  assertEquals(err.replace(/Check.*\n/g, ""), "");
  assertEquals(out, "link it is a link\nfifo it is not a regular file\nplain plain\n");
});
