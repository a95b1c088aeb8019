/**
 * Checks upstream URLs as they are written. Pure.
 *
 * @module
 */

import { quote } from "../../text/quote.ts";

const URL_PARTS = /^(https?):\/\/([^/?#]*)([^]*)$/;
const HOST_AND_PORT = /^(\[[0-9a-f:.]*\]|[^:[\]]*)(?::(.*))?$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const NUMERIC = /^(?:\d+|0x[0-9a-f]*)$/;

/** Some readers resolve it, others send it as it is; some take an escaped slash, of either kind, for a slash. */
const DOT_SEGMENT = /(?:\/|%2f|%5c)(?:\.|%2e){1,2}(?:\/|%2f|%5c|$)/i;

/** RFC 1123, and `_`, which container names have. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Reads a plain http or https URL; for another text gives what was expected and what to do. Checks the raw text, not what the WHATWG parser makes of it: the parser
 * drops zero-width characters, tabs and line feeds, turns `\` into `/`, full-width letters into ASCII and
 * `0x7f.1` into 127.0.0.1, so that parser and reader can see different hosts.
 *
 * Hosts are lower-case names of letters, digits, `-` and `_`, one label or more; IPv4 addresses of four
 * decimal numbers; IPv6 addresses in brackets. A path without dot segments and a query are allowed, a fragment is not.
 */
export function readUpstream(url: string): URL | string {
  if (/[^\x21-\x7e]/.test(url)) {
    return "a URL of printable ASCII without spaces: remove or percent-encode the other characters";
  }
  if (url.includes("\\")) return 'a URL without backslashes: use "/"';
  const [, scheme, authority, rest] = URL_PARTS.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || rest === undefined) {
    return 'an http or https URL: begin with "https://" or "http://" in lower case, then the host';
  }
  if (authority.includes("@")) {
    return "a URL without credentials: remove what precedes the host, use auth_scheme and a token";
  }
  if (rest.includes("#")) return 'a URL without a fragment: remove what follows "#", and the "#"';
  if (/["<>^`{|}]/.test(rest)) return 'a URL without any of "<>^`{|} : percent-encode them';
  if (DOT_SEGMENT.test(rest.replace(/\?.*/, ""))) {
    return 'a URL without "." or ".." as a part of its path: write where it leads';
  }

  const [, host, port] = HOST_AND_PORT.exec(authority) ?? [];
  if (host === undefined) {
    return "a host and at most one port after it: write an IPv6 host in brackets";
  }
  if (port !== undefined && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65535)) {
    return "a port from 1 to 65535 without leading zeros: correct it or remove the colon";
  }
  const hostProblem = explainHost(host);
  if (hostProblem) return hostProblem;
  const parsed = URL.parse(url);
  // An IPv6 address has several spellings; the parser must leave every other host as it is.
  if (parsed === null || (!host.startsWith("[") && parsed.hostname !== host)) {
    return "a URL that every parser reads alike: check the host";
  }
  return parsed;
}

function explainHost(host: string): string | undefined {
  if (host === "") return "a host after the scheme: add it";
  if (host.startsWith("[") || IPV4.test(host)) return undefined;
  if (host.includes("%")) return "a host without percent-encoding: write it plainly";
  if (/[A-Z]/.test(host)) return `a host in lower case: write ${quote(host.toLowerCase(), 253)}`;
  const labels = host.split(".");
  if (labels.at(-1) === "") return "a host without a trailing dot: remove it";
  if (host.length > 253 || !labels.every((label) => LABEL.test(label))) {
    return "a host of letters, digits, - and _ between dots, with at most 63 characters a part";
  }
  if (NUMERIC.test(labels.at(-1)!)) {
    return "a host name, or an IPv4 address as four decimal numbers without leading zeros";
  }
  return undefined;
}
