/**
 * notify.json: who is notified, and where.
 *
 * @module
 */

import { ownFileStamp, readOwnFile } from "../../internal_mod.ts";

/** How a terminal is told; `auto` picks what this one understands. */
export const TERMINAL_SIGNALS = ["auto", "bell", "osc9", "osc777", "osc99"] as const;

/** One of {@linkcode TERMINAL_SIGNALS}. */
export type TerminalSignal = (typeof TERMINAL_SIGNALS)[number];

/** Whom to tell. */
export interface NotifyConfig {
  /** How to tell the terminal that a program runs in, if at all. */
  readonly terminal?: TerminalSignal;
  /** The receiver of signed webhooks. */
  readonly webhook?: { readonly url: ReceiverUrl; readonly secretFile: string };
  /** The topic of an ntfy server, and the file of the token that it wants, if it wants one. */
  readonly ntfy?: { readonly url: ReceiverUrl; readonly tokenFile?: string };
}

/** Thrown if `notify.json`, or a file that it names, cannot be used. Nobody is told, then. */
export class NotifyConfigError extends Error {
  override name = "NotifyConfigError";
}

/** More than any sound file has. */
const MAX_BYTES = 64 * 1024;

/** The files with secrets lie where nothing is mounted from. */
const SECRET_FILE = /^private\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * The path of `notify.json`.
 *
 * @param root The root.
 * @returns The path.
 */
export function notifyConfigPath(root: string): string {
  return `${root}/notify.json`;
}

/**
 * Reads `notify.json`.
 *
 * Needs `--allow-read` for it, and `--allow-sys=uid`.
 *
 * @param path Its path.
 * @returns Whom to tell; `undefined` if there is no such file.
 * @throws {NotifyConfigError} If it cannot be used; the message names the file, the field, the way out.
 */
export function readNotifyConfig(path: string): NotifyConfig | undefined {
  const text = readSecretFile(path);
  return text === undefined ? undefined : parseNotifyConfig(text, path);
}

/**
 * Reads a file that nobody else may read or write: an address in it is worth as much as a secret, and
 * whoever could change it would choose where messages go.
 *
 * @param path Its path.
 * @returns Its text; `undefined` if there is no such file.
 * @throws {NotifyConfigError} If it is somebody else's, or others may read it, or it is no small text.
 */
