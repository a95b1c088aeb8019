import { isThere } from "../../src/disk/read_own.ts";
import { makeLog, sampleEntry } from "../support/audit.ts";
import { actBetween } from "../support/between.ts";
import { run } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals } from "@std/assert";

const ignore = isMissing("strace", "-V");

/** Reads an untrusted file and prints its text, or why it was refused. */
const READ = (path: string, options: string, read = "readUntrusted") => `
  import { ${read} } from "REPOsrc/disk/read_untrusted.ts";
  try {
    const { bytes } = ${read}("${path}", { maxBytes: 100, ${options} });
    console.log(new TextDecoder().decode(bytes));
  } catch (error) {
    console.log(error.reason ?? error.name);
  }`;

const overwrite = (path: string, text: string) => {
  using file = Deno.openSync(path, { write: true });
  file.writeSync(new TextEncoder().encode(text));
};

/** Overwrites a file, and sets the time of its change back, which Deno can do to the millisecond only. */
const setBack = async (path: string, text: string) => {
  await run("cp", ["--preserve=timestamps", path, `${path}.time`]);
  overwrite(path, text);
  await run("touch", ["--reference", `${path}.time`, path]);
};

for (
  const { what, call, n, act, says, options = "" } of [
    {
      what: "grew over the bound between look and open",
      call: "statx",
      n: 1,
      act: (path: string) => Deno.writeTextFileSync(path, "x".repeat(200)),
      says: "it has 200 bytes, more than the 100 allowed",
    },
    {
      what: "got a second name between look and open",
      call: "statx",
      n: 1,
      act: (path: string) => Deno.linkSync(path, `${path}.2`),
      says: "it has 2 names (hard links)",
    },
    {
      what: "was replaced between look and open",
      call: "statx",
      n: 1,
      act: (path: string) => {
        Deno.writeTextFileSync(`${path}.new`, "other");
        Deno.renameSync(`${path}.new`, path);
      },
      says: "it was replaced while it was opened",
    },
    {
      what: "became a link between look and open",
      call: "statx",
      n: 1,
      act: (path: string) => {
        Deno.renameSync(path, `${path}.real`);
        Deno.symlinkSync(`${path}.real`, path);
      },
      says: "it is a link",
    },
    {
      what: "became a FIFO between look and open",
      call: "statx",
      n: 1,
      act: async (path: string) => {
        Deno.removeSync(path);
        await run("mkfifo", [path]);
      },
      says: "it is not a regular file",
    },
    {
      what: "was overwritten during the read with as many bytes",
      call: "read",
      n: 1,
      act: (path: string) => overwrite(path, "HELLO"),
      says: "it changed while it was read",
      options: "allowHardLinks: true",
    },
    {
      what: "grew during the read, with its time set back",
      call: "read",
      n: 1,
      act: (path: string) => setBack(path, "hello, and more"),
      says: "it changed while it was read",
      options: "allowHardLinks: true",
    },
    {
      what: "shrank between look and read",
      call: "statx",
      n: 2,
      act: (path: string) => Deno.truncateSync(path, 2),
      says: "it changed while it was read",
      options: "allowHardLinks: true",
    },
    {
      what: "was overwritten during the read, with its time set back",
      call: "read",
      n: 1,
      async act(path: string) {
        const { ctime } = Deno.statSync(path);
        await setBack(path, "HELLO");
        // Deno tells the time that no program can set in whole seconds.
        while (Deno.statSync(path).ctime!.getTime() === ctime!.getTime()) {
          await run("touch", ["--reference", `${path}.time`, path]);
        }
      },
      says: "it changed while it was read",
    },
  ]
) {
  // Threat: B2
  Deno.test(`readUntrusted() refuses a file that ${what}`, { ignore }, async () => {
    await using dir = await tempDir();
    const path = dir.at("f");
    await Deno.writeTextFile(path, "hello");
    const out = await actBetween(dir, READ(path, options), path, {
      call,
      n,
      act: () => act(path),
    });
    assertEquals(out, `${says}\n`);
  });
}

/** Puts a link to another directory in the place of one. */
const linkInstead = (path: string, to: string) => () => {
  Deno.renameSync(path, `${path}.real`);
  Deno.symlinkSync(to, path);
};

// Threat: B2
Deno.test(
  "listNames() gives no names from behind a link that came after its look",
  { ignore },
  async () => {
    await using dir = await tempDir();
    for (const place of ["q", "outside"]) await Deno.mkdir(dir.at(place));
    await Deno.writeTextFile(dir.at("outside", "secret"), "");
    const path = dir.at("q");
    const list = `
    import { listNames } from "REPOsrc/disk/read_untrusted.ts";
    try { console.log(listNames("${path}")); } catch (error) { console.log(error.reason); }`;
    const act = linkInstead(path, dir.at("outside"));
    const out = await actBetween(dir, list, path, { call: "statx", n: 1, act });
    assertEquals(out, "it is a link, where a directory belongs\n");
  },
);

// Threat: B2
Deno.test(
  "readInDirectory() gives nothing from behind a link that came after its look",
  { ignore },
  async () => {
    await using dir = await tempDir();
    for (const place of ["q", "outside"]) await Deno.mkdir(dir.at(place));
    for (const place of ["q", "outside"]) await Deno.writeTextFile(dir.at(place, "f"), place);
    const path = dir.at("q");
    const read = READ(dir.at("q", "f"), "", "readInDirectory");
    const act = linkInstead(path, dir.at("outside"));
    const out = await actBetween(dir, read, path, { call: "statx", n: 1, act });
    assertEquals(out, "it is a link, where a directory belongs\n");
  },
);

