/**
 * The address of a receiver: what it may be, and which host and port that is. Pure, and imports
 * nothing: the launcher asks before it starts anything.
 *
 * @module
 */

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
