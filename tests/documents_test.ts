import { familyOf, findVerb } from "../cli/command/help.ts";
import { CLIENT_NAMES } from "../cli/command/flags.ts";
import { CLIENTS } from "../cli/bottle/clients.ts";
import { copyFiles, filesOf } from "./support/checkout.ts";
import {
  type Block,
  blocksOf,
  commandOf,
  documents,
  isTyped,
  RUN_ELSEWHERE,
} from "./support/documents.ts";
import { inEnvironment } from "./support/environment.ts";
import { TextLineStream } from "./support/lines.ts";
import { configure, startReceiver } from "./support/receiver.ts";
import { queueSample } from "./support/records.ts";
import { REPO, run } from "./support/run.ts";
import { isMissing } from "./support/skip.ts";
import { type TempDir, tempDir } from "./support/temp.ts";
import { openTerminal } from "./support/tmux.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";

const BLOCKS = documents().flatMap(blocksOf);

/** The machine that the commands are typed on: a checkout, a home, and nothing of the test's own. */
interface Machine {
  readonly dir: TempDir;
  readonly root: string;
  readonly env: Record<string, string>;
  readonly sh: (script: string) => ReturnType<typeof run>;
}

async function makeMachine(dir: TempDir): Promise<Machine> {
  copyFiles(filesOf().filter((file) => !file.startsWith("tests/")), dir.at("checkout"));
  await Deno.mkdir(dir.at("home"));
  await Deno.mkdir(dir.at("bin"));
  // The README's first commands are an operator's who has it already; later it says how to get it.
  await Deno.symlink(dir.at("checkout", "cli", "supervise.sh"), dir.at("bin", "supervise"));
  const { out } = await run(Deno.execPath(), ["info", "--json"]);
  const env = {
    HOME: dir.at("home"),
    PATH: `${dir.at("home", ".local", "bin")}:${dir.at("bin")}:${Deno.env.get("PATH")}`,
    DENO_DIR: JSON.parse(out).denoDir as string,
    NO_COLOR: "1",
    EDITOR: "vi",
    VISUAL: "",
  };
  const sh = (script: string) => run("sh", ["-euc", script], { env, cwd: dir.at("checkout") });
  return { dir, root: dir.at("home", ".claude-bottle"), env, sh };
}

/** What has to be there before a block is typed, by the block's first line. */
const BEFORE: Readonly<Record<string, (machine: Machine, receiver: string) => Promise<void>>> = {
  // The bottle of the screens above it, whose log has eleven decisions.
  "$ supervise modify 7c72 --file my-allowlist --notes 'One host, not all of them.'": async (
    { dir, root, sh },
  ) => {
    const earlier = Array.from({ length: 11 }, (_, n) => `earlier-${n}`);
    for (const id of earlier) await queueSample(root, { id, bottleSlug: "demo-1" });
    const rejected = await sh(`supervise reject ${earlier.join(" ")} --notes no`);
    assertEquals(rejected.code, 0, rejected.err);
    const id = "7c720051-712b-4d87-895a-7057c395cf33";
    await queueSample(root, { id, bottleSlug: "demo-1", proposedFile: "*.example.net\n" });
    const mine = "# package mirror\nmirror.internal.example\nfiles.example.net\n";
    await Deno.writeTextFile(dir.at("checkout", "my-allowlist"), mine);
  },
  "supervise review": async ({ dir, root }, receiver) => {
    await queueSample(root, { id: "7c72-again" });
    await configure({ ...dir, at: (...parts) => join(root, ...parts) }, {
      ntfy: { url: receiver },
    });
  },
};

