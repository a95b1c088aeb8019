/**
 * Finds secrets in a Dockerfile, by the names of variables and the forms of tokens. Pure.
 *
 * @module
 */

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
  [
    "a key in a credentials file",
    /(?:aws_secret_access_key|_authToken|client_secret)["']?[\t ]*[=:][\t ]*["']?[^\s"'$\\=:]{8}/i,
  ],
  ["a private key", /-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----/],
  ["a password in a URL", /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'$]{0,80}:[^\s/@"'$]{3,200}@/],
];

/** Whether a variable holds a secret, by its name and value. */
export function isSecret(name: string, value: string): boolean {
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

/** A text with each known token cut to its kind. */
export function hideTokens(text: string): string {
  return TOKEN_FORMS.reduce(
    (hidden, [kind, form]) =>
      hidden.replace(new RegExp(`(?:${form.source})\\S*`, "g"), `(${kind})`),
    text,
  );
}
