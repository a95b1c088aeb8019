/**
 * A bottle whose sidecar is started or stopped, and the programs that do it.
 *
 * @module
 */

import denoJson from "../../deno.json" with { type: "json" };
import {
  type BottleSettings,
  ownFileStamp,
  pathBehindLinks,
  readBottle,
} from "../../internal_mod.ts";
import { checkBottleSlug } from "../../start_mod.ts";
import { queueDirForSlug } from "../../mod.ts";
import type { Context } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";
import { fromFileUrl, isAbsolute } from "@std/path";

const HERE = new URL("../..", import.meta.url);

/** The checkout that this program is part of; `undefined` if it came from JSR. */
export const CHECKOUT = HERE.protocol === "file:" ? fromFileUrl(HERE) : undefined;

export const VERSION = denoJson.version;

const RELEASE = `jsr:${denoJson.name}@${VERSION}/sidecar`;

/** The sidecar's program, as `deno run` takes it. */
export const SIDECAR = CHECKOUT === undefined ? RELEASE : `${CHECKOUT}sidecar/main.ts`;

/** The program that asks a sidecar whether it answers. */
export const HEALTH = CHECKOUT === undefined ? `${RELEASE}/health` : `${CHECKOUT}sidecar/health.ts`;

export interface Bottle {
  readonly slug: string;
  /** The root as it was typed: the launcher grants writing by this path. */
  readonly root: string;
  /** The root's path behind all links: one name, however the root is typed. */
  readonly realRoot: string;
  /** The path behind all links. */
  readonly queueDir: string;
  /** The owner of the queue. */
  readonly uid: number;
  readonly gid: number;
  readonly settings: BottleSettings;
  /** What a printed command begins with. */
  readonly supervise: string;
  /** Says what takes time. */
  readonly say: (text: string) => void;
}

/** The slug that a command names. */
export function slugIn({ root }: Context, words: readonly string[]): string {
  const [slug, ...rest] = words;
  if (slug === undefined || rest.length > 0) {
    throw new UsageError(`Cannot tell which bottle: expected one NAME, found ${words.length}`);
  }
  // A container or a unit would take it from another directory than this one.
  if (!isAbsolute(root)) {
    throw new UsageError(`Cannot use ${root}: write --root as an absolute path`);
  }
  refuseSeparators(root);
  return checkBottleSlug(slug);
}

/** A mount of a container, and a grant of Deno's, would be cut at these. */
function refuseSeparators(path: string): void {
  if (!/[:,\n]/.test(path)) return;
  throw new UsageError(
    `Cannot hand ${path} to a sidecar: a colon, a comma or a newline separates two paths; ` +
      "use another --root",
  );
}

/** @throws {UsageError} If the bottle was not added. */
export function openBottle(context: Context, words: readonly string[]): Bottle {
  const slug = slugIn(context, words);
  const { root, supervise, complain } = context;
  const settings = readBottle(slug, root);
  const queueDir = queueDirForSlug(slug, { root });
  const stamp = settings && ownFileStamp(queueDir);
  if (settings === undefined || stamp === undefined) {
    throw new UsageError(
      `Cannot find ${slug}: add it with ${supervise} bottle add ${slug}, which keeps what there is of it`,
    );
  }
  const { uid, gid } = stamp;
  // Without links: a sidecar is granted this path, and Deno checks some calls against what is behind them.
  const mounted = pathBehindLinks(queueDir);
  const realRoot = pathBehindLinks(root);
  for (const path of [mounted, realRoot]) refuseSeparators(path);
  const say = (text: string) => complain(text);
  return {
    slug,
    root,
    realRoot,
    queueDir: mounted,
    uid: uid ?? 0,
    gid: gid ?? 0,
    settings,
    supervise,
    say,
  };
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end; `undefined` if it is not on the PATH, or the launcher did not grant it. */
export async function runs(program: string, args: readonly string[]): Promise<Ran | undefined> {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
    }).output();
    return { code, out: decode(stdout), err: decode(stderr) };
  } catch (error) {
    const isAbsent = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable && error.message.includes(`"${program}"`);
    if (isAbsent) return undefined;
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    // Deno lets no program with some grants hand on a variable such as LD_LIBRARY_PATH.
    throw new Error(`Cannot run ${program}: ${error.message}`, { cause: error });
  }
}

/** Runs a program that must succeed; gives what it printed, without blanks around it. */
export async function ask(program: string, args: readonly string[]): Promise<string> {
  const ran = await runs(program, args);
  if (ran === undefined) throw new Error(`Cannot run ${program}: it is not on the PATH`);
  if (ran.code === 0) return ran.out.trim();
  const why = ran.err.trim().replace(/\.$/, "") || `it ended with exit code ${ran.code}`;
  throw new Error(`Cannot run ${program} ${args.slice(0, 2).join(" ")}: ${why}`);
}
