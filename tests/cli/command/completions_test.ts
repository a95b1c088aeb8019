import { completeLine } from "../../../cli/command/complete.ts";
import { flagsOf, VERB_NAMES } from "../../../cli/command/flags.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { REPO, run } from "../../support/run.ts";
import { isMissing } from "../../support/skip.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { openTerminal } from "../../support/tmux.ts";
import { treeOf } from "../../support/tree.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

/** A root with three proposals that can be completed, and hostile names beside them. */
async function prepare(dir: TempDir): Promise<void> {
  await Deno.mkdir(dir.at("bin"));
  await Deno.symlink(join(REPO, "cli/supervise.sh"), dir.at("bin", "supervise"));
  const root = dir.at("root");
  await queueSample(root, { id: "aa11" });
  await queueSample(root, { id: "ab22" });
  const { queueDir } = await queueSample(root, { id: "cc33", bottleSlug: "web.2" });
  const hostile = [
    "$(touch pwned)",
    "`touch pwned`",
    "a b",
    "-rf",
    "x;touch pwned",
    "\x1b[2J",
    "é",
  ];
  for (const name of hostile) await Deno.writeTextFile(`${queueDir}/${name}.proposal.json`, "{}");
  await Deno.mkdir(join(root, "queue", "$(touch pwned)"));
}

const envOf = (dir: TempDir) => ({
  CLAUDE_BOTTLE_ROOT: dir.at("root"),
  PATH: `${dir.at("bin")}:${Deno.env.get("PATH")}`,
  NO_COLOR: "1",
});

const FIRST_WORDS = [
  ...[
    "list",
    "show",
    "approve",
    "modify",
    "reject",
    "review",
    "watch",
    "notify",
    "policy",
    "apply",
    "edit",
    "versions",
    "rollback",
    "drift",
    "freeze",
    "grants",
    "revoke",
    "expire",
    "audit",
    "bottle",
    "doctor",
  ],
  "completions",
  "launcher",
  "help",
];

const TOOLS = ["cred-proxy-block", "pipelock-block", "capability-block"];

const IDS = ["aa11", "ab22", "cc33"];

/** What is typed before Tab, and what is offered then. */
const LINES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ["", FIRST_WORDS],
  ["aud", ["audit"]],
  ["apply ", ["init", "check", "resolve"]],
  ["apply init t", ["tinyproxy"]],
  ["audit ", ["show", "verify", "export", "head"]],
  ["audit e", ["export"]],
  ["show ", IDS],
  ["show a", ["aa11", "ab22"]],
  ["show aa11 ", []],
  ["approve aa11 ", IDS],
  ["reject c", ["cc33"]],
  ["modify aa11 ", []],
  ["list ", []],
  ["list --s", ["--since", "--sort"]],
  ["audit verify --an", ["--anchors"]],
  ["approve --if", ["--if-unmarked"]],
  ["list --tool ", TOOLS],
  ["list --tool=pi", ["pipelock-block"]],
  ["list --sort m", ["marks"]],
  ["audit show --component r", ["rebuild"]],
  ["list --bottle ", ["dev-1", "web.2"]],
  ["approve aa11 --confirm d", ["dev-1"]],
  ["approve --bottle web.2 ", ["cc33"]],
  ["approve --bottle=web.2 ", ["cc33"]],
  ["approve --root /nowhere ", []],
  ["reject aa11 --notes ", []],
  ["reject --notes show ", IDS],
  ["bottle ", ["add", "down", "list", "remove", "status", "up"]],
  ["bottle up ", ["dev-1", "web.2"]],
  ["bottle add x --client op", ["opencode"]],
  ["completions ", ["bash", "zsh", "fish"]],
  ["completions bash ", []],
  ["help aud", ["audit"]],
  ["help audit e", ["export"]],
  ["audit verify --root=/nowhere --co", ["--component"]],
  ["frobnicate ", []],
];

/** Asks a shell what it offers behind `supervise` and a line; gives the words, whatever their order. */
type Driver = (line: string, dir: TempDir) => Promise<string[]>;

async function ask(dir: TempDir, program: string, args: readonly string[]): Promise<string[]> {
  const { code, out, err } = await run(program, args, { cwd: dir.path, env: envOf(dir) });
  assertEquals([code, err], [0, ""]);
  return out.split("\n").filter((word) => word !== "").map((word) => word.split("\t")[0]!);
}

const DRIVERS: Readonly<Record<string, Driver>> = {
  bash: (line, dir) => {
    // As readline takes a line apart: = is a word of its own.
    const words = line.split(/ |(=)/).filter((word, n, all) =>
      word !== undefined && (word !== "" || n === all.length - 1)
    );
    const script = 'source "$0"; COMP_WORDS=(supervise "$@"); COMP_CWORD=$#; _supervise; ' +
      'printf "%s\\n" "${COMPREPLY[@]}"';
    return ask(dir, "bash", ["--norc", "-c", script, dir.at("script"), ...words]);
  },
  fish: async (line, dir) => {
    const script = `source $argv[1]; complete -C "supervise $argv[2]"`;
    const offered = await ask(dir, "fish", ["--no-config", "-c", script, dir.at("script"), line]);
    return offered.map((word) => word.replace(/^--tool=/, ""));
  },
};

