/**
 * An operator on the host, with a user of their own, a root of their own and the command line.
 *
 * @module
 */

import { queueDirForSlug } from "../../mod.ts";
import { REPO, run, type RunResult } from "../support/run.ts";
import type { TempDir } from "../support/temp.ts";
import { join } from "@std/path";

/** The modules at the top of the checkout, and with them what the command line consists of. */
const MODS = Array.from(Deno.readDirSync(REPO), ({ name }) => name)
  .filter((name) => /^(\w+_)?mod\.ts$/.test(name));
const PARTS = ["deno.json", "deno.lock", ...MODS, "links", "src", "cli"];

/** An operator. */
export interface Operator {
  /** The root. */
  readonly root: string;
  /** The bottle's queue directory, which is mounted. */
  readonly queueDir: string;
  /** Runs the command line. */
  readonly supervise: (args: readonly string[]) => Promise<RunResult>;
}

/** Makes an operator with this user id, who has one bottle. */
export type MakeOperator = (uid: number, slug: string) => Promise<Operator>;

/**
 * Copies the command line to where every user can read it, which the checkout may not be, and caches
 * its modules.
 *
 * @param place Where to put everything; every user can enter it.
 * @param denoBin The directory of a `deno` that every user can start.
 * @returns Makes operators.
 */
export async function installCommandLine(place: TempDir, denoBin: string): Promise<MakeOperator> {
  const checkout = place.at("checkout");
  const env = {
    PATH: `${denoBin}:${Deno.env.get("PATH")}`,
    HOME: place.at("home"),
    DENO_DIR: place.at("deno-dir"),
    DENO_UNSTABLE_NPM_LAZY_CACHING: "1",
    DENO_TLS_CA_STORE: "system",
    NO_COLOR: "1",
  };
  await Deno.mkdir(checkout);
  await Deno.mkdir(place.at("home"));
  await must("cp", ["-R", ...PARTS.map((part) => join(REPO, part)), checkout]);
  await must("deno", ["cache", "--quiet", "--frozen", "cli/main.ts"], { cwd: checkout, env });
  await must("chmod", ["-R", "a+rX", checkout, place.at("deno-dir"), denoBin]);

  return async (uid, slug) => {
    const root = place.at(`root-${uid}`);
    const queueDir = queueDirForSlug(slug, { root });
    await Deno.mkdir(queueDir, { recursive: true, mode: 0o700 });
    await must("chown", ["-R", `${uid}:${uid}`, root]);
    const as = [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    const program = ["sh", join(checkout, "cli/supervise.sh")];
    return {
      root,
      queueDir,
      supervise: (args) =>
        run("setpriv", [...as, ...program, ...args, "--root", root], { cwd: checkout, env }),
    };
  };
}

async function must(program: string, args: readonly string[], options = {}): Promise<void> {
  const { code, err } = await run(program, args, options);
  if (code !== 0) throw new Error(`Cannot run ${program} ${args.join(" ")}: ${err}`);
}
