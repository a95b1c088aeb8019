/**
 * A proxy that enforces an allowlist, made of three small programs and a file: `reload` reads what `apply.json`
 * has it rendered to, `enforced` is what the proxy then has in its memory, and a listener answers by that. Of a
 * list with {@linkcode UNREADABLE} it ends itself, as tinyproxy does, until `start` is run.
 *
 * @module
 */

import { startFakeProxy } from "../support/fake_proxy.ts";
import type { Disk } from "./disk.ts";
import { join } from "@std/path";

/** A host that is no mistake for the command line, and one for this proxy. */
export const UNREADABLE = "unreadable.example.com";

const READ = 'cp "$1" "${0%/*}/next" && mv "${0%/*}/next" "${0%/*}/enforced"';

const PROGRAMS = {
  render: 'cat "$1" > "$2"',
  check: 'test -r "$1"',
  reload:
    `test -e "\${0%/*}/enforced" || exit 1\nif grep -q ${UNREADABLE} "$1"; then rm "\${0%/*}/enforced"; exit 1; fi\n${READ}`,
  start: READ,
};

/** Where a proxy has what it enforces, one for each root. */
const proxies = new Map<string, ReturnType<typeof startFakeProxy>>();

/** What the proxy of a root enforces; `undefined` if it has ended. */
function enforcedIn(root: string): readonly string[] | undefined {
  try {
    return hostsOf(Deno.readTextFileSync(join(root, "proxy", "enforced")));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const hostsOf = (list: string) => list.split("\n").filter((line) => line !== "");

/**
 * Puts the proxy's programs into a root, with a list that it has read.
 *
 * @param root The root.
 * @param list The list.
 */
export function prepareEnforcer(root: string, list: string): void {
  const dir = join(root, "proxy");
  Deno.mkdirSync(dir, { mode: 0o700 });
  for (const [name, text] of Object.entries(PROGRAMS)) {
    Deno.writeTextFileSync(join(dir, name), `#!/bin/sh\nset -e\n${text}\n`, { mode: 0o700 });
  }
  for (const name of ["allowed", "enforced"]) Deno.writeTextFileSync(join(dir, name), list);
}

/**
 * Writes the `apply.json` of a root, which has its path in it.
 *
 * @param root The root, as {@linkcode prepareEnforcer} made it.
 * @param render A format that is built in, or the program.
 */
export function writeApplyConfig(root: string, render: "squid" | "program"): void {
  const program = (name: string, ...args: string[]) => ({
    argv: [join(root, "proxy", name), ...args],
    timeout_seconds: 10,
  });
  const pipelock = {
    render: render === "squid" ? render : program("render", "{config}", "{file}"),
    to: join(root, "proxy", "allowed"),
    check: program("check", "{file}"),
    reload: program("reload", "{file}"),
    start: program("start", "{file}"),
    probe: { proxy: addressOf(root), in_a_row: 1, within_seconds: 5 },
  };
  Deno.writeTextFileSync(join(root, "apply.json"), JSON.stringify({ pipelock }), { mode: 0o600 });
}

/** Where the proxy of a root listens. It does until this process ends. */
function addressOf(root: string): string {
  const proxy = proxies.getOrInsertComputed(root, () =>
    startFakeProxy((host) => {
      const enforced = enforcedIn(root);
      return enforced === undefined ? null : enforced.includes(host) ? 200 : 403;
    }));
  return proxy.address;
}

/**
 * What `cli/supervise.sh` grants besides for the root's `apply.json`.
 *
 * @param root The root.
 */
export function enforcerGrants(root: string) {
  const programs = Object.keys(PROGRAMS).map((name) => join(root, "proxy", name));
  return { run: ["/bin/ls", ...programs], net: [addressOf(root)] };
}

/**
 * Waits until no program of a root's runs any more. One that the killed process had started goes on, and the next
 * command may come while it does: that is stated in `docs/apply.md`, and is no matter of the disk.
 *
 * @param root The root.
 */
export async function untilIdle(root: string): Promise<void> {
  while ([...Deno.readDirSync("/proc")].some(({ name }) => runsOf(root, name))) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function runsOf(root: string, pid: string): boolean {
  if (!/^\d+$/.test(pid)) return false;
  try {
    const [program, script] = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    return program === "/bin/sh" && script!.startsWith(join(root, "proxy/"));
  } catch {
    return false; // It has just ended.
  }
}

/**
 * Whether the proxy enforces one of some lists, and no third.
 *
 * @param root The root.
 * @param lists The lists.
 * @returns What is wrong.
 */
export function problemsOfEnforcing(root: string, ...lists: readonly string[]): string[] {
  const enforced = enforcedIn(root);
  if (lists.some((list) => String(hostsOf(list).toSorted()) === String(enforced?.toSorted()))) {
    return [];
  }
  const has = enforced === undefined ? "has ended" : `enforces ${enforced.join(", ") || "nothing"}`;
  return [`the proxy ${has}`];
}

/**
 * What an applier leaves behind only if it was stopped: the next one removes it.
 *
 * @param disk The root.
 * @returns What is wrong.
 */
export function leftBehind({ others }: Disk): string[] {
  return others.filter((path) =>
    /^private\/apply\/|^proxy\/.*\.next$|^private\/not-proven\//.test(path)
  )
    .map((path) => `${path} is left behind`);
}
