/**
 * Runs programs to their end.
 *
 * @module
 */

import { inEnvironment } from "./environment.ts";
import { fromFileUrl, join } from "@std/path";

/** The checkout. */
export const REPO: string = fromFileUrl(new URL("../..", import.meta.url));

/** How a program ended. */
export interface RunResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** How a program is started. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly input?: string;
  /** Kills the program. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a program to its end.
 *
 * @param program The program.
 * @param args Its arguments.
 * @param options Where, with what.
 * @returns How it ended.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { input, env, ...rest } = options;
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...inEnvironment(env),
    ...rest,
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input)).catch(() => {});
    await writer.close().catch(() => {});
  }
  const { code, stdout, stderr } = await child.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), err: decode(stderr) };
}

/**
 * Runs the operator's command line as an operator does: through its launcher, with its permissions.
 *
 * @param root The root.
 * @param args The command line.
 * @param options Input and environment.
 * @returns How it ended.
 */
export function supervise(
  root: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const env = {
    CLAUDE_BOTTLE_ROOT: root,
    NO_COLOR: "1",
    EDITOR: "",
    VISUAL: "",
    ...options.env,
  };
  return run("sh", [join(REPO, "cli/supervise.sh"), ...args], { ...options, env });
}

/**
 * Whether a program is on the machine.
 *
 * @param program The program.
 * @param flag What makes it end at once.
 * @returns Whether it could be started.
 */
export function hasProgram(program: string, flag = "--version"): boolean {
  try {
    new Deno.Command(program, { args: [flag], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch {
    return false;
  }
}