for (const [shell, driver] of Object.entries(DRIVERS)) {
  const missing = isMissing(shell);
  // Threat: B11
  Deno.test(
    `completions ${shell} completes verbs, flags, values, slugs and ids, and runs nothing`,
    { ignore: missing },
    async () => {
      await using dir = await tempDir();
      await prepare(dir);
      const { code, out } = await supervise(dir.at("root"), ["completions", shell]);
      assertEquals(code, 0);
      await Deno.writeTextFile(dir.at("script"), out);
      for (const [line, offered] of LINES) {
        assertEquals((await driver(line, dir)).sort(), [...offered].sort(), `supervise ${line}`);
      }
      const left = [...Deno.readDirSync(dir.path)].map(({ name }) => name)
        .filter((name) => !name.startsWith("."));
      assertEquals(left.sort(), ["bin", "root", "script"]);
    },
  );
}

for (
  const [shell, start, prefix, isReady] of [
    // Its line editor reads keys before it shows the prompt.
    ["bash", "bash --norc", "bind 'set bell-style none'; ", /^ready\n> /m],
    // Its line editor starts after the prompt; keys that come before, the terminal itself would show.
    [
      "zsh",
      "zsh -f",
      "autoload -Uz compinit; compinit -u -D; zle-line-init() { zle -M reads; }; zle -N zle-line-init; ",
      /^ready\n> *\nreads/m,
    ],
  ] as const
) {
  const missing = isMissing(shell) || isMissing("tmux", "-V");
  Deno.test({
    name: `completions ${shell} completes what is typed at a terminal`,
    ignore: missing,
    fn: async () => {
      await using dir = await tempDir();
      await prepare(dir);
      const env = { ...envOf(dir), PS1: "$ " };
      await using terminal = await openTerminal(start, env);
      await terminal.type(
        `${prefix}PATH=${dir.at("bin")}:$PATH; PS1='> '; ` +
          `source <(supervise completions ${shell}); cd ${dir.path}; echo rea''dy`,
        "Enter",
      );
      await terminal.sees(isReady);
      const typed = async (keys: string, seen: RegExp) => {
        await terminal.type("-l", `supervise ${keys}`);
        await terminal.type("Tab");
        await terminal.sees(seen);
        await terminal.type("C-u");
      };
      await typed("comp", /> supervise completions/);
      await typed("audit v", /> supervise audit verify/);
      await typed("approve --if", /supervise approve --if-unmarked/);
      await typed("list --tool=pi", /supervise list --tool=pipelock-block/);
      await typed("list --sort ma", /supervise list --sort marks/);
      await typed("list --bottle w", /supervise list --bottle web\.2/);
      await typed("reject c", /supervise reject cc33/);
      await typed("modify --file bi", /supervise modify --file bin\//);
      // Several: they are listed below the line, once or twice asked.
      await terminal.type("-l", "supervise show a");
      await terminal.type("Tab", "Tab");
      const screen = await terminal.sees(/aa11\s+ab22|ab22\s+aa11/);
      assertEquals(/pwned|Cannot|not found/.test(screen), false, screen);
    },
  });
}

for (const verb of VERB_NAMES) {
  Deno.test(`completeLine() offers ${verb}, and every flag that it takes`, async () => {
    const words = verb.split(" ");
    const offered = async (...line: string[]) =>
      (await completeLine(line)).map((row) => row.split("\t")[0]);
    assertEquals((await offered(...words)).includes(words.at(-1)!), true);
    const flags = flagsOf(verb).map((name) => `--${name}`);
    assertEquals((await offered(...words, "--")).sort(), flags.sort());
  });
}

for (const args of [["ids"], ["line", "show", ""], ["line", "list", "--bottle", ""]]) {
  Deno.test(`completions ${args.join(" ")} changes nothing, and leaves an interrupted decision as it is`, async () => {
    await using dir = await tempDir();
    await prepare(dir);
    await Deno.mkdir(dir.at("root", "private", "intents"), { recursive: true });
    await Deno.writeTextFile(dir.at("root", "private", "intents", "dev-1.json"), "{");
    const before = treeOf(dir.path);
    const { code, err } = await supervise(dir.at("root"), ["completions", ...args]);
    assertEquals([code, err, treeOf(dir.path)], [0, "", before]);
  });
}

Deno.test("completions ids prints what is pending and can be an id, with its bottle", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const { code, out, err } = await supervise(dir.at("root"), ["completions", "ids"]);
  assertEquals([code, out, err], [0, "aa11\tdev-1\nab22\tdev-1\ncc33\tweb.2\n", ""]);
});

for (
  const [args, says] of [
    [[], "Cannot complete the command line: name a shell, bash, zsh or fish"],
    [["tcsh"], 'Cannot complete in "tcsh": name a shell, bash, zsh or fish'],
    [["__proto__"], 'Cannot complete in "__proto__"'],
    [["bash", "zsh"], "Cannot use zsh: one word too many"],
    [["bash", "--json"], "Cannot print completions as JSON"],
  ] as const
) {
  Deno.test(`completions ${args.join(" ")} is refused in words`, async () => {
    const { code, err } = await supervise("/nowhere", ["completions", ...args]);
    assertEquals(code, 2);
    assertStringIncludes(err, says);
  });
}
