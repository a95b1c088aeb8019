/**
 * Builds images with buildah, runs them with podman.
 *
 * @module
 */

import { hasProgram, run, type RunOptions } from "../support/run.ts";
import type { TempDir } from "../support/temp.ts";
import { type LogLines, readLog } from "./log_lines.ts";
import { storeEnvironment, storeFlags } from "./workplace.ts";

/** What the test starts, beside Deno. */
const PROGRAMS = ["podman", "buildah", "runc", "nsenter", "setpriv", "setsid", "ldd"];

/** How containers are started, on every machine alike. */
const RUN_FLAGS = [
  "--rm",
  // Seconds, after which it is killed, whatever became of the test.
  "--timeout=60",
  "--pull=never",
  "--log-driver=none",
  "--runtime=runc",
  "--network=none",
  "--ulimit=nofile=1024:1024",
  "--ulimit=nproc=1024:1024",
];

/** A container that runs. */
export interface Container extends AsyncDisposable {
  /** Its name. */
  readonly name: string;
  /** The process id, on the host, of its process 1. */
  readonly pid: number;
  /** What its process 1 logs. */
  readonly log: LogLines;
  /** How its process 1 ended. */
  readonly ended: Promise<Deno.CommandStatus>;
}

/** podman and buildah. */
export interface Engine {
  /** Runs podman to its end. */
  readonly podman: (args: readonly string[], options?: RunOptions) => Promise<string>;
  /** Builds an image from a Containerfile and a context directory; returns its name. */
  readonly build: (
    name: string,
    containerfile: string,
    context: string,
    flags?: readonly string[],
  ) => Promise<string>;
  /** Starts a container; at the end of the block it is gone. */
  readonly start: (image: string, flags: readonly string[]) => Promise<Container>;
}

/**
 * Says why no container can be built or run here.
 *
 * @returns The reason, or `undefined` if there is none.
 */
export function whyNoContainers(): string | undefined {
  if (Deno.build.os !== "linux") return "this is not Linux";
  const missing = PROGRAMS.filter((program) => !hasProgram(program));
  if (missing.length > 0) return `${missing.join(", ")} cannot be started`;
  return Deno.uid() === 0 ? undefined : "it needs root";
}

/**
 * Sets up podman and buildah.
 *
 * @param place Where they keep everything.
 * @returns The engine.
 */
export function openEngine(place: TempDir): Engine {
  const store = storeFlags(place.path);
  const env = storeEnvironment(place.path);

  async function runOrThrow(program: string, args: readonly string[], options: RunOptions = {}) {
    const { code, out, err } = await run(program, [...store, ...args], { ...options, env });
    if (code === 0) return out;
    throw new Error(`Cannot run ${program} ${args.join(" ")}: it ended with ${code}\n${out}${err}`);
  }
  const podman: Engine["podman"] = (args, options) => runOrThrow("podman", args, options);

  async function start(image: string, flags: readonly string[]): Promise<Container> {
    const name = `supervise-test-${crypto.randomUUID()}`;
    const child = new Deno.Command("podman", {
      args: [...store, "run", "--name", name, ...RUN_FLAGS, ...flags, image],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const log = readLog(child.stderr);
    const dispose = async () => {
      await podman(["rm", "--force", "--ignore", "--time", "0", name]);
      await child.status;
      await log.end();
    };
    try {
      await log.until("listening");
      const pid = Number(await podman(["inspect", "--format", "{{.State.Pid}}", name]));
      return { name, pid, log, ended: child.status, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      await dispose();
      throw error;
    }
  }

  return {
    podman,
    start,
    async build(name, containerfile, context, flags = []) {
      await runOrThrow("buildah", [
        "bud",
        "--isolation=chroot",
        // The OCI's own format has no health check.
        "--format=docker",
        "--layers=false",
        "--pull-never",
        `--file=${containerfile}`,
        `--tag=${name}`,
        ...flags,
        context,
      ]);
      return name;
    },
  };
}
