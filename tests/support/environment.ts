/**
 * The environment of programs that tests start. It does not depend on who runs the tests, or where.
 *
 * @module
 */

/** What a program is given of the caller's environment: what it takes to find programs and modules. */
const PASSED_ON =
  /^(PATH|HOME|TMPDIR|USER|LOGNAME|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS|(DENO|NPM_CONFIG)_\w+)$/i;

/** Options for `Deno.Command`: these variables, and of the caller's only what is passed on. */
export function inEnvironment(
  variables: Readonly<Record<string, string>> = {},
): { readonly clearEnv: true; readonly env: Record<string, string> } {
  const passedOn = Object.entries(Deno.env.toObject()).filter(([name]) => PASSED_ON.test(name));
  return {
    clearEnv: true,
    env: { LANG: "C.UTF-8", ...Object.fromEntries(passedOn), ...variables },
  };
}
