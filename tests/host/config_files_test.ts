import { keepFilesInForce, knownFile, withBottleLock } from "../../internal_mod.ts";
import { sha256Hex } from "../../mod.ts";
import { readCurrentCopy } from "../../src/queue/files.ts";
import { supervise } from "../support/command_line.ts";
import { queueSample } from "../support/records.ts";
import { run } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { isRoot } from "../support/user.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";

// Threat: B7
Deno.test("show puts both diffs on the screen where the agent started from another file", async () => {
  await using dir = await tempDir();
  const inForce = dir.at("current-config", "dev-1", "allowlist");
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(inForce, "a.example\n");
  const started = sha256Hex("a.example\n");
  const proposedFile = "a.example\napi.github.com\n";
  await queueSample(dir.path, { id: "p1", currentFileHash: started, proposedFile });
  // Listed while it was in force, so a copy was kept.
  assertEquals((await supervise(dir.path, ["list"])).code, 0);
  await Deno.writeTextFile(inForce, "b.example\n");
  const { out } = await supervise(dir.path, ["show", "p1"]);
  const rows = out.split("\n");
  assertEquals(rows.slice(rows.findIndex((row) => row.startsWith("! "))), [
    "! Would let dev-1 reach api.github.com; nothing else is new.",
    '! medium  line 2: "api.github.com" has an owner who is not in the file in force',
    "! The agent did not start from the allowlist in force. An approval would make ",
    `!↪the agent's change there, and answer "modified" with that file.`,
    "",
    "What the agent changed, in the file it started from:",
    "--- allowlist (the agent's)",
    "+++ allowlist (proposed)",
    "@@ -1 +1,2 @@",
    " 1 a.example",
    "+2 api.github.com",
    "",
    "What would change, in the allowlist in force:",
    "--- allowlist (current)",
    "+++ allowlist (proposed)",
    "@@ -1 +1,2 @@",
    " 1 b.example",
    "+2 api.github.com",
    '! medium  "api.github.com" has an owner who is not in the file in force',
    "",
  ]);
  const json = JSON.parse((await supervise(dir.path, ["show", "p1", "--json"])).out);
  assertEquals([json.stale, json.merge_problem], [true, null]);
  assertEquals(json.merged_file, "b.example\napi.github.com\n");
  assertStringIncludes(json.agent_diff, "(the agent's)");
});

Deno.test("who has the bottle's lock drops all but the fifty newest, and knownFile() gives none that is not the one named", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  const put = async (n: number) => {
    await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), `${n}.example\n`);
    keepFilesInForce("dev-1", dir.path);
    const copy = dir.at("private", "known", "dev-1", sha256Hex(`${n}.example\n`));
    await Deno.utime(copy, n, n);
  };
  for (let n = 1; n <= 52; n++) await put(n);
  await withBottleLock(dir.path, "dev-1", () => {});
  const known = (n: number) => knownFile("dev-1", sha256Hex(`${n}.example\n`), dir.path);
  assertEquals([known(1), known(2), known(3)], [undefined, undefined, "3.example\n"]);
  assertEquals(known(52), "52.example\n");
  const changed = dir.at("private", "known", "dev-1", sha256Hex("52.example\n"));
  await Deno.writeTextFile(changed, "evil.example\n");
  assertEquals([known(52), knownFile("dev-1", "../../x", dir.path)], [undefined, undefined]);
});

/** Makes a bottle whose allowlist in force has some text. */
async function bottleWith(dir: TempDir, text: string): Promise<void> {
  await Deno.mkdir(dir.at("queue", "dev-1"), { recursive: true });
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), text);
}

const copyIn = (dir: TempDir) => dir.at("queue", "dev-1", "current.allowlist");

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();

