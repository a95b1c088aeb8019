/**
 * A sidecar's flags and variables, the permissions it runs with, and the lines it logs.
 *
 * @module
 */

import {
  checkBottleSlug,
  QUEUE_DIR_IN_CONTAINER,
  readOwnFile,
  SUPERVISE_PORT,
} from "../sidecar_mod.ts";
import { parseArgs } from "@std/cli";

/** What is logged of an event: ids, counts and fixed words, never a text of the agent's. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Logs one event. */
export type Log = (event: string, fields?: LogFields) => void;

/** Logs one line of JSON to stderr. */
export const logToStderr: Log = (event, fields = {}) => {
  console.error(JSON.stringify({ time: new Date().toISOString(), event, ...fields }));
};

/** How many lines of one event are logged at once; after that, one a second. */
const MAX_BURST = 1000;

/**
 * A log that nobody can fill: of each event it writes so many lines, then one a second, which says how many
 * were left out before it.
 */
export function boundLog(log: Log, nowMs: () => number = () => performance.now()): Log {
  const budgets = new Map<string, { left: number; atMs: number; omitted: number }>();
  return (event, fields) => {
    const now = nowMs();
    const { left, atMs, omitted } = budgets.get(event) ??
      { left: MAX_BURST, atMs: now, omitted: 0 };
    const budget = Math.min(MAX_BURST, left + (now - atMs) / 1000);
    if (budget < 1) {
      budgets.set(event, { left: budget, atMs: now, omitted: omitted + 1 });
      return;
    }
    budgets.set(event, { left: budget - 1, atMs: now, omitted: 0 });
    log(event, omitted === 0 ? fields : { ...fields, omitted_before: omitted });
  };
}

/**
 * The flags of `deno run` for a sidecar with this queue directory that listens on `host:port`. With
 * `--optimize-for-size` V8 collects sooner what closed connections leave behind: without it a flood leaves
 * twice the memory in use (docs/adr/0033-connections.md).
 */
export function sidecarFlags(queueDir: string, address: string): string[] {
  return [
    "--no-prompt",
    "--v8-flags=--optimize-for-size",
    `--allow-net=${address}`,
    `--allow-read=${queueDir}`,
    `--allow-write=${queueDir}`,
    `--allow-env=${SIDECAR_VARIABLES.join(",")}`,
  ];
}

/** How much a sidecar takes on, and how long it holds a call. */
export interface HoldLimits {
  /** How long a call without a progress token is held, in milliseconds. */
  readonly holdMs: number;
  /** How long a call with one is held; `Infinity` for as long as it takes. */
  readonly holdWithProgressMs: number;
  /** How long the same question gets the same answer, in milliseconds. */
  readonly repeatMs: number;
  /** How many calls are held at once. */
  readonly maxHeld: number;
  /** How many proposals may be pending. */
  readonly maxPending: number;
}

/** What a sidecar is started with. */
export interface Settings {
  /** The bottle. */
  readonly slug: string;
  /** Its queue directory. */
  readonly queueDir: string;
  /** The address to listen on. */
  readonly host: string;
  /** The port; 0 for any. */
  readonly port: number;
  /** Host names it may be addressed by, besides its own. */
  readonly allowedHosts: readonly string[];
  /** The bearer token that clients must send, if there is one. */
  readonly token: string | undefined;
  /** How much it takes on, and how long it holds. */
  readonly limits: HoldLimits;
}

/** The settings in force as they are logged: whether a token is needed, never the token. */
export function settingsInForce(settings: Settings): LogFields {
  const { slug, queueDir, host, allowedHosts, token, limits } = settings;
  const { holdMs, holdWithProgressMs, repeatMs, maxHeld, maxPending } = limits;
  return {
    bottle: slug,
    queue_dir: queueDir,
    host,
    hold_seconds: holdMs / 1000,
    hold_with_progress_seconds: holdWithProgressMs === Infinity
      ? "no end"
      : holdWithProgressMs / 1000,
    repeat_seconds: repeatMs / 1000,
    max_held: maxHeld,
    max_pending: maxPending,
    allowed_hosts: allowedHosts.join(","),
    token: token === undefined ? "none" : "needed",
  };
}

/** A mistake in the flags or the environment. */
export class UsageError extends Error {
  override name = "UsageError";
}

type Setting = readonly [value: string, about: string, variable?: string, otherwise?: string];

const SETTINGS: Readonly<Record<string, Setting>> = {
  "slug": ["SLUG", "the bottle", "SUPERVISE_BOTTLE_SLUG"],
  "queue-dir": ["DIR", "its queue directory", "SUPERVISE_QUEUE_DIR", QUEUE_DIR_IN_CONTAINER],
  "host": ["HOST", "the address to listen on", "SUPERVISE_HOST", "127.0.0.1"],
  "port": ["PORT", "the port to listen on; 0: any", "SUPERVISE_PORT", String(SUPERVISE_PORT)],
  "hold-seconds": [
    "N",
    "how long a call is held (50; with a progress token: as long as it takes)",
    "SUPERVISE_HOLD_SECONDS",
  ],
  "repeat-seconds": [
    "N",
    "how long the same question gets the same answer",
    "SUPERVISE_REPEAT_SECONDS",
    "600",
  ],
  "max-held": ["N", "how many calls are held at once", "SUPERVISE_MAX_HELD", "256"],
  "max-pending": ["N", "how many proposals may be pending", "SUPERVISE_MAX_PENDING", "32"],
  "allowed-host": [
    "NAMES",
    "further names to be addressed by, with commas between",
    "SUPERVISE_ALLOWED_HOSTS",
  ],
  "token-file": ["FILE", "a file with the bearer token; or the token itself in SUPERVISE_TOKEN"],
};

