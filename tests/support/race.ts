/**
 * Operators that run at the same time, each in a process of its own.
 *
 * @module
 */

import { inEnvironment } from "./environment.ts";
import { REPO } from "./run.ts";
import type { TempDir } from "./temp.ts";
import { join } from "@std/path";

/** How a command ended. */
export interface Ended {
  readonly exit: number;
  /** What it printed, by calls. */
  readonly printed: readonly string[];
  /** What it printed to standard error, by calls. */
  readonly complaints: readonly string[];
}

/** An operator's process that is ready and has not begun. */
export interface Racer {
  /** Lets it begin, and waits for its end. */
  readonly go: () => Promise<readonly Ended[]>;
}

/**
 * Makes a `deno` that runs `testdata/command_lines.ts` in the place of the command line's own program,
 * so that the launcher grants it what it grants that one.
 *
 * @param dir Where to put it.
 * @returns The directory that has to come first on the PATH.
 */
async function placeDeno(dir: TempDir): Promise<string> {
  const program = join(REPO, "tests/testdata/command_lines.ts");
  const script = `#!/bin/sh
for word in "$@"; do
  shift
  case $word in
    */cli/main.ts) word=${program} ;;
  esac
  set -- "$@" "$word"
done
exec ${Deno.execPath()} "$@"
`;
  await Deno.mkdir(dir.at("bin"), { recursive: true });
  await Deno.writeTextFile(dir.at("bin", "deno"), script, { mode: 0o755 });
  return dir.at("bin");
}

/**
 * Starts operators' processes through the launcher, each with exactly its permissions.
 *
 * @param dir A directory for what it takes to start them.
 * @param root The root.
 * @param operators The command lines that each will run, in order.
 * @returns The processes, once all are ready.
 */
export async function startRacers(
  dir: TempDir,
  root: string,
  operators: readonly (readonly (readonly string[])[])[],
): Promise<readonly Racer[]> {
  const bin = await placeDeno(dir);
  return await Promise.all(operators.map((commands) => startRacer(bin, root, commands)));
}

async function startRacer(
  bin: string,
  root: string,
  commands: readonly (readonly string[])[],
): Promise<Racer> {
  const child = new Deno.Command("sh", {
    args: [join(REPO, "cli/supervise.sh")],
    ...inEnvironment({
      PATH: `${bin}:${Deno.env.get("PATH")}`,
      CLAUDE_BOTTLE_ROOT: root,
      NO_COLOR: "1",
      EDITOR: "",
      VISUAL: "",
    }),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const said = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("ready\n")) {
    const { done, value } = await said.read();
    if (done) throw new Error("Cannot start an operator: it ended before it was ready");
    text += value;
  }
  const writer = child.stdin.getWriter();
  const input = commands.map((args) => JSON.stringify(args) + "\n").join("");
  await writer.write(new TextEncoder().encode(input));
  return {
    go: async () => {
      await writer.close();
      for (let read = await said.read(); !read.done; read = await said.read()) text += read.value;
      const { code } = await child.status;
      if (code !== 0) throw new Error(`An operator's process ended with exit code ${code}`);
      return text.trimEnd().split("\n").slice(1).map((line) => JSON.parse(line));
    },
  };
}
