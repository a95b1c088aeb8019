import { queueSample } from "../../support/records.ts";
import { REPO } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const ignore = isMissing("tmux", "-V");

function review(dir: TempDir, env: Record<string, string> = {}) {
  const command = `sh ${join(REPO, "cli/supervise.sh")} review; echo ended $?`;
  return openTerminal(command, { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1", ...env }, [90, 24]);
}

async function editor(dir: TempDir, script: string): Promise<string> {
  await Deno.writeTextFile(dir.at("editor"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return dir.at("editor");
}

Deno.test("Ctrl-C in an editor is the editor's alone", { ignore }, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const script = `trap 'echo interrupted' INT
echo editing
while ! read -r line; do :; done
echo "$line" >> "$1"`;
  await using terminal = await review(dir, { EDITOR: await editor(dir, script) });
  await terminal.sees(/1 pending/);
  await terminal.type("Enter");
  await terminal.sees(/changed lines seen/);
  await new Promise((resolve) => setTimeout(resolve, 400)); // What keys are about must stand still.
  await terminal.type("m");
  await terminal.sees(/^editing/m);
  await terminal.type("C-c");
  await terminal.sees(/^.*interrupted/m);
  await terminal.type("mine.example", "Enter");
  const screen = await terminal.sees(/Your version, against/);
  assertStringIncludes(screen, " mine.example");
  await terminal.type("C-c");
  await terminal.sees(/ended 0/);
});

Deno.test("what was not written is still on the terminal after SIGTERM", { ignore }, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const launcher = join(REPO, "cli/supervise.sh");
  const command = `sh -c 'echo $$ > ${dir.at("pid")}; exec sh ${launcher} review'; echo ended $?`;
  const env = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" };
  await using terminal = await openTerminal(command, env, [90, 24]);
  await terminal.sees(/1 pending/);
  await terminal.type("Enter");
  await terminal.sees(/changed lines seen/);
  await new Promise((resolve) => setTimeout(resolve, 400)); // What keys are about must stand still.
  await terminal.type("a");
  await terminal.sees(/recorded in/);
  Deno.kill(Number(await Deno.readTextFile(dir.at("pid"))), "SIGTERM");
  const screen = await terminal.sees(/^ended 143/m);
  assertStringIncludes(screen, "\n! not decided, nothing was written: p1 (dev-1)\nended 143\n");
});

Deno.test("the screen is whole again after its size has changed often", { ignore }, async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await using terminal = await review(dir);
  await terminal.sees(/1 pending/);
  await terminal.type("Enter");
  await terminal.sees(/changed lines seen/);
  for (let n = 1; n <= 40; n++) await terminal.resize(5 + (n * 31) % 90, 2 + (n * 7) % 40);
  await terminal.resize(80, 24);
  await terminal.sees(
    /^ supervise {2}.* 1 pending.*\np1 .*\narrived .*\nsha256 .*\n\nThe agent says:\n│/,
  );
});
