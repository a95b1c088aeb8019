import { filesOf } from "../support/checkout.ts";
import { REPO, run } from "../support/run.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";

Deno.test("a test that a missing program skips fails in CI", async () => {
  await using dir = await tempDir();
  await Deno.symlink(Deno.execPath(), dir.at("deno"));
  const args = ["test", "-A", "--filter", "completions zsh"];
  const test = (CI: string) =>
    run("deno", [...args, "tests/cli/command/completions_test.ts"], {
      cwd: REPO,
      env: { PATH: dir.path, NO_COLOR: "1", CI },
    });
  const elsewhere = await test("");
  assertEquals(elsewhere.code, 0, elsewhere.err);
  assertMatch(elsewhere.out + elsewhere.err, /SKIPPED: there is no zsh[^]*1 ignored/);
  const inCi = await test("true");
  assertEquals(inCi.code, 1);
  assertMatch(inCi.out + inCi.err, /Cannot skip tests in CI: there is no bash on this machine/);
});

Deno.test("each test that looks for a program skips as tests/support/skip.ts does", async () => {
  const files = filesOf().filter((file) => /^tests\/.*\.ts$/.test(file));
  const looks = [];
  for (const file of files) {
    if (/hasProgram\(/.test(await Deno.readTextFile(join(REPO, file)))) looks.push(file);
  }
  // pipelock is in no distribution, so CI has it only where PIPELOCK names it.
  // engine.ts and machine.ts give their reason to main.ts, image.ts and bottle.ts, which fail in CI, too.
  assertEquals(looks.sort(), [
    "tests/apply/pipelock.ts",
    "tests/container/engine.ts",
    "tests/support/run.ts",
    "tests/support/skip.ts",
    "tests/sweep/machine.ts",
  ]);
});
