/**
 * Checks the egress allowlist: the hosts that a bottle may reach. Pure.
 *
 * @module
 */

import { type ConfigProblem, listProblems } from "../../records/problem.ts";
import { quote } from "../../text/quote.ts";

/**
 * Characters other than LF that some programs take for a line end, or that a screen does not show. A host
 * behind one in a comment would be allowed, and the reviewer would not see it.
 */
const HIDDEN_BREAK = /[\p{Cc}\u2028\u2029]/u;

/**
 * Checks an egress allowlist, the file that tells the bottle's proxy which hosts it may reach.
 *
 * The format is one host per line: lower-case labels of letters, digits and `-` between dots, at most
 * 63 characters per label and 253 in all, optionally with `*.` in front; no IP address in any notation,
 * no scheme, port or path. Lines end with LF or CRLF. Blank lines are allowed, and comment lines, whose
 * first character other than space and tab is `#`. A line with a host has nothing else, not even a space:
 * programs differ in what they trim. A host occurs once. A file without hosts is valid and allows
 * nothing.
 *
 * Never throws, reads and opens nothing, and takes time linear in the text.
 *
 * @example A URL where a host belongs
 * ```ts
 * import { validateAllowlist } from "@claude-bottle/supervise";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(validateAllowlist("# registry\nhttps://api.example.com/v1\n"), [{
 *   where: "line 2",
 *   message: 'found "https://api.example.com/v1", expected a bare host: write api.example.com',
 * }]);
 * ```
 *
 * @param text The file's text.
 * @returns The problems, at most {@linkcode MAX_PROBLEMS} and one that says there are more; empty if the
 * file is valid.
 */
export function validateAllowlist(text: string): readonly ConfigProblem[] {
  return listProblems(text, findProblems);
}

function* findProblems(text: string): Generator<ConfigProblem> {
  const firstLines = new Map<string, number>();
  for (const [index, ended] of text.split("\n").entries()) {
    const line = ended.endsWith("\r") ? ended.slice(0, -1) : ended;
    const where = `line ${index + 1}`;
    if (HIDDEN_BREAK.test(line.replaceAll("\t", ""))) {
      const expected = "no control characters and no line ends but LF and CRLF: remove them";
      yield { where, message: `found ${quote(line)}, expected ${expected}` };
      continue;
    }
    if (/^[ \t]*(?:#|$)/.test(line)) continue;
    const expectation = explainHost(line);
    const first = firstLines.get(line);
    if (expectation) yield { where, message: `found ${quote(line)}, expected ${expectation}` };
    else if (first === undefined) firstLines.set(line, index + 1);
    else {
      const found = `found ${quote(line)}, which is on line ${first} already`;
      yield { where, message: `${found}, expected each host once: remove one of the two` };
    }
  }
}

function explainHost(line: string): string | undefined {
  if (line.startsWith("\ufeff")) return "a host: remove the byte order mark";
  if (/[^\t -~]/.test(line)) return "ASCII alone: write an international name in its xn-- form";
  const trimmed = line.replace(/^[ \t]+/, "").trimEnd();
  if (trimmed !== line) return "no spaces or tabs around a host: remove them";
  if (line.includes("#")) {
    return 'nothing behind a host: put the comment on a line that begins with "#"';
  }
  if (/[ \t,;]/.test(line)) return "one host on a line: put each on its own";
  const url = /^[a-z][a-z0-9+.-]*:\/\/(.*)$/i.exec(line);
  if (url) return `a bare host${suggest(url[1]!)}`;
  if (line.includes("/")) return `a host without a path${suggest(line)}`;
  if (line.includes("@")) return `a host without a user${suggest(line)}`;
  if (/[[\]]|:.*:/.test(line)) return "a host name, no IPv6 address: write the name of the host";
  if (line.includes(":")) return `a host without a port${suggest(line)}`;
  if (/[A-Z]/.test(line)) return `lower case: write ${quote(line.toLowerCase(), 253)}`;
  if (line.endsWith(".")) return `no dot at the end${suggest(line)}`;
  return explainName(line.startsWith("*.") ? line.slice(2) : line, line.length);
}

function explainName(name: string, length: number): string | undefined {
  if (name.includes("*")) return 'a wildcard only as "*." in front: list the hosts, or the domain';
  if (length > 253) return "at most 253 characters: shorten it";
  const labels = name.split(".");
  if (labels.includes("")) return "a letter or digit on both sides of a dot: remove the extra dot";
  if (labels.some((label) => label.length > 63)) {
    return "at most 63 characters between dots: shorten it";
  }
  if (!labels.every((label) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label))) {
    return "lower-case letters, digits and - between dots, no - at either end of a part";
  }
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1)!)) {
    return "a host name, no IP address: write the name of the host";
  }
  return undefined;
}

/** Advises to write the host of a URL or of an address with a port, if it has a valid one. */
function suggest(address: string): string {
  const authority = address.slice(0, 512).split(/[/?#]/, 1)[0]!;
  const host = authority.slice(authority.lastIndexOf("@") + 1)
    .replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
  return explainName(host, host.length) === undefined
    ? `: write ${host}`
    : ": write the host alone";
}
