import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { completedFlags } from "../../cli/completions/table.ts";
import { REPO, run, supervise } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";

const LAUNCHER = join(REPO, "cli/supervise.sh");

/** Runs the launcher with a `deno` that only prints what it was told. */
async function grants(
  dir: TempDir,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string[]> {
  await Deno.mkdir(dir.at("bin"), { recursive: true });
  await Deno.writeTextFile(dir.at("bin", "deno"), '#!/bin/sh\nprintf "%s\\n" "$@"\n', {
    mode: 0o755,
  });
  const { out, err } = await run("sh", [LAUNCHER, ...args], {
    env: {
      PATH: `${dir.at("bin")}:${Deno.env.get("PATH")}`,
      CLAUDE_BOTTLE_ROOT: "/root-of-ours",
      EDITOR: "",
      VISUAL: "",
      INIT_CWD: "",
      ...env,
    },
  });
  return out === "" ? [err.trim()] : out.split("\n").filter((line) => line.startsWith("--allow"));
}

const granted = (root: string, readable = root, editor = "vi") => [
  `--allow-read=${readable}`,
  `--allow-write=${root}`,
  `--allow-run=${editor}`,
  "--allow-env=CLAUDE_BOTTLE_ROOT,HOME,VISUAL,EDITOR,NO_COLOR",
  "--allow-sys=hostname,uid,gid,userInfo,statfs",
];

for (
  const [args, env, expected] of [
    [["list"], {}, granted("/root-of-ours")],
    [["list"], { CLAUDE_BOTTLE_ROOT: "", HOME: "/home/ada" }, granted("/home/ada/.claude-bottle")],
    [["list", "--root", "/a b"], {}, granted("/a b")],
    [["--root=/r", "list"], {}, granted("/r")],
    [["modify", "x", "--file", "/f"], {}, granted("/root-of-ours", "/root-of-ours,/f")],
    [["modify", "x", "--file", "-"], {}, granted("/root-of-ours")],
    [["list"], { EDITOR: "code --wait" }, granted("/root-of-ours", "/root-of-ours", "code")],
    [
      ["list"],
      { VISUAL: "  ", EDITOR: "\tnano\t-w" },
      granted("/root-of-ours", "/root-of-ours", "vi"),
    ],
    // What is a note to the program must be none of the launcher's business.
    [["reject", "x", "--notes", "--root=/"], {}, granted("/root-of-ours")],
    [["reject", "x", "--notes", "--file=/etc/shadow"], {}, granted("/root-of-ours")],
    [["approve", "x", "--confirm", "--file=/etc/shadow"], {}, granted("/root-of-ours")],
    [["list", "--tool", "--root=/", "--since", "--root=/"], {}, granted("/root-of-ours")],
    [["list", "--sort", "--file=/etc/shadow"], {}, granted("/root-of-ours")],
    [["list", "--", "--root", "/"], {}, granted("/root-of-ours")],
    [["list", "--root", "/a,/etc"], {}, ["Cannot grant a path with a comma: /a,/etc, vi"]],
    [["list"], { EDITOR: "vi,sh" }, ["Cannot grant a path with a comma: /root-of-ours, vi,sh"]],
    [
      ["list", "--root", ""],
      {},
      ["Cannot find the root: set CLAUDE_BOTTLE_ROOT or HOME, or give --root"],
    ],
    [
      ["list"],
      { CLAUDE_BOTTLE_ROOT: "", HOME: "" },
      ["Cannot find the root: set CLAUDE_BOTTLE_ROOT or HOME, or give --root"],
    ],
  ] as const
) {
  Deno.test(`the launcher grants exactly what ${JSON.stringify([args, env])} needs`, async () => {
    await using dir = await tempDir();
    assertEquals(await grants(dir, args, env), [...expected]);
  });
}

for (const { name, value } of completedFlags()) {
  if (value === "none") continue;
  Deno.test(`the launcher takes what stands behind ${name} for its value`, async () => {
    await using dir = await tempDir();
    const root = name === "--root" ? "--root=/" : "/root-of-ours";
    const readable = value === "file" ? `${root},--root=/` : root;
    assertEquals(await grants(dir, ["list", name, "--root=/"]), granted(root, readable));
  });
}

Deno.test("the launcher works through a link, and through a link to a link", async () => {
  await using dir = await tempDir();
  await Deno.symlink(LAUNCHER, dir.at("one"));
  await Deno.symlink("one", dir.at("two"));
  const env = { CLAUDE_BOTTLE_ROOT: dir.path, NO_COLOR: "1" };
  const { code, out, err } = await run("sh", [dir.at("two"), "list"], { env, cwd: "/" });
  assertEquals([code, out, err], [0, "Nothing is pending.\n", ""]);
});

Deno.test("the launcher starts its own checkout, whatever CDPATH says", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("cli"));
  await Deno.writeTextFile(dir.at("cli", "main.ts"), "console.log('another');");
  const env = {
    CLAUDE_BOTTLE_ROOT: dir.path,
    NO_COLOR: "1",
    CDPATH: dir.path,
    EDITOR: "",
    VISUAL: "",
  };
  const { out, err } = await run("sh", ["cli/supervise.sh", "list"], { env, cwd: REPO });
  assertEquals([out, err], ["Nothing is pending.\n", ""]);
});

Deno.test("the launcher takes relative paths from where the command was typed", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("sub"));
  const { err } = await supervise("../nowhere", ["list"], { env: { INIT_CWD: dir.at("sub") } });
  assertStringIncludes(err, "! there is no ../nowhere");
  const found = await supervise("..", ["list"], { env: { INIT_CWD: dir.at("sub") } });
  assertEquals([found.code, found.err], [0, ""]);
});
