import { mustRun, runProgram } from "../../appliers/run.ts";
import { ApplyError } from "../../mod.ts";
import { REPO, run } from "../support/run.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

const sh = (script: string, timeoutMs = 60_000) => ({
  argv: ["/bin/sh", "-c", script, "sh", "{file}", "{bottle}"],
  timeoutMs,
});

/** Waits until a process is gone. */
async function untilGone(pid: number): Promise<void> {
  while (true) {
    try {
      const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
      if (/\) Z /.test(stat)) return; // Nobody has asked yet how it ended.
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("runProgram() replaces placeholders as whole arguments, and no shell reads them", async () => {
  const values = { "{file}": "/a b;$(id)`id`", "{bottle}": "dev-1" };
  assertEquals(await runProgram(sh(`printf '%s|' "$@"; exit 3`), values), {
    exitCode: 3,
    isInterrupted: false,
    output: "/a b;$(id)`id`|dev-1|",
  });
});

Deno.test("runProgram() replaces no word that only all objects have", async () => {
  const argv = ["/bin/sh", "-c", `printf '%s|' "$@"`, "sh", "toString", "__proto__"];
  const { output } = await runProgram({ argv, timeoutMs: 60_000 }, {});
  assertEquals(output, "toString|__proto__|");
});

Deno.test("runProgram() gives a program no input, and no environment but a PATH", async () => {
  const { output } = await runProgram({ argv: ["/usr/bin/env"], timeoutMs: 60_000 }, {});
  assertEquals(output.trim().split("\n").map((line) => line.split("=")[0]), ["PATH"]);
  assertEquals((await runProgram(sh("cat; pwd"), {})).output, "/\n");
});

Deno.test("runProgram() keeps the last bytes of what is printed, to both outputs", async () => {
  const { output } = await runProgram(
    sh("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done; echo end >&2"),
    {},
  );
  assertEquals(output.length, 4 * 1024 + 3);
  assertStringIncludes(output, "line 2999");
  assertEquals([output.startsWith("..."), output.includes("line 0\n")], [true, false]);
});

Deno.test("runProgram() does not wait for what a program leaves behind, as a start does", async () => {
  const { exitCode, output } = await runProgram(sh("sleep 600 & echo $!"), {});
  assertEquals(exitCode, 0);
  Deno.kill(Number(output), "SIGKILL"); // It runs: this would throw.
});

Deno.test("runProgram() ends a program whose time is over, and what it started", async () => {
  const { exitCode, output } = await runProgram(sh("sleep 600 & echo $!; wait", 2_000), {});
  assertEquals(exitCode, undefined);
  await untilGone(Number(output));
});

// Threat: C8
Deno.test("runProgram() looks again whether another account could replace the program", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("way/bin"), { recursive: true });
  const path = dir.at("way/bin/reload");
  await Deno.writeTextFile(path, "#!/bin/sh\necho ran\n", { mode: 0o755 });
  const program = { argv: [path], timeoutMs: 60_000 };
  assertEquals((await runProgram(program, {})).output, "ran\n");
  await Deno.chmod(dir.at("way"), 0o777);
  await assertRejects(
    () => mustRun("reload", program, {}),
    ApplyError,
    `cannot start ${path}: ${path} is not safe to use: ${dir.at("way")} can be changed by others`,
  );
});

Deno.test("with the launcher's grant a program whose time is over ends, and the call with it", async () => {
  await using dir = await tempDir();
  const file = dir.at("bound.ts");
  await Deno.writeTextFile(
    file,
    `import { runProgram } from ${JSON.stringify(join(REPO, "appliers/run.ts"))};
     const argv = ["/bin/sh", "-c", "sleep 600 & echo $!; wait"];
     console.log(JSON.stringify(await runProgram({ argv, timeoutMs: 2000 }, {})));`,
  );
  const args = [
    "run",
    "--no-prompt",
    `--config=${REPO}deno.json`,
    "--allow-read",
    "--allow-run=/bin/ls,/bin/sh",
    "--allow-sys=uid",
  ];
  const { out, err } = await run(Deno.execPath(), [...args, file]);
  assertEquals(err, "");
  const { exitCode, output } = JSON.parse(out);
  assertEquals(exitCode, undefined);
  Deno.kill(Number(output), "SIGKILL"); // Deno lets a process end its own child alone, so this runs on.
});

Deno.test.each(
  [
    [
      "ends with another code",
      sh("echo why >&2; exit 7"),
      "/bin/sh ended with exit code 7",
      "why\n",
      7,
    ],
    [
      "takes too long",
      sh("echo slow; exec sleep 600", 1_000),
      "/bin/sh was ended after 1 s",
      "slow\n",
      undefined,
    ],
    [
      "is not there",
      { argv: ["/nowhere/x"], timeoutMs: 1 },
      "cannot start /nowhere/x",
      "",
      undefined,
    ],
  ] as const,
)("mustRun() throws if a program %s", async (_what, program, says, output, exitCode) => {
  const error = await assertRejects(() => mustRun("check", program, {}), ApplyError);
  assertStringIncludes(error.message, says);
  assertEquals([error.stage, error.output, error.exitCode], ["check", output, exitCode]);
});

Deno.test("mustRun() says that a signal to this process ended a program", async () => {
  const program = sh("kill -TERM $PPID; exec sleep 600");
  const error = await assertRejects(() => mustRun("reload", program, {}, true), ApplyError);
  assertEquals([error.isInterrupted, error.message], [true, "/bin/sh was interrupted"]);
});