Deno.test("keepFilesInForce() keeps a copy in the queue as long as there is a file in force", async () => {
  await using dir = await tempDir();
  await bottleWith(dir, "a.example\r\n");
  const inForce = dir.at("current-config", "dev-1", "allowlist");
  const keep = () => keepFilesInForce("dev-1", dir.path);
  const copy = () => readCurrentCopy(dir.at("queue", "dev-1"), "pipelock-block");
  keep();
  assertEquals(copy(), { text: "a.example\r\n", sha256: sha256Hex("a.example\r\n") });
  assertEquals(namesIn(dir.at("queue", "dev-1")), ["current.allowlist"]);
  const { ino, mode } = Deno.statSync(copyIn(dir));
  assertEquals(mode! & 0o777, 0o600);
  keep();
  assertEquals(Deno.statSync(copyIn(dir)).ino, ino, "it was written again");

  await Deno.writeTextFile(inForce, "b.example\n");
  keep();
  assertEquals(copy().text, "b.example\n");
  // A program that can write the queue changed it.
  await Deno.writeTextFile(copyIn(dir), "evil.example\n");
  keep();
  assertEquals(copy().text, "b.example\n");
  for (const gone of [() => Deno.truncate(inForce, 2 ** 21), () => Deno.remove(inForce)]) {
    await bottleWith(dir, "c.example\n");
    keep();
    assertEquals(copy().text, "c.example\n");
    await gone();
    keep();
    assertThrows(copy, Deno.errors.NotFound);
  }
  assertEquals(
    namesIn(dir.at("private", "known", "dev-1")).filter((name) => name.startsWith(".")),
    [],
  );
});

// Threat: B2, B3
Deno.test("keepFilesInForce() follows no link in the queue, waits for no FIFO, and takes no second name", async () => {
  await using dir = await tempDir();
  await bottleWith(dir, "a.example\n");
  const victim = dir.at("victim");
  const plants: readonly (() => Promise<unknown>)[] = [
    () => Deno.symlink(victim, copyIn(dir)),
    () => Deno.symlink(dir.at("nowhere"), copyIn(dir)),
    () => Deno.link(victim, copyIn(dir)),
    () => run("mkfifo", [copyIn(dir)]),
  ];
  for (const plant of plants) {
    await Deno.remove(copyIn(dir)).catch(() => {});
    await Deno.writeTextFile(victim, "theirs\n");
    await plant();
    keepFilesInForce("dev-1", dir.path);
    const { isFile, nlink } = Deno.lstatSync(copyIn(dir));
    assertEquals([isFile, nlink], [true, 1]);
    assertEquals(await Deno.readTextFile(copyIn(dir)), "a.example\n");
    assertEquals(await Deno.readTextFile(victim), "theirs\n");
  }
  assertEquals(namesIn(dir.path), ["current-config", "private", "queue", "victim"]);

  // A directory stays, and costs this bottle its copy, not the operator the kept file.
  await Deno.remove(copyIn(dir));
  await Deno.mkdir(dir.at("queue", "dev-1", "current.allowlist", "x"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), "d.example\n");
  keepFilesInForce("dev-1", dir.path);
  assertEquals(knownFile("dev-1", sha256Hex("d.example\n"), dir.path), "d.example\n");
  assertThrows(
    () => readCurrentCopy(dir.at("queue", "dev-1"), "pipelock-block"),
    Error,
    "directory",
  );
  assertEquals(
    namesIn(dir.at("private", "known", "dev-1")).filter((name) => name.startsWith(".")),
    [],
  );
});

Deno.test("keepFilesInForce() run by root gives the copy to the owner of the queue", {
  ignore: !isRoot,
}, async () => {
  await using dir = await tempDir();
  await bottleWith(dir, "a.example\n");
  await Deno.chown(dir.at("queue", "dev-1"), 65_534, 65_534);
  keepFilesInForce("dev-1", dir.path);
  const { uid, gid } = Deno.lstatSync(copyIn(dir));
  assertEquals([uid, gid], [65_534, 65_534]);
});
