/**
 * A temporary place with file systems mounted in it, which goes away however the sweep ends.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";

/** A file system that is mounted. */
export interface Mount extends AsyncDisposable {
  /** Where. */
  readonly path: string;
}

/** The place. */
export interface Place extends AsyncDisposable {
  /** A path in it. */
  readonly at: (...parts: string[]) => string;
  /** Mounts a file system in it; at the end of the block it is unmounted. */
  readonly mount: (name: string, args: readonly string[]) => Promise<Mount>;
  /** Starts a program of Deno's that works in it until it is killed, with the place at the latest. */
  readonly start: (program: URL, args: readonly string[]) => Deno.ChildProcess;
}

/**
 * Makes a place. It goes away at the end of the block, and when the process is told to stop.
 *
 * @returns The place.
 */
export async function openPlace(): Promise<Place> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "supervise-sweep-" }));
  const at = (...parts: string[]) => join(path, ...parts);
  const mounted: string[] = [];
  const running = new Set<Deno.ChildProcess>();

  /** Synchronous, and lazy: nothing that still runs in there can keep it from going. */
  function remove(): void {
    for (const process of running) process.kill("SIGKILL");
    for (const inner of mounted.splice(0).reverse()) unmountSync(inner, ["--lazy"]);
    Deno.removeSync(path, { recursive: true });
  }
  const signals = (["SIGINT", "SIGTERM"] as const).map((signal) => {
    const onSignal = () => {
      remove();
      Deno.exit(130);
    };
    Deno.addSignalListener(signal, onSignal);
    return () => Deno.removeSignalListener(signal, onSignal);
  });

  return {
    at,
    start(program, args) {
      const process = new Deno.Command("deno", {
        args: ["run", "-A", "--quiet", fromFileUrl(program), ...args],
        stdin: "null",
      }).spawn();
      running.add(process);
      process.status.then(() => running.delete(process));
      return process;
    },
    async mount(name, args) {
      const inner = at(name);
      await Deno.mkdir(inner, { recursive: true });
      await run("mount", [...args, inner]);
      mounted.push(inner);
      return {
        path: inner,
        [Symbol.asyncDispose]() {
          const index = mounted.lastIndexOf(inner);
          if (index !== -1) unmountSync(...mounted.splice(index, 1) as [string], []);
          return Promise.resolve();
        },
      };
    },
    [Symbol.asyncDispose]() {
      for (const forget of signals) forget();
      remove();
      return Promise.resolve();
    },
  };
}

function unmountSync(path: string, flags: readonly string[]): void {
  const { success, stderr } = new Deno.Command("umount", { args: [...flags, path] }).outputSync();
  if (!success) throw new Error(`Cannot unmount ${path}: ${new TextDecoder().decode(stderr)}`);
}

/**
 * Runs a program to its end.
 *
 * @param program The program.
 * @param args Its arguments.
 * @throws {Error} If it fails; with what it said.
 */
export async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], stdout: "null" })
    .output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot run ${program} ${args.join(" ")}: ${said}`);
}
