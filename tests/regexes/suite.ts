/**
 * Proves of each regular expression of the code that its work grows no faster than the text. Others write
 * the texts, and a slow one would stop a program for all bottles.
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
  readonly complexity?: { readonly summary: string };
}

// A variable, so that only this run downloads it.
const RECHECK = "npm:recheck@4.5.0";
const { checkSync }: { checkSync(source: string, flags: string): Diagnostics } = await import(
  RECHECK
);

/** Slow on some text, which no caller gives them; or more than recheck can read. */
const REASONS: Readonly<Record<string, string>> = {
  [String.raw`([\d.]+)([^\d.]+)`]: "its text has at most 64 characters",
  [String.raw`\beyJ[A-Za-z0-9_-]{8,400}\.eyJ[A-Za-z0-9_-]{8}`]:
    "it reads at most 420 from each start",
  [String.raw`\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'$]{0,80}:[^\s/@"'$]{3,200}@`]:
    "it reads at most 305 from each start",
  [String.raw`-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----`]:
    "from each start it reads to the next hyphen",
  [String.raw`^# <location>[^]*^# <\/location>\n`]: "its text is a file of this project",
  [String.raw`^(?=.*\d)(?:[0-9a-f-]+|(?!.*[a-z]{2}).{1,8})$`]:
    "each part begins at the text's start",
  [String.raw`\S*\s*$`]: "its text is a line that the operator types",
  "\"(?:[^\"\\\\]|\\\\[^])*(?:\"|$)|'(?:[^'\\\\]|\\\\[^])*(?:'|$)|`[^`]*(?:`|$)":
    "its text has at most 4,096 characters",
  [String.raw`[\d.]+$`]: "its text has at most 64 characters",
  [String.raw`^[\w~./-]*[/.][\w.-]*$`]: "its text has at most 2,048 characters",
  [String.raw`[?#].*$`]: "its text has at most 2,048 characters",
  [String.raw`\/+$`]: "its text has at most 2,048 characters",
  [String.raw`\$\(([^)]*)\)`]: "its text has at most 2,048 characters",
  [String.raw`^(.+?)[@:](?=[^@/]*$)(.*)$`]: "its text has at most 256 characters",
  [String.raw`^(.+?)-(\d[^/]*)$`]: "its text has at most 256 characters",
  [String.raw`\[.*\]$`]: "its text has at most 256 characters",
  [String.raw`^=?v?\d+(?:\.\d+)+[-+.\w]*$`]: "its text has at most 256 characters",
  [String.raw`([ugoa]*)[+=]([rwxXst]+)`]: "its text has at most 512 characters",
  [String.raw`(?:^|[;{}\n])\s*(?:\d+|\/[^/]*\/|\$)?e\b|^s(.).*\1.*\1[gip\d]*e`]:
    "its text has at most 512 characters",
  [
    String
      .raw`((?:authorization|bearer|basic|token|passw(?:or)?d|secret|api[-_]?key|credentials?)(?:["']?\s*[=: ]\s*["']?)(?:bearer |basic )?)[^\s"']+|\b(?:gh[pousr]_|github_pat_|glpat-|sk-|AKIA|ASIA|AIza|npm_|pypi-|xox[abeoprs]-|hf_|eyJ)[\w.-]{8,}|(:\/\/)[^\s/:@]*:[^\s/@]+(?=@)`
  ]: "its text has at most 4,096 characters",
  [
    String
      .raw`(?:^|\s)(?:-A|-I|--append|--insert|add|-P|default|reject|deny)\b.*\b(?:DROP|REJECT|drop|reject|deny)\b|^enable\b`
  ]: "its text has at most 2,048 characters",
};

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

const FOLDERS = ["src/", "sidecar/", "cli/"];

function codeIn(folder: string): readonly string[] {
  return filesOf(folder).filter((file) => file.endsWith(".ts"));
}

for (const folder of FOLDERS) {
  Deno.test(`no text makes a regular expression in ${folder} slow`, LEAKS, () => {
    const slow = codeIn(folder).flatMap((file) =>
      regexesIn(file).flatMap(({ source, flags }) => {
        const { status, complexity } = checkSync(source, flags);
        const isProven = status === "safe" || Object.hasOwn(REASONS, source);
        return isProven
          ? []
          : [`${file}: ${status} ${complexity?.summary ?? ""} /${source}/${flags}`];
      })
    );
    assertEquals(slow, []);
  });
}

Deno.test("each reason is of an expression that there is", () => {
  const sources = FOLDERS.flatMap(codeIn).flatMap(regexesIn)
    .map(({ source }) => source);
  assertEquals(Object.keys(REASONS).filter((source) => !sources.includes(source)), []);
});

Deno.test("a slow expression is found", LEAKS, () => {
  assertEquals(checkSync("^(?:\\d+\\.?\\d*s)+$", "").status, "vulnerable");
});