export function readSecretFile(path: string): string | undefined {
  const refuse = (reason: string) => new NotifyConfigError(`Cannot use ${path}: ${reason}`);
  try {
    const stamp = ownFileStamp(path);
    if (stamp === undefined) return undefined;
    const { isFile, mode, uid, size } = stamp;
    if (!isFile) throw refuse("it is no file");
    if (uid !== Deno.uid()) throw refuse("it belongs to somebody else; make it yours with chown");
    if ((mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8);
      throw refuse(`others may read or change it (mode ${octal}); run chmod 600 on it`);
    }
    if (size > MAX_BYTES) {
      throw refuse(`it has ${size} bytes, more than the ${MAX_BYTES} allowed`);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(readOwnFile(path));
  } catch (error) {
    if (error instanceof NotifyConfigError) throw error;
    if (error instanceof TypeError) throw refuse("it is not UTF-8");
    const way = error instanceof Deno.errors.NotCapable
      ? "; start this program through cli/supervise.sh"
      : "";
    throw refuse(`it cannot be read (${(error as Error).name})${way}`);
  }
}

/**
 * Parses `notify.json`.
 *
 * @param text The file's text.
 * @param path The file's name, for errors.
 * @returns Whom to tell.
 * @throws {NotifyConfigError} If a field is wrong, or unknown: one that is dropped in silence would tell
 * nobody.
 */
export function parseNotifyConfig(text: string, path: string): NotifyConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new NotifyConfigError(`Cannot use ${path}: it is not JSON; docs/notify.md has examples`);
  }
  const refuse = (field: string, reason: string) =>
    new NotifyConfigError(`Cannot use ${path}, field ${JSON.stringify(field)}: ${reason}`);

  function section(at: string, given: unknown, known: readonly string[]): Record<string, unknown> {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      if (at === "") throw new NotifyConfigError(`Cannot use ${path}: it is no JSON object`);
      throw refuse(at, "it is no JSON object");
    }
    for (const key of Object.keys(given)) {
      if (known.includes(key)) continue;
      const names = known.map((name) => JSON.stringify(name)).join(", ");
      throw refuse(at === "" ? key : `${at}.${key}`, `there is no such field; expected ${names}`);
    }
    return given as Record<string, unknown>;
  }
  function url(at: string, given: unknown): ReceiverUrl {
    if (typeof given !== "string") throw refuse(at, "it is no string; write https://host/path");
    const parsed = parseReceiverUrl(given);
    if (typeof parsed === "string") throw refuse(at, parsed);
    return parsed;
  }
  function secretFile(at: string, given: unknown): string {
    if (typeof given === "string" && SECRET_FILE.test(given)) return given;
    throw refuse(at, 'it is no file in private; write "private/" and a name, without the root');
  }

  const top = section("", value, ["terminal", "webhook", "ntfy"]);
  const config: { -readonly [K in keyof NotifyConfig]: NotifyConfig[K] } = {};
  if (top["terminal"] !== undefined) {
    const signal = TERMINAL_SIGNALS.find((name) => name === top["terminal"]);
    if (signal === undefined) {
      throw refuse("terminal", `expected one of ${TERMINAL_SIGNALS.join(", ")}`);
    }
    config.terminal = signal;
  }
  if (top["webhook"] !== undefined) {
    const fields = section("webhook", top["webhook"], ["url", "secret_file"]);
    config.webhook = {
      url: url("webhook.url", fields["url"]),
      secretFile: secretFile(
        "webhook.secret_file",
        fields["secret_file"] ?? "private/webhook-secret",
      ),
    };
  }
  if (top["ntfy"] !== undefined) {
    const fields = section("ntfy", top["ntfy"], ["url", "token_file"]);
    const file = fields["token_file"];
    const to = url("ntfy.url", fields["url"]);
    if (!/^https?:\/\/[^/]+\/[A-Za-z0-9_-]{1,64}$/.test(to.href)) {
      throw refuse("ntfy.url", "it does not end in a topic; write https://host/topic");
    }
    config.ntfy = {
      url: to,
      ...(file === undefined ? {} : { tokenFile: secretFile("ntfy.token_file", file) }),
    };
  }
  return config;
}

/** Where messages go. */
export interface ReceiverUrl {
  /** The whole address. Its path is often a secret, so it is never printed. */
  readonly href: string;
  /** What may be printed, and what is granted: the host, a colon, the port. */
  readonly hostPort: string;
}

/** This host under its three names. They never go through a proxy, see `cli/supervise.sh`. */
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** No comma and no star: either would grant more than this host. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])$/;

/**
 * Reads the address of a receiver. It must be written as it is understood, since a parser would repair
 * what a person misread: no capitals in the host, no default port, no number that means an address.
 *
 * @param text The address, as it was written.
 * @returns The address, or why it cannot be one, without any of it.
 */
export function parseReceiverUrl(text: string): ReceiverUrl | string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "it is no URL; write https://host/path";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return "it is no https URL; write https://host/path";
  }
  if (url.username !== "" || url.password !== "") {
    return "it has a user or a password in it; give a token_file, or put it in the path";
  }
  if (url.hash !== "" || text.includes("#")) return "it has a fragment; leave out what follows #";
  if (url.href !== text && url.href !== `${text}/`) {
    return "it would be read as another one; write the host in lower-case ASCII, " +
      "no default port, no blank, and everything else as %-escapes";
  }
  if (!HOST.test(url.hostname)) {
    return "its host is none; write letters, digits, dots and hyphens, or an IP address";
  }
  if (url.protocol === "http:" && !LOOPBACK.has(url.hostname)) {
    return "http is for localhost, 127.0.0.1 and [::1] alone; write https";
  }
  const port = url.port === "" ? url.protocol === "https:" ? "443" : "80" : url.port;
  return { href: url.href, hostPort: `${url.hostname}:${port}` };
}