// Threat: B2
Deno.test(
  "readInDirectory() gives nothing from behind a link that came after its look and went before the next",
  { ignore },
  async () => {
    await using dir = await tempDir();
    for (const place of ["q", "outside"]) await Deno.mkdir(dir.at(place));
    for (const place of ["q", "outside"]) await Deno.writeTextFile(dir.at(place, "f"), place);
    const [path, file] = [dir.at("q"), dir.at("q", "f")];
    const read = READ(file, "", "readInDirectory");
    const back = () => {
      Deno.removeSync(path);
      Deno.renameSync(`${path}.real`, path);
    };
    const act = linkInstead(path, dir.at("outside"));
    const out = await actBetween(dir, read, [path, file], { call: "statx", n: 1, act }, {
      call: "openat",
      n: 1,
      act: back,
    });
    assertEquals(out, "q\n");
  },
);

Deno.test(
  "readInDirectory() finds no file that went with its directory",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.at("q"));
    await Deno.mkdir(dir.at("new"));
    await Deno.writeTextFile(dir.at("q", "f"), "old");
    const path = dir.at("q");
    const read = READ(dir.at("q", "f"), "", "readInDirectory");
    const out = await actBetween(dir, read, path, {
      call: "statx",
      n: 1,
      act() {
        Deno.renameSync(path, dir.at("gone"));
        Deno.renameSync(dir.at("new"), path);
      },
    });
    assertEquals(out, "NotFound\n");
  },
);

Deno.test(
  "openOwnFile() has the state of the file that it reads, and of none that was there before",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const path = dir.at("log");
    await Deno.writeTextFile(path, "old\n");
    const code = `
    import { openOwnFile } from "REPOsrc/disk/lock.ts";
    using file = openOwnFile("${path}");
    console.log(file.stamp.size, new TextDecoder().decode(file.read(0, 100)).trim());`;
    const out = await actBetween(dir, code, path, {
      call: "statx",
      n: 1,
      act() {
        Deno.writeTextFileSync(dir.at("new"), "another\n");
        Deno.renameSync(dir.at("new"), path);
      },
    });
    assertEquals(out, "8 another\n");
  },
);

Deno.test("withLockedLog() appends to the file that has the log's name once it has the lock", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  const path = dir.at("log");
  await Deno.writeTextFile(path, "old\n");
  using held = Deno.openSync(path, { read: true });
  await held.lock(true);
  const code = `
    import { withLockedLog } from "REPOsrc/disk/lock.ts";
    await withLockedLog("${path}", false, (log) => log.append(new TextEncoder().encode("mine\\n")));`;
  // It has found the lock taken, and waits for it.
  await actBetween(dir, code, path, {
    call: "flock",
    n: 1,
    async act() {
      await Deno.rename(path, dir.at("old"));
      await Deno.writeTextFile(path, "new\n");
      held.unlockSync();
    },
  });
  assertEquals(await Deno.readTextFile(path), "new\nmine\n");
  assertEquals(await Deno.readTextFile(dir.at("old")), "old\n");
});

Deno.test(
  "openLogAtRest() reads a log as it was at rest, whatever is appended later",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const path = dir.at("log");
    await Deno.writeTextFile(path, "whole\n");
    const code = `
    import { openLogAtRest } from "REPOsrc/disk/lock.ts";
    using log = await openLogAtRest("${path}");
    console.log(Array.from(log.chunks(), (chunk) => new TextDecoder().decode(chunk)).join(""));`;
    // Behind the second flock(2), which gives the lock back.
    const out = await actBetween(dir, code, path, {
      call: "flock",
      n: 2,
      act: () => Deno.writeTextFileSync(path, "half", { append: true }),
    });
    assertEquals(out, "whole\n\n");
  },
);

// Threat: L4
Deno.test("writeAuditEntry() makes no log in the place of one that comes and goes while it looks", {
  ignore,
}, async () => {
  await using dir = await tempDir();
  const { path } = await makeLog(dir.path, ["one"]);
  const away = dir.at("away");
  await Deno.rename(path, away);
  const append = `
    import { writeAuditEntry } from "REPOmod.ts";
    const entry = ${JSON.stringify(sampleEntry())};
    try {
      await writeAuditEntry(entry, { root: "${dir.path}" });
    } catch (error) {
      console.log(error.name);
    }`;
  const [come, go] = [() => Deno.rename(away, path), () => Deno.rename(path, away)];
  const out = await actBetween(dir, append, path, { call: "openat", n: 1, act: come }, {
    call: "statx",
    n: 3,
    act: go,
  });
  assertEquals(out, "NotFound\n");
  assertEquals(isThere(path), false);
});

// Threat: B3
Deno.test(
  "writeResponse() gives away no file behind a link that came while it prepared its own in the queue",
  { ignore: ignore || Deno.uid() !== 0 },
  async () => {
    await using dir = await tempDir();
    const [queue, victim] = [dir.at("queue"), dir.at("victim")];
    await Deno.mkdir(queue);
    await Deno.chown(queue, 65_534, 65_534);
    await Deno.writeTextFile(victim, "");
    const write = `
    import { writeResponse } from "REPOmod.ts";
    await writeResponse("${queue}", {
      proposalId: "p1", status: "rejected", notes: "no", finalFile: null,
    });`;
    await actBetween(dir, write, queue, {
      call: "statx",
      n: 3,
      act() {
        const [{ name }] = [...Deno.readDirSync(queue)] as [Deno.DirEntry];
        Deno.removeSync(`${queue}/${name}`);
        Deno.symlinkSync(victim, `${queue}/${name}`);
      },
    });
    assertEquals(Deno.statSync(victim).uid, 0);
    assertEquals(Deno.lstatSync(`${queue}/p1.response.json`).uid, 65_534);
  },
);
