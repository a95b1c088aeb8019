import { readAnswer } from "../../../internal_mod.ts";
import { must } from "../../support/planted.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, run } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";

/** Runs a command of the launcher's in a shell, and ends it if it hangs: then its exit code is 124. */
function launch(dir: TempDir, words: string, env: Record<string, string> = {}) {
  const command = `timeout 60 sh '${join(REPO, "cli/supervise.sh")}' ${words}`;
  return run("sh", ["-c", command], {
    cwd: dir.path,
    env: { CLAUDE_BOTTLE_ROOT: dir.at("root"), ...env },
  });
}

/** Things that are no plain file of a bearable size, made by a shell command. */
const TRAPS = [
  ["a FIFO", (path: string) => `mkfifo "${path}"`, "it is not a regular file"],
  ["a directory", (path: string) => `mkdir "${path}"`, "it is a directory"],
  ["a hole of 5 GB", (path: string) => `truncate -s 5G "${path}"`, "it has 5368709120 bytes"],
  ["a link in a circle", (path: string) => `ln -s x "${path}"; ln -s "${path}" x`, "it is a link"],
] as const;

Deno.test.each(TRAPS)(
  "a verb that is given $0 as a file says so, and ends",
  async (_, make, says) => {
    await using dir = await tempDir();
    const { queueDir } = await queueSample(dir.at("root"), { id: "p1" });
    await must("sh", "-c", `cd "${dir.path}" && ${make(dir.at("f"))}`);
    for (
      const words of [
        "modify p1 --file f",
        "audit verify --anchors f",
        "audit verify --public-key f",
      ]
    ) {
      const { code, err } = await launch(dir, words);
      assertEquals(code, 2, err);
      assertMatch(
        err,
        new RegExp(`^Cannot read f: ${says}[^;]*; - reads standard input\\n`),
        words,
      );
    }
    assertEquals(await readAnswer(queueDir, "p1"), undefined);
  },
);

Deno.test("a device, and input without an end, are no file of the operator's", async () => {
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.at("root"), { id: "p1" });
  const named = await launch(dir, "modify p1 --file /dev/zero");
  assertEquals(named.code, 2);
  assertMatch(named.err, /^Cannot read \/dev\/zero: /);
  const piped = await launch(dir, "modify p1 --file - < /dev/zero");
  assertEquals(piped.code, 2);
  assertMatch(piped.err, /^Cannot read standard input: it has more than 8388608 bytes\n/);
  assertEquals(await readAnswer(queueDir, "p1"), undefined);
});

Deno.test.each(TRAPS)(
  "modify keeps what an editor left that put $0 in the file's place",
  async (_, make, says) => {
    await using dir = await tempDir();
    const { queueDir } = await queueSample(dir.at("root"), { id: "p1" });
    // The operator's version is beside it, as an editor's backup is.
    const script = `#!/bin/sh\ncd "$(dirname "$1")"\necho mine > "$1~"; rm "$1"; ${make("$1")}\n`;
    await Deno.writeTextFile(dir.at("editor"), script, { mode: 0o755 });
    const { code, err } = await launch(dir, "modify p1", { EDITOR: dir.at("editor") });
    assertEquals(code, 1, err);
    const flat = err.replaceAll(/\n ↪/g, "");
    assertMatch(
      flat,
      new RegExp(`^Cancelled: \\S+editor left no file \\(Cannot read \\S+: ${says}`),
    );
    const kept = flat.match(/What it left is in (\S+)/)?.[1];
    assertEquals(await Deno.readTextFile(join(kept!, "allowlist~")), "mine\n");
    assertEquals(await readAnswer(queueDir, "p1"), undefined);
  },
);

Deno.test("modify keeps the version that an editor left under another name", async () => {
  await using dir = await tempDir();
  await queueSample(dir.at("root"), { id: "p1" });
  await Deno.writeTextFile(dir.at("editor"), '#!/bin/sh\nmv "$1" "$1.new"\n', { mode: 0o755 });
  const { code, err } = await launch(dir, "modify p1", { EDITOR: dir.at("editor") });
  assertEquals(code, 1);
  const kept = err.match(/removed the file\. What it left is in (\S+)/)?.[1];
  assertEquals([...Deno.readDirSync(kept!)].map(({ name }) => name), ["allowlist.new"]);
});

Deno.test("the operator's own paths are readable in a sentence that says what is wrong", async () => {
  await using dir = await tempDir();
  const root = dir.at("jürgen");
  await queueSample(root, { id: "p1" });
  const env = { CLAUDE_BOTTLE_ROOT: root, NO_COLOR: "1" };
  const said = async (words: string, more: Record<string, string> = {}) => {
    const { out, err } = await launch(dir, words, { ...env, ...more });
    return (out + err).replaceAll(/\n +↪?/g, "");
  };
  assertMatch(await said("modify p1 --file müller"), /^Cannot read müller: there is no such file/);
  const none = await said("modify p1", { EDITOR: "/opt/jürgen/ed -w" });
  assertMatch(none, /there is no editor called \/opt\/jürgen\/ed;/);
  const kept = await said("modify p1", { EDITOR: "true" });
  assertMatch(
    kept,
    /modify p1 --bottle dev-1 --file '\S+\/jürgen\/private\/edit\/\S+\/allowlist'\. /,
  );
  await Deno.writeTextFile(join(root, "queue", "x"), "");
  assertMatch(await said("doctor"), /-> ls -la '?\S+\/jürgen\/queue'?\/\*\/;/);
});