/** The lines that do not end by themselves, or have a screen; each with what is seen, and what ends it. */
const DRIVEN: Readonly<Record<string, (machine: Machine) => Promise<void>>> = {
  async "supervise review"({ env, dir }) {
    const place = `cd ${dir.at("checkout")}; PATH=${env.PATH}; export PATH`;
    const line = `${place}; clear; supervise review; echo ended $?`;
    await using terminal = await openTerminal(line, env, [92, 24]);
    await terminal.sees(/1 pending[^]*\? help/);
    await terminal.type("q");
    await terminal.sees(/ended 0/);
  },
  async "supervise watch"({ env, dir }) {
    const watch = new Deno.Command("sh", {
      args: ["-c", "exec supervise watch"],
      ...inEnvironment(env),
      cwd: dir.at("checkout"),
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = watch.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    await queueSample(join(dir.at("home"), ".claude-bottle"), { id: "watched" });
    assertMatch((await lines.read()).value ?? "", /watched/);
    watch.kill("SIGINT");
    while (!(await lines.read()).done);
    assertEquals((await watch.status).code, 0);
  },
};

/** The lines that end with another code than 0 here, and why. */
const ENDS_WITH: Readonly<Record<string, number>> = {
  // Neither hooks.example nor ntfy.example can be reached: both receivers fail.
  "supervise notify": 1,
};

/** What differs from run to run. */
function settle(text: string, home: string): string {
  return text.replaceAll(home, "/home/ada")
    .replace(/12:[0-9a-f]{12}/g, "12:HEAD").replace(/SHA256:\S{43}/g, "SHA256:KEY").trimEnd();
}

/** Types a session that shows what each command prints. */
async function typeSession(machine: Machine, { text }: Block): Promise<void> {
  for (const part of text.split(/^\$ /m).filter((part) => part !== "")) {
    const [command = "", ...printed] = part.split("\n");
    const { code, out, err } = await machine.sh(command);
    assertEquals([command, code], [command, 0], err);
    const home = machine.env.HOME!;
    assertEquals(settle(out, home), settle(printed.join("\n"), home));
  }
}

/** Types a block, as it is written; what others run, and what is driven, apart. */
async function typeBlock(machine: Machine, block: Block): Promise<void> {
  if (block.info === "console") return await typeSession(machine, block);
  let script = "";
  const runScript = async () => {
    const last = commandOf(script.trimEnd().split("\n").at(-1)!);
    const { code, out, err } = await machine.sh(script);
    const isNotify = block.file === "docs/notify.md";
    assertEquals([script, code], [script, isNotify ? ENDS_WITH[last] ?? 0 : 0], out + err);
    script = "";
  };
  for (const line of block.text.split("\n")) {
    const command = commandOf(line);
    if (RUN_ELSEWHERE[command] !== undefined) continue;
    const drive = DRIVEN[command];
    if (drive === undefined) script += `${line}\n`;
    else {
      if (script.trim() !== "") await runScript();
      await drive(machine);
    }
  }
  if (script.trim() !== "") await runScript();
}

const missing = [isMissing("tmux", "-V"), isMissing("openssl", "version")];

Deno.test({
  name: "every command in README.md and docs/ runs, word for word and in order, in a new home",
  ignore: missing.includes(true),
  async fn() {
    await using dir = await tempDir();
    await using receiver = startReceiver();
    const machine = await makeMachine(dir);
    const prepared = new Set<string>();
    for (const block of BLOCKS.filter(isTyped)) {
      const first = commandOf(block.text.split("\n")[0]!);
      if (BEFORE[first] !== undefined) {
        await BEFORE[first](machine, receiver.url("/topic"));
        prepared.add(first);
      }
      await typeBlock(machine, block);
    }
    assertEquals([...prepared], Object.keys(BEFORE));
  },
});

Deno.test("what the documents' commands are excused with is still true", async () => {
  const typed = BLOCKS.filter(isTyped).flatMap(({ text }) => text.split("\n").map(commandOf));
  for (const [command, [file, as]] of Object.entries(RUN_ELSEWHERE)) {
    assert(typed.includes(command), `no document has ${command}`);
    const runs = await Deno.readTextFile(join(REPO, file));
    assert(runs.includes(as), `${file}: ${command}`);
  }
  for (const command of [...Object.keys(DRIVEN), ...Object.keys(ENDS_WITH)]) {
    assert(typed.includes(command), `no document has ${command}`);
  }
});

/** The languages of blocks that are no commands: each is checked by what is named here. */
const OTHERS: Readonly<Record<string, string>> = {
  "": "layouts and rules, for people",
  "text": "tests/cli/readme_test.ts compares the README's screens",
  "ts": "deno task test runs them",
  "json": "below, and tests/consumer_test.ts",
  "toml": "below",
  "ts ignore": "a client of the SDK in another program; tests/support/clients.ts does the same",
  "python": "needs the Python SDK, which the tests do not install",
};

Deno.test("no command hides in a block of another language", () => {
  for (const block of BLOCKS.filter((block) => !isTyped(block))) {
    assert(OTHERS[block.info] !== undefined, `${block.file}: a block of ${block.info}`);
    const commands = block.text.split("\n").filter((line) =>
      /^\$ |^(supervise|deno|npx) /.test(line)
    );
    // The command that opens the README's first screen.
    const screen = block.file === "README.md" && block.info === "text";
    assertEquals(commands, commands.filter((line) => screen && line === "$ supervise review"));
  }
});

Deno.test("each JSON block is JSON, and each client's configuration is one that bottle add prints", () => {
  const printed = CLIENT_NAMES.map((name) => CLIENTS[name].text("http://supervise:9100/mcp"));
  for (const { file, info, text } of BLOCKS) {
    if (info !== "json" && info !== "toml") continue;
    if (info === "json") JSON.parse(text);
    if (text.includes("9100")) assert(printed.includes(text), `${file}:\n${text}`);
  }
});

Deno.test("each supervise command in a sentence names a verb", () => {
  for (const file of documents()) {
    const page = Deno.readTextFileSync(join(REPO, file)).replace(/^ *```[^]*?^ *```$/gm, "");
    for (const [, words] of page.matchAll(/`supervise ([a-z][^`]*)`/g)) {
      const typed = words!.split(/\s+/).filter((word) => !word.startsWith("-"));
      if (familyOf(typed[0]!).length === 0 || typed.length > 1) findVerb(typed);
    }
  }
});

Deno.test("no document has the marks of a merge that was left open", () => {
  for (const file of documents()) {
    // The formatter may have moved them into a sentence.
    const found = /<<<<<<< \S|>>>>>>> \S|(?:^|\s)=======(?:\s|$)/.exec(
      Deno.readTextFileSync(join(REPO, file)),
    );
    assertEquals(found?.[0], undefined, file);
  }
});
