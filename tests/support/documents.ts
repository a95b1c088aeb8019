/**
 * The commands in README.md and docs/: where they are, and what runs each of them.
 *
 * @module
 */

import { filesOf } from "./checkout.ts";
import { REPO } from "./run.ts";
import { join } from "@std/path";

/** A fenced block of a document. */
export interface Block {
  readonly file: string;
  /** The language, and whatever stands behind it. */
  readonly info: string;
  readonly text: string;
}

/** The documents whose commands are run. */
export function documents(): string[] {
  return ["README.md", ...filesOf("docs/").filter((file) => file.endsWith(".md"))];
}

/** The fenced blocks of a document, in order. */
export function blocksOf(file: string): Block[] {
  const page = Deno.readTextFileSync(join(REPO, file));
  return [...page.matchAll(/^ *```(.*)\n([^]*?)^ *```$/gm)]
    .map(([, info, text]) => ({ file, info: info!, text: text! }));
}

/** Whether a block is typed into a shell. */
export function isTyped({ info }: Block): boolean {
  return /^(sh|bash|zsh|fish|shell|console)\b/.test(info);
}

/** A typed line without the comment behind it. */
export function commandOf(line: string): string {
  return line.replace(/ +# .*$/, "");
}

/**
 * The commands that `tests/documents_test.ts` does not run. A new one that cannot be run there comes
 * here, with the file that runs it instead.
 */
export const RUN_ELSEWHERE: Readonly<Record<string, readonly [file: string, as: string]>> = {
  // A newcomer's, with an empty cache: the demo by itself, and the suite that these tests are part of.
  "npx -y deno@2.9.6 task demo": [".ci/run", "npx -y deno@2.9.6 task demo"],
  "npx -y deno@2.9.6 task test": [".ci/run", "npx -y deno@2.9.6 task test"],
  // With the real proxy, and with programs of every machine.
  "squid -f ~/.claude-bottle/proxy/squid.conf": ["tests/apply/squid.ts", 'setUp(dir, "squid"'],
  "supervise apply check --bottle dev-1": [
    "tests/cli/verbs/apply_test.ts",
    '["apply", "check", "--bottle", "dev-1"]',
  ],
  // With a real engine, after the commands before it.
  "supervise bottle up dev-1": ["tests/container/bottle.ts", "bottle up dev-1"],
  // JSR cannot be reached from every machine: a release is served from this one instead.
  "deno run --no-config jsr:@claude-bottle/supervise@0.1.0/cli launcher > ~/.local/bin/supervise": [
    "tests/cli/command/release_test.ts",
    '"launcher"',
  ],
};
