/**
 * Renders the credential proxy's routes into locations of nginx. Pure.
 *
 * @module
 */

import { quote, readRoutes } from "../internal_mod.ts";
import { ApplyError, validateRoutes } from "../mod.ts";

/** A route of a valid `routes.json`. */
export interface PlainRoute {
  readonly path: string;
  readonly upstream: string;
  readonly auth_scheme?: string;
  readonly token_ref?: string;
  readonly token_env?: string;
}

/** The tokens that routes name: by field, then by name. */
export type Tokens = Readonly<
  Partial<Record<"token_ref" | "token_env", Readonly<Record<string, string>>>>
>;

/**
 * The routes of a file, in its order.
 *
 * @throws {ApplyError} If the file is not valid.
 */
export function routesOf(text: string): readonly PlainRoute[] {
  const [problem] = validateRoutes(text);
  if (problem !== undefined) {
    throw new ApplyError("render", `routes.json, ${problem.where}: ${problem.message}`);
  }
  return (JSON.parse(text) as { readonly routes: readonly PlainRoute[] }).routes;
}

/**
 * A value for nginx's configuration.
 *
 * @param what What errors call it; never the value, which may be a secret.
 * @throws {ApplyError} If nginx would take a part of it for something else.
 */
function plain(what: string, value: string): string {
  const found = /[$;{}"\\\p{Cc}\p{Cs}]/u.exec(value)?.[0];
  if (found === undefined) return value;
  const named = /\p{C}/u.test(found) ? "a control character" : found;
  throw new ApplyError("render", `${what} has ${named} in it, which nginx cannot take as it is`);
}

/** The Authorization header of a route; `undefined` if it sends none. */
function credentialOf(route: PlainRoute, tokens: Tokens): string | undefined {
  const { path, auth_scheme: scheme } = route;
  if (scheme === undefined) return undefined;
  const field = route.token_ref === undefined ? "token_env" : "token_ref";
  const name = route[field]!;
  const named = tokens[field];
  const token = named !== undefined && Object.hasOwn(named, name) ? named[name] : undefined;
  if (token === undefined) {
    const reason = `the file with tokens has no ${field} ${quote(name)}, for ${quote(path)}`;
    throw new ApplyError("render", reason);
  }
  const written = plain(`the scheme of ${quote(path)}`, scheme);
  return `${written} ${plain(`${field} ${quote(name)}`, token)}`;
}

/**
 * Writes locations for the `server` of nginx that is the credential proxy. The longest path that a request
 * begins with decides, for nginx as for us, and what follows it is asked of the upstream.
 *
 * An upstream with https must show a certificate for its name, and the server must name who is trusted
 * (`proxy_ssl_trusted_certificate`): nginx would send the token to anybody else.
 *
 * @param text The file's text.
 * @param tokens The tokens. They are in what this gives: nobody else may read it.
 * @throws {ApplyError} If the file is not valid, a token is missing, or nginx cannot take a value as it is.
 */
export function renderForNginx(text: string, tokens: Tokens): string {
  const valid = routesOf(text);
  const { routes, keys } = readRoutes(text);
  const other = [...keys, ...routes.flatMap((route) => route.keys)].find(({ isComment }) =>
    !isComment
  );
  if (other !== undefined) {
    // A reader of the file would take it for a limit.
    throw new ApplyError("render", `nginx would not obey ${quote(other.item.value)}: remove it`);
  }
  return valid.map((route) => {
    const named = quote(route.path);
    const path = plain(`the path ${named}`, route.path);
    const upstream = plain(`the upstream of ${named}`, route.upstream);
    const refuse = (reason: string) => new ApplyError("render", `${named} ${reason}`);
    if (!path.endsWith("/")) {
      throw refuse(
        "does not end with a slash: nginx would join what follows it to the upstream's path",
      );
    }
    if (path.includes("%")) throw refuse("has an escape, and nginx compares paths without escapes");
    // Behind a bare "?" nginx would put what follows the path into a query.
    if (upstream.includes("?")) throw refuse("leads to an upstream with a query");
    const { protocol } = new URL(upstream);
    const credential = credentialOf(route, tokens);
    const lines = [
      `proxy_pass "${upstream}${upstream.endsWith("/") ? "" : "/"}";`,
      // A location that sets one header inherits none of the server's: no token of another route.
      "proxy_set_header Host $proxy_host;",
      ...(credential === undefined ? [] : [`proxy_set_header Authorization "${credential}";`]),
      ...(protocol === "https:"
        ? ["proxy_ssl_server_name on;", "proxy_ssl_verify on;", "proxy_ssl_verify_depth 5;"]
        : []),
    ];
    return `location ^~ "${path}" {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
  }).join("");
}
