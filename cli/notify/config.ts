/**
 * `notify.json`: which receivers are notified, and at which address.
 *
 * `cli/supervise.sh` runs this file before it starts the command line, to learn which hosts to grant. So
 * it imports nothing, and reads its files itself.
 *
 * ```sh
 * deno run --no-prompt --allow-read=$FILE --allow-sys=uid cli/notify/config.ts $FILE
 * ```
 *
 * @module
 */

/** How a terminal is notified; `auto` picks what the terminal understands. */
export type TerminalSignal = "auto" | "bell" | "osc9" | "osc777" | "osc99";

const TERMINAL_SIGNALS: readonly TerminalSignal[] = ["auto", "bell", "osc9", "osc777", "osc99"];

/** The receivers that `notify.json` names. */
export interface NotifyConfig {
  /** How the terminal that `watch` or `review` runs in is notified. */
  readonly terminal?: TerminalSignal;
  /** An address that gets a signed message, and the file with the secret that signs it. */
  readonly webhook?: { readonly url: ReceiverUrl; readonly secretFile: string };
  /** An address of ntfy that ends in a topic, and the file with its access token. */
  readonly ntfy?: { readonly url: ReceiverUrl; readonly tokenFile?: string };
}

/** Thrown if `notify.json`, or a file that it names, cannot be used. */
export class NotifyConfigError extends Error {
  /** The class's name. */
  override name = "NotifyConfigError";
}

const MAX_BYTES = 64 * 1024;

/** Files with secrets are in `private/`, which is mounted into no bottle. */
const SECRET_FILE = /^private\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Where `notify.json` is below a root. */
export function notifyConfigPath(root: string): string {
  return `${root}/notify.json`;
}

/** Reads `notify.json`; `undefined` if there is no such file. Throws as `parseNotifyConfig` does. */
export function readNotifyConfig(path: string): NotifyConfig | undefined {
  const text = readSecretFile(path);
  return text === undefined ? undefined : parseNotifyConfig(text, path);
}

/**
 * Reads a file that no other account may read or write: an address in it is worth as much as a secret,
 * and a writer would choose where messages go. Gives `undefined` if there is no such file.
 *
 * @throws {NotifyConfigError} If others may read or change it, or it is not a small file of text.
 */
export function readSecretFile(path: string): string | undefined {
  const refuse = (reason: string) => new NotifyConfigError(`Cannot use ${path}: ${reason}`);
  try {
    const { isFile, mode, uid, size } = Deno.statSync(path);
    if (!isFile) throw refuse("it is not a file");
    if (uid !== Deno.uid()) throw refuse("it belongs to another account; make it yours with chown");
    if (((mode ?? 0) & 0o077) !== 0) {
      const octal = ((mode ?? 0) & 0o777).toString(8);
      throw refuse(`others may read or change it (mode ${octal}); run chmod 600 on it`);
    }
    if (size > MAX_BYTES) throw refuse(`it has ${size} bytes, more than the ${MAX_BYTES} allowed`);
    return new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof NotifyConfigError) throw error;
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof TypeError) throw refuse("it is not UTF-8");
    const way = error instanceof Deno.errors.NotCapable
      ? "; start this program through cli/supervise.sh"
      : "";
    throw refuse(`it cannot be read (${(error as Error).name})${way}`);
  }
}

/**
 * Parses `notify.json`. An unknown field is an error: if it were ignored, a receiver that is misspelled
 * would get nothing, and no message would say why.
 *
 * @throws {NotifyConfigError} If a field is wrong or unknown; names the file, the field, the way out.
 */
export function parseNotifyConfig(text: string, path: string): NotifyConfig {
  const refuse = (field: string, reason: string) => {
    const place = field === "" ? path : `${path}, field ${JSON.stringify(field)}`;
    return new NotifyConfigError(`Cannot use ${place}: ${reason}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse("", "it is not JSON; docs/notify.md has examples");
  }

  function section(at: string, given: unknown, known: readonly string[]): Record<string, unknown> {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      throw refuse(at, "it is not a JSON object");
    }
    for (const key of Object.keys(given)) {
      if (known.includes(key)) continue;
      const names = known.map((name) => JSON.stringify(name)).join(", ");
      throw refuse(at === "" ? key : `${at}.${key}`, `there is no such field; expected ${names}`);
    }
    return given as Record<string, unknown>;
  }
  function url(at: string, given: unknown): ReceiverUrl {
    if (typeof given !== "string") throw refuse(at, "it is not a string; write https://host/path");
    const parsed = parseReceiverUrl(given);
    if (typeof parsed === "string") throw refuse(at, parsed);
    return parsed;
  }
  function secretFile(at: string, given: unknown): string {
    if (typeof given === "string" && SECRET_FILE.test(given)) return given;
    throw refuse(at, 'it does not name a file in private; write "private/" and a name');
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
    const file = fields["secret_file"] ?? "private/webhook-secret";
    config.webhook = {
      url: url("webhook.url", fields["url"]),
      secretFile: secretFile("webhook.secret_file", file),
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

/** A receiver's address. */
export interface ReceiverUrl {
  /** The whole address. Its path is often a secret, so it is never printed. */
  readonly href: string;
  /** What is printed, and granted: the host, a colon, the port. */
  readonly hostPort: string;
}

/** This host under its three names. They never go through a proxy, see `cli/supervise.sh`. */
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** No comma and no star: in a grant they would name more than this host. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])$/;

/**
 * Parses an address. It must be written the way a parser would write it: no capitals in the host, no
 * default port, no number that means an address. So what a person reads in the file is what is granted.
 * Or returns why the text is not an address, without a word of the text.
 */
export function parseReceiverUrl(text: string): ReceiverUrl | string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "it is not a URL; write https://host/path";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return "it is not an https URL; write https://host/path";
  }
  if (url.username !== "" || url.password !== "") {
    return "it has a user or a password in it; give a token_file, or put it in the path";
  }
  if (url.hash !== "" || text.includes("#")) return "it has a fragment; leave out what follows #";
  if (url.href !== text && url.href !== `${text}/`) {
    return "a parser would read it as another address; write the host in lower-case ASCII, " +
      "no default port, no spaces, and everything else as %-escapes";
  }
  if (!HOST.test(url.hostname)) {
    return "its host is not valid; write letters, digits, dots and hyphens, or an IP address";
  }
  if (url.protocol === "http:" && !LOOPBACK.has(url.hostname)) {
    return "http is for localhost, 127.0.0.1 and [::1] alone; write https";
  }
  const port = url.port === "" ? url.protocol === "https:" ? "443" : "80" : url.port;
  return { href: url.href, hostPort: `${url.hostname}:${port}` };
}

/** The hosts and ports to grant: each once, and none for a file that cannot be used. */
export function hostsIn(path: string): readonly string[] {
  try {
    const config = readNotifyConfig(path);
    const urls = [config?.webhook?.url, config?.ntfy?.url];
    return [...new Set(urls.flatMap((url) => url === undefined ? [] : [url.hostPort]))];
  } catch {
    return []; // The command line says what is wrong with it.
  }
}

if (import.meta.main) {
  const hosts = hostsIn(Deno.args[0] ?? "").join(",");
  if (hosts !== "") console.log(hosts);
}
