/**
 * Proves of each regular expression of the code that its work grows no faster than the text, or with the
 * square of a text that is short. Others write the texts, and a slow one would stop a program for all bottles.
 *
 * ```sh
 * deno task test:regexes
 * ```
 *
 * The proof is recheck's (https://makenowjust-labs.github.io/recheck/), which is loaded for this alone.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { filesOf } from "../support/checkout.ts";

interface Diagnostics {
  readonly status: "safe" | "vulnerable" | "unknown";
  readonly complexity?: { readonly summary: string; readonly degree?: number };
}

// A variable, so that only this run downloads it.
const RECHECK = "npm:recheck@4.5.0";
const recheck: {
  checkSync(source: string, flags: string, limits: { timeout: number }): Diagnostics;
} = await import(RECHECK);

// On a loaded machine it needs longer than it gives itself.
const checkSync = (source: string, flags: string) =>
  recheck.checkSync(source, flags, { timeout: 300_000 });

/** Linear for a reason that recheck does not find, or slow on a text that is the operator's or this project's own. */
const REASONS: Readonly<Record<string, string>> = {
  [String.raw`\beyJ[A-Za-z0-9_-]{8,400}\.eyJ[A-Za-z0-9_-]{8}`]:
    "it reads at most 420 from each start",
  [String.raw`\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'$]{0,80}:[^\s/@"'$]{3,200}@`]:
    "it reads at most 305 from each start",
  [String.raw`-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----`]:
    "from each start it reads to the next hyphen",
  [
    String
      .raw`\b(?:urlopen|urlretrieve|urllib|requests|httpx|aiohttp|LWP|URI|open-uri|Net|http\w*|https?|fetch|iwr|irm|curl|wget|Invoke-WebRequest|Invoke-RestMethod|DownloadString|WebClient|file_get_contents|socket|net|tls|dgram|connect|create_connection|TCPSocket|Socket|IO|ftplib|smtplib|paramiko|get|request)\b`
  ]: "it begins at a word and reads to its end",
  [
    String
      .raw`\b(?:exec\w*|eval|system|popen\w*|spawn\w*|subprocess|iex|Invoke-Expression|child_process|Function|compile|__import__|dup2|pty|runpy|marshal|pickle|instance_eval|Start-Process|shell_exec|passthru|proc_open|dlopen|ctypes|importlib)\b`
  ]: "it begins at a word and reads to its end",
  [String.raw`^# <location>[^]*^# <\/location>\n`]: "its text is a file of this project",
  [String.raw`^(?=.*\d)(?:[0-9a-f-]+|(?!.*[a-z]{2}).{1,8})$`]:
    "each part begins at the text's start",
  [
    String
      .raw`((?:authorization|bearer|basic|token|passw(?:or)?d|secret|api[-_]?key|credentials?)(?:["']?(?:\s*[=:]\s*|[^\S ]* \s*)["']?)(?:bearer |basic )?)[^\s"']+|\b(?:gh[pousr]_|github_pat_|glpat-|sk-|AKIA|ASIA|AIza|npm_|pypi-|xox[abeoprs]-|hf_|eyJ)[\w.-]{8,}|(:\/\/)[^\s/:@]*:[^\s/@]+(?=@)`
  ]: "from each start it reads to the next word or slash",
  [String.raw`\S*\s*$`]: "its text is a line that the operator types",
};

/**
 * How long a text is at most, for expressions whose work grows with its square. `spend` counts the texts, so
 * that all of a file have at most `ALL_CHARS` characters, and the work is at most the product of both.
 */
const BOUNDS: Readonly<Record<string, number>> = {
  [String.raw`([\d.]+)([^\d.]+)`]: 64,
  [String.raw`[\d.]+$`]: 64,
  [String.raw`^(.+?)[@:](?=[^@/]*$)(.*)$`]: 256,
  [String.raw`^(.+?)-(\d[^/]*)$`]: 256,
  [String.raw`\[.*\]$`]: 256,
  [String.raw`^=?v?\d+(?:\.\d+)+[-+.\w]*$`]: 256,
  [String.raw`([ugoa]*)[+=]([rwxXst]+)`]: 512,
  [String.raw`^[\w~./-]*[/.][\w.-]*$`]: 2048,
  [String.raw`\/+$`]: 2048,
  [String.raw`\$\(([^)]*)\)`]: 2048,
  [
    String
      .raw`(?:^|\s)(?:-A|-I|--append|--insert|add|-P|default|reject|deny)\b.*\b(?:DROP|REJECT|drop|reject|deny)\b|^enable\b`
  ]: 2048,
};

/** What is read of a file's scripts, five times: `sh -c` reads again. */
const ALL_CHARS = 5 * 65_536 + 65_536;

/** A second or so. */
const MOST_WORK = 2 ** 30;

/** Whether no text takes an expression long. */
function isFast(source: string, { status, complexity }: Diagnostics): boolean {
  if (status === "safe" || Object.hasOwn(REASONS, source)) return true;
  const bound = BOUNDS[source];
  return bound !== undefined && complexity?.degree === 2 && bound * ALL_CHARS <= MOST_WORK;
}

function regexesIn(file: string): readonly { readonly source: string; readonly flags: string }[] {
  const found: { source: string; flags: string }[] = [];
  const collect: Deno.lint.Plugin = {
    name: "regexes",
    rules: {
      collect: {
        create: () => ({
          Literal(node) {
            if (!("regex" in node) || node.regex === undefined) return;
            found.push({ source: node.regex.pattern, flags: node.regex.flags });
          },
        }),
      },
    },
  };
  Deno.lint.runPlugin(collect, file, Deno.readTextFileSync(file));
  return found;
}

/** recheck keeps a port open. */
const LEAKS = { sanitizeResources: false };

const FOLDERS = ["src/", "sidecar/", "cli/", "appliers/"];

function codeIn(folder: string): readonly string[] {
  return filesOf(folder).filter((file) => file.endsWith(".ts"));
}

for (const folder of FOLDERS) {
  Deno.test(`no text makes a regular expression in ${folder} slow`, LEAKS, () => {
    assertEquals(codeIn(folder).flatMap((file) => slowOnes(file, regexesIn(file))), []);
  });
}

function slowOnes(file: string, all: ReturnType<typeof regexesIn>): readonly string[] {
  return all.flatMap(({ source, flags }) => {
    const found = checkSync(source, flags);
    if (isFast(source, found)) return [];
    return [`${file}: ${found.status} ${found.complexity?.summary ?? ""} /${source}/${flags}`];
  });
}

Deno.test("each reason is of an expression that there is", () => {
  const sources = FOLDERS.flatMap(codeIn).flatMap(regexesIn)
    .map(({ source }) => source);
  const given = [...Object.keys(REASONS), ...Object.keys(BOUNDS)];
  assertEquals(given.filter((source) => !sources.includes(source)), []);
});

Deno.test("a slow expression is found, and a cubic one at any bound", LEAKS, () => {
  assertEquals(checkSync("^(?:\\d+\\.?\\d*s)+$", "").status, "vulnerable");
  const [bounded = ""] = Object.keys(BOUNDS);
  const cubic = checkSync(String.raw`^s(.).*\1.*\1[gip\d]*e`, "");
  assertEquals([isFast(bounded, cubic), isFast("^s(.).*", cubic)], [false, false]);
  assertEquals(isFast(bounded, checkSync(bounded, "")), true);
});
