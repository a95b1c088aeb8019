/**
 * Judges code that a script hands to an interpreter: `python -c "…"`. Pure.
 *
 * It does not read the languages. Code whose names are all in a list of harmless ones is harmless; other
 * code is unknown, or worse if it has names that fetch, run or send.
 *
 * @module
 */

import { POPULAR } from "./packages.ts";
import { fetchedByCode } from "./network.ts";
import type { Call } from "./read.ts";
import { note, noteUnknown, prove, show } from "./shell.ts";
import { unknown, type Value } from "./value.ts";

/** Longer code is not looked at. */
const MAX_CODE_CHARS = 4096;

const STRINGS = /"(?:[^"\\]|\\(?:[^]|$))*(?:"|$)|'(?:[^'\\]|\\(?:[^]|$))*(?:'|$)|`[^`]*(?:`|$)/g;

const FETCHES =
  /\b(?:urlopen|urlretrieve|urllib|requests|httpx|aiohttp|LWP|URI|open-uri|Net|http\w*|https?|fetch|iwr|irm|curl|wget|Invoke-WebRequest|Invoke-RestMethod|DownloadString|WebClient|file_get_contents|socket|net|tls|dgram|connect|create_connection|TCPSocket|Socket|IO|ftplib|smtplib|paramiko|get|request)\b/;

const RUNS =
  /\b(?:exec\w*|eval|system|popen\w*|spawn\w*|subprocess|iex|Invoke-Expression|child_process|Function|compile|__import__|dup2|pty|runpy|marshal|pickle|instance_eval|Start-Process|shell_exec|passthru|proc_open|dlopen|ctypes|importlib)\b/;

const ADDRESS = /\b(?:https?|ftp):\/\/[^\s"'`)]+/g;

const LOCAL = /^(?:https?:\/\/)?(?:localhost|127(?:\.\d+){3}|::1|\[::1\])(?=[:/]|$)/;

/** Names with which code can compute and print, and ask what is installed. */
const HARMLESS = new Set(
  ("import from as print json loads load dumps sys stdin stdout argv exit version version_info platform path len str int float bool list " +
    "dict sorted min max sum range for in if else not and or is None True False def return lambda assert __version__ __name__ console log " +
    "process versions require JSON parse stringify null true false const let var puts p say echo phpversion RUBY_VERSION PHP_VERSION Deno " +
    "socket create_connection urllib request urlopen read http status code on e f s d x y i k v n")
    .split(" "),
);

/** Judges code, by its language's interpreter; gives what it prints. */
export function judgeCode(call: Call, code: string, options: string): Value {
  const { shell, line, input, text } = call;
  if (code.length > MAX_CODE_CHARS) {
    noteUnknown(shell, line, text, "it is much code of another language");
    return unknown(`<${text}`, { network: "code" });
  }
  const strings = [...code.matchAll(STRINGS)].map(([string]) => string.slice(1, -1));
  const bare = code.replace(STRINGS, " ");
  const names = bare.match(/[A-Za-z_][\w]*/g) ?? [];
  const addresses = [...code.matchAll(ADDRESS)].map(([url]) => url);
  const isLocal = addresses.every((url) => LOCAL.test(url)) &&
    strings.every((string) => LOCAL.test(string) || !/^[\w-]+(?:\.[\w-]+)+$|^\d/.test(string));
  const fetches = !isLocal && (FETCHES.test(`${bare} ${options}`) || addresses.length > 0) ||
    input?.network !== undefined;
  const runs = RUNS.test(`${bare} ${options}`);
  const imported = new Set(
    [...bare.matchAll(/\bimport\s+([\w, ]+)/g)].flatMap(([, list = ""]) => list.split(/[, ]+/)),
  );
  const isTame = names.every((name) =>
    HARMLESS.has(name) ||
    (imported.has(name) && POPULAR.get("pip")?.has(name.replaceAll("_", "-")) === true)
  ) && (isLocal || !FETCHES.test(bare)) && !/\$\{?\w|#\{|\$\(/.test(code) && options === "";
  if (fetches && runs) {
    const message = () => `code from the network would be run: ${show(text)}`;
    note(shell, line, {
      kind: "command",
      value: text,
      severity: "high",
      rule: "network-pipe",
      message,
    });
  } else if (isTame) {
    if (/\bopen\b/.test(bare)) noteUnknown(shell, line, text, "it opens a file");
    else prove(call);
  } else if (fetchedByCode(call, addresses, strings)) {
    // It is noted as a download.
  } else if (fetches && addresses.length > 0) {
    const message = () => `code would talk to ${show(addresses[0]!)}`;
    note(shell, line, {
      kind: "command",
      value: text,
      severity: "medium",
      rule: "network-code",
      message,
    });
  } else noteUnknown(shell, line, text, "it is code of another language");
  return {
    text: `<${text}`,
    isKnown: false,
    network: fetches ? addresses[0] ?? input?.network ?? "code" : undefined,
  };
}