/** The variable that holds the bearer token itself. */
const TOKEN_VARIABLE = "SUPERVISE_TOKEN";

/** The variables that a sidecar may read. */
export const SIDECAR_VARIABLES: readonly string[] = [
  ...Object.values(SETTINGS).flatMap(([, , variable]) => variable ?? []),
  TOKEN_VARIABLE,
];

/** The text of `--help`. */
export function usage(): string {
  const lines = Object.entries(SETTINGS).map(([name, [value, about, variable, otherwise]]) => {
    const flag = `--${name} ${value}`.padEnd(22);
    return `  ${flag}${about}${otherwise ? ` (${otherwise})` : ""}${
      variable ? `  ${variable}` : ""
    }`;
  });
  return `Usage: sidecar --slug SLUG [FLAGS]

Serves the MCP tools of one bottle and holds each call until an operator has decided.

${lines.join("\n")}
  --help                this text`;
}

/** Refuses to start if a variable that counts may be set and cannot be read: it would be ignored in silence. */
function refuseUnreadable(variables: readonly string[]): void {
  const hidden = variables.filter((variable) =>
    Deno.permissions.querySync({ name: "env", variable }).state !== "granted"
  );
  if (hidden.length === 0) return;
  throw new UsageError(
    `Cannot tell whether ${hidden.join(", ")} ${
      hidden.length === 1 ? "is" : "are"
    } set: run with ` +
      `--allow-env=${hidden.join(",")}, or give the flag instead of each variable`,
  );
}

function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    // Deno's own words repeat the value, and it may be the token.
    if (error instanceof Deno.errors.InvalidData) {
      throw new UsageError(`Cannot use ${name}: it is not Unicode text`);
    }
    throw error;
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) <= most) return Number(text);
  throw new UsageError(`Cannot use ${JSON.stringify(text)} as --${name}: expected 0 to ${most}`);
}

/** A name as a Host header has it before its port. Any other would let nobody in, and nobody would know. */
function hostName(text: string): string {
  if (/^([\w.-]+|\[[\da-f:.]+\])$/i.test(text)) return text;
  throw new UsageError(
    `Cannot use ${JSON.stringify(text)} as --allowed-host: expected a name or an address, no port`,
  );
}

function readToken(file: string | undefined): string | undefined {
  if (file === undefined) {
    const token = variable(TOKEN_VARIABLE)?.trim();
    if (token !== "") return token;
    throw new UsageError(
      `Cannot use ${TOKEN_VARIABLE}: it is empty; unset it if no token is needed`,
    );
  }
  if (file === "") throw new UsageError("Cannot use an empty --token-file: name a file");
  let bytes: Uint8Array | undefined;
  let reason = "there is no such file";
  try {
    bytes = readOwnFile(file);
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  if (bytes === undefined) throw new UsageError(`Cannot read ${file} as --token-file: ${reason}`);
  const token = new TextDecoder().decode(bytes).trim();
  if (token === "") throw new UsageError(`Cannot use ${file} as --token-file: it is empty`);
  return token;
}

/**
 * Reads the flags, and for each one that is missing its variable.
 *
 * @throws {UsageError} If something is missing, unknown or out of bounds.
 * @throws {InvalidNameError} If the slug is not valid.
 */
export function readSettings(args: readonly string[]): Settings | "help" {
  const unknown: string[] = [];
  const flags = parseArgs(args, {
    boolean: ["help"],
    string: Object.keys(SETTINGS),
    unknown: (name) => {
      unknown.push(name);
      return false;
    },
  }) as Record<string, unknown>;
  if (flags.help === true) return "help";
  if (unknown.length > 0) {
    throw new UsageError(`Cannot use ${unknown.join(", ")}: there is no such flag`);
  }
  const given = (name: string): string | undefined =>
    typeof flags[name] === "string" ? flags[name] : undefined;
  refuseUnreadable([
    ...Object.entries(SETTINGS).flatMap(([name, [, , variable]]) =>
      given(name) === undefined ? variable ?? [] : []
    ),
    ...(given("token-file") === undefined ? [TOKEN_VARIABLE] : []),
  ]);
  const text = (name: string): string => {
    const [, , behind, otherwise = ""] = SETTINGS[name]!;
    return given(name) ?? (behind && variable(behind)) ?? otherwise;
  };
  const required = (name: string): string => {
    const value = text(name);
    if (value.trim() === "") throw new UsageError(`Cannot use an empty --${name}`);
    return value;
  };

  const slug = text("slug");
  if (slug === "") throw new UsageError("Cannot start: --slug or SUPERVISE_BOTTLE_SLUG is missing");
  const hold = text("hold-seconds");
  const holdMs = hold === "" ? undefined : wholeNumber("hold-seconds", hold, 2_000_000) * 1000;
  return {
    slug: checkBottleSlug(slug),
    queueDir: required("queue-dir"),
    host: required("host"),
    port: wholeNumber("port", text("port"), 65_535),
    allowedHosts: text("allowed-host").split(",").map((host) => host.trim()).filter(Boolean)
      .map(hostName),
    token: readToken(given("token-file")),
    limits: {
      holdMs: holdMs ?? 50_000,
      holdWithProgressMs: holdMs ?? Infinity,
      repeatMs: wholeNumber("repeat-seconds", text("repeat-seconds"), 999_999_999) * 1000,
      maxHeld: wholeNumber("max-held", text("max-held"), 1_000_000),
      maxPending: wholeNumber("max-pending", text("max-pending"), 1_000_000),
    },
  };
}
