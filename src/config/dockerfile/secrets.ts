/**
 * Finds secrets in a Dockerfile, by the names of variables and the forms of tokens. Pure.
 *
 * @module
 */

import { pairWords } from "./words.ts";

/** Usual names of variables that hold a secret. */
const SECRET_NAME =
  /(?:^|_)(?:TOKEN|KEY|PASS|PASSWD|CREDENTIALS?)$|PASSWORD|PASSPHRASE|SECRET|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY/i;

/** Names that only look like it: the place of a secret, and public keys. */
const HARMLESS_NAME = /_(?:FILE|PATH|DIR|URL|ID|NAME)$|PUBLIC|GPG_KEY|PUBKEY/i;

/** Values that are no secret: a variable, a file's path, a switch. */
const HARMLESS_VALUE = /^(?:\$(?:\w+|\{\w+(?::?-)?\})|[.~]?\/.*|true|false|yes|no|on|off|[01])$/i;

/** How tokens begin, according to the documentation of their issuers. */
const TOKEN_FORMS: readonly (readonly [kind: string, form: RegExp])[] = [
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{20}|github_pat_[A-Za-z0-9_]{20})/],
  ["a GitLab token", /\bglpat-[A-Za-z0-9_-]{16}/],
  ["an Anthropic key", /\bsk-ant-[A-Za-z0-9_-]{16}/],
  ["an API key", /\bsk-[A-Za-z0-9_-]{32}|\b[rs]k_live_[A-Za-z0-9]{16}/],
  ["an AWS key", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a Google key", /\bAIza[A-Za-z0-9_-]{32}/],
  ["an npm token", /\bnpm_[A-Za-z0-9]{30}/],
  ["a PyPI token", /\bpypi-[A-Za-z0-9_-]{32}/],
  ["a Slack token", /\bxox[abeoprs]-[A-Za-z0-9-]{10}/],
  ["a Hugging Face token", /\bhf_[A-Za-z0-9]{30}/],
  ["a JSON web token", /\beyJ[A-Za-z0-9_-]{8,400}\.eyJ[A-Za-z0-9_-]{8}/],
  ["a private key", /-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----/],
  ["a password in a URL", /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'$]{0,80}:[^\s/@"'$]{3,200}@/],
];

/** A variable that gets a value, without quotes around it; `at` is the index of its name. */
interface Assignment {
  readonly name: string;
  readonly value: string;
  readonly at: number;
}

/** Reads the variables that the arguments of an ENV or ARG set. */
export function readAssignments(args: string, escape: string): readonly Assignment[] {
  const words = pairWords(args, escape);
  const unquoted = (text: string) => text.replace(/^(["'])(.*)\1$/s, "$2");
  const [name = ""] = words;
  // ENV NAME the rest of the line
  if (words.length > 1 && !name.includes("=")) {
    return [{ name, value: unquoted(args.slice(name.length).trim()), at: 0 }];
  }
  const assignments: Assignment[] = [];
  let from = 0;
  for (const word of words) {
    const at = args.indexOf(word, from);
    from = at + word.length;
    const equals = word.indexOf("=");
    if (equals < 1) continue;
    const value = unquoted(word.slice(equals + 1));
    assignments.push({ name: unquoted(word.slice(0, equals)), value, at });
  }
  return assignments;
}

export function isSecret({ name, value }: Assignment): boolean {
  return value !== "" && SECRET_NAME.test(name) && !HARMLESS_NAME.test(name) &&
    !HARMLESS_VALUE.test(value);
}

interface KnownToken {
  /** Such as `a GitHub token`. */
  readonly kind: string;
  readonly at: number;
  /** Its beginning, which differs from those of other tokens. Do not show it. */
  readonly form: string;
}

/** Finds the first token of each known form. Takes time linear in the text. */
export function findTokens(text: string): readonly KnownToken[] {
  return TOKEN_FORMS.flatMap(([kind, form]) => {
    const match = form.exec(text);
    return match === null ? [] : [{ kind, at: match.index, form: match[0] }];
  });
}
