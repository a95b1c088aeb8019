import { readAnswer } from "../../../internal_mod.ts";
import { sha256Hex } from "../../../mod.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, supervise as superviseByLauncher } from "../../support/run.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/** Deno's own cache, for a test with another home. */
const DENO_DIR = Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME")!, ".cache", "deno");

/** An editor that does what a script says to the file it is given. */
async function editorThat(dir: TempDir, script: string): Promise<string> {
  await Deno.writeTextFile(dir.at("editor"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return dir.at("editor");
}

for (
  const [what, script, complaint] of [
    ["touches the file", 'touch "$1"', "Cancelled: the file was left unchanged"],
    ["empties the file", ': > "$1"', "Cancelled: the file was emptied"],
    ["blanks the file", 'echo > "$1"', "Cancelled: the file was emptied"],
    ["removes the file", 'rm "$1"', "removed the file"],
    ["fails", 'echo other.example > "$1"; exit 3', "ended with exit code 3"],
    ["is killed", "kill -9 $$", "ended with exit code 137"],
  ] as const
) {
  Deno.test(`modify decides nothing when the editor ${what}`, async () => {
    await using dir = await tempDir();
    const { proposal, queueDir } = await queueSample(dir.path);
    const EDITOR = await editorThat(dir, script);
    const { code, out, err } = await supervise(dir.path, ["modify", proposal.id], {
      env: { EDITOR },
    });
    assertEquals([code, out], [1, ""]);
    assertStringIncludes(err, complaint);
    assertEquals(await readAnswer(queueDir, proposal.id), undefined);
    assertEquals([...Deno.readDirSync(dir.at("private", "edit"))], []);
  });
}

for (
  const [what, script, left] of [
    ["ends at once and saved nothing", "true", 1],
    ["saved nothing and took its time", "sleep 5", 0],
  ] as const
) {
  Deno.test(`modify keeps ${left} files to go on with when the editor ${what}`, async () => {
    await using dir = await tempDir();
    const { proposal, queueDir } = await queueSample(dir.path);
    const EDITOR = await editorThat(dir, script);
    const { code, err } = await supervise(dir.path, ["modify", proposal.id], { env: { EDITOR } });
    assertEquals([code, await readAnswer(queueDir, proposal.id)], [1, undefined]);
    assertEquals([...Deno.readDirSync(dir.at("private", "edit"))].length, left);
    if (left === 0) return assertStringIncludes(err, "Cancelled: the file was left unchanged");

    assertStringIncludes(err, "If its window is still open, save there");
    const kept = err.match(/supervise modify \S+ --bottle \S+ --file (\S+)\./)?.[1];
    await Deno.writeTextFile(kept!, "mine.example\n");
    const again = await supervise(dir.path, ["modify", proposal.id, "--file", kept!]);
    assertEquals(again.code, 0, again.err);
    assertEquals((await readAnswer(queueDir, proposal.id))?.finalFile, "mine.example\n");
  });
}

Deno.test.each(
  [
    ["quotes", (path: string) => `'${path}' "a b"`],
    ["a backslash", (path: string) => `${path.replaceAll(" ", "\\ ")} a\\ b`],
    ["~", () => '~/"my editor" a\\ b'],
  ] as const,
)("modify starts an editor whose path has a space, named with $0", async (_, nameOf) => {
  await using dir = await tempDir();
  const { proposal, queueDir } = await queueSample(dir.path);
  const editor = `#!/bin/sh\n[ "$1" = "a b" ] || exit 9\necho mine.example > "$2"\n`;
  await Deno.writeTextFile(dir.at("my editor"), editor, { mode: 0o755 });
  const env = { VISUAL: nameOf(dir.at("my editor")), HOME: dir.path, DENO_DIR };
  // Through the launcher: what it grants has to be what the verb starts.
  const { code, err } = await superviseByLauncher(dir.path, ["modify", proposal.id], { env });
  assertEquals(code, 0, err);
  assertEquals((await readAnswer(queueDir, proposal.id))?.finalFile, "mine.example\n");
});

Deno.test("modify starts what $EDITOR says if $VISUAL is blank, or only quotes", async () => {
  await using dir = await tempDir();
  const EDITOR = await editorThat(dir, 'echo mine.example > "$1"');
  for (const [n, VISUAL] of [" ", "''", '"" -w'].entries()) {
    const { queueDir } = await queueSample(dir.path, { id: `p${n}` });
    const env = { VISUAL, EDITOR };
    const { code, err } = await superviseByLauncher(dir.path, ["modify", `p${n}`], { env });
    assertEquals(code, 0, err);
    assertEquals((await readAnswer(queueDir, `p${n}`))?.finalFile, "mine.example\n");
  }
});

Deno.test("modify says that $EDITOR cannot be split", async () => {
  await using dir = await tempDir();
  const { proposal } = await queueSample(dir.path);
  const { code, err } = await superviseByLauncher(dir.path, ["modify", proposal.id], {
    env: { EDITOR: "'/opt/my editor" },
  });
  assertEquals(code, 2);
  assertStringIncludes(
    err,
    "Cannot use '/opt/my editor as an editor: a quote or a \\ in it has no end",
  );
});

Deno.test("modify answers with what the editor left; arguments in $EDITOR are kept", async () => {
  await using dir = await tempDir();
  const { proposal, queueDir } = await queueSample(dir.path);
  const EDITOR = await editorThat(
    dir,
    '[ "$1" = --wait ] || exit 9\ncase $2 in */allowlist) ;; *) exit 8 ;; esac\n' +
      'stat -c %a "$2" > "$(dirname "$0")/mode"\necho mine.example >> "$2"',
  );
  const { code, out } = await supervise(dir.path, ["modify", proposal.id, "--json"], {
    env: { EDITOR: `${EDITOR} --wait` },
  });
  assertEquals(code, 0);
  assertEquals(JSON.parse(out).status, "modified");
  const answer = await readAnswer(queueDir, proposal.id);
  assertEquals(answer?.finalFile, `${proposal.proposedFile}mine.example\n`);
  assertEquals(await Deno.readTextFile(dir.at("mode")), "600\n");
  assertEquals([...Deno.readDirSync(dir.at("private", "edit"))], []);
});

Deno.test("modify keeps a version that breaks the rules, and says where", async () => {
  await using dir = await tempDir();
  const { proposal, queueDir } = await queueSample(dir.path);
  const EDITOR = await editorThat(dir, 'echo HTTP://x > "$1"');
  const { code, err } = await supervise(dir.path, ["modify", proposal.id], { env: { EDITOR } });
  assertEquals(code, 1);
  assertStringIncludes(err, "Cancelled: line 1: ");
  const kept = err.match(/--file (\S+)/)?.[1];
  assert(kept !== undefined);
  assertEquals(await Deno.readTextFile(kept), "HTTP://x\n");
  assertEquals(await readAnswer(queueDir, proposal.id), undefined);

  await Deno.writeTextFile(kept, "mended.example\n");
  const again = await supervise(dir.path, ["modify", proposal.id, "--file", kept]);
  assertEquals(again.code, 0, again.err);
});

for (
  const [what, script] of [
    ["is killed with a version in the file", 'echo mine.example > "$1"; kill -9 $$'],
    ["loses its terminal, and leaves its own copy", 'echo mine > "$(dirname "$1")/.a.swp"; exit 1'],
  ] as const
) {
  Deno.test(`modify keeps what there is when the editor ${what}`, async () => {
    await using dir = await tempDir();
    const { proposal, queueDir } = await queueSample(dir.path);
    const EDITOR = await editorThat(dir, script);
    const { code, err } = await supervise(dir.path, ["modify", proposal.id], { env: { EDITOR } });
    assertEquals(code, 1);
    const kept = err.match(/What it left is in (\S+)/)?.[1];
    const files = [...Deno.readDirSync(kept!)].map(({ name }) => join(kept!, name));
    const texts = files.map((file) => Deno.readTextFileSync(file));
    assert(texts.some((text) => text.startsWith("mine")));
    assertEquals(await readAnswer(queueDir, proposal.id), undefined);
  });
}

Deno.test("modify says that there is no such editor", async () => {
  await using dir = await tempDir();
  const { proposal } = await queueSample(dir.path);
  const { code, err } = await supervise(dir.path, ["modify", proposal.id], {
    env: { EDITOR: "no-such-editor" },
  });
  assertEquals(code, 1);
  assertStringIncludes(err, "there is no editor called no-such-editor; set $EDITOR");
});

Deno.test("modify loses no edit when somebody else decides meanwhile", async () => {
  await using dir = await tempDir();
  const { proposal, queueDir } = await queueSample(dir.path);
  const other = `sh ${
    join(REPO, "cli/supervise.sh")
  } reject ${proposal.id} --notes no --root ${dir.path}`;
  const EDITOR = await editorThat(dir, `${other} > /dev/null 2>&1\necho mine.example > "$1"`);
  const { code, err } = await supervise(dir.path, ["modify", proposal.id], { env: { EDITOR } });
  assertEquals(code, 4);
  assertStringIncludes(err, "already rejected, by ");
  const kept = err.match(/--file (\S+)/)?.[1];
  assertEquals(await Deno.readTextFile(kept!), "mine.example\n");
  assertEquals((await readAnswer(queueDir, proposal.id))?.status, "rejected");
});

Deno.test("modify opens no editor for a proposal that is stale", async () => {
  await using dir = await tempDir();
  const { proposal } = await queueSample(dir.path, { currentFileHash: sha256Hex("other") });
  const EDITOR = await editorThat(dir, 'touch "$(dirname "$0")/opened"');
  const { code } = await supervise(dir.path, ["modify", proposal.id], { env: { EDITOR } });
  assertEquals(code, 5);
  await assertRejects(() => Deno.stat(dir.at("opened")), Deno.errors.NotFound);
});

Deno.test("the editor gets a path that is no option, also below a root called -R", async () => {
  await using dir = await tempDir();
  await queueSample(dir.at("-R"), { id: "p1" });
  const EDITOR = await editorThat(dir, `echo "$1" > '${dir.at("got")}'; echo mine.example > "$1"`);
  const env = { EDITOR };
  const { code, err } = await superviseByLauncher("-R", ["modify", "p1"], { env, cwd: dir.path });
  assertEquals([code, err.includes("Cannot")], [0, false], err);
  assertEquals((await Deno.readTextFile(dir.at("got"))).slice(0, 5), "./-R/");
});
