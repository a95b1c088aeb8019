/**
 * A registry like JSR on the loopback interface, with this package and the stand-ins for `@std`. Deno asks
 * it, with `JSR_URL`, as it asks JSR.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { sha256Hex } from "../../mod.ts";
import { filesOf } from "./checkout.ts";
import { REPO } from "./run.ts";
import { join } from "@std/path";

/** A registry that runs. */
export interface Registry extends AsyncDisposable {
  /** What `JSR_URL` has to be. */
  readonly url: string;
}

interface Package {
  readonly version: string;
  readonly exports: unknown;
  /** Its files, by their paths from a slash on. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

const IMPORTS: Readonly<Record<string, string>> = config.imports;

const SPECIFIER = /((?:from|import)\s*\(?\s*")([^".][^"]*)(")/g;

/** `deno publish` writes what the import map says into the files, as in a release there is no map. */
function unfurled(source: string): string {
  return source.replace(SPECIFIER, (whole, before, specifier: string, after) => {
    const name = Object.keys(IMPORTS).find((name) => `${specifier}/`.startsWith(`${name}/`));
    if (name === undefined) return whole;
    return before + IMPORTS[name] + specifier.slice(name.length) + after;
  });
}

function readPackage(folder: string, isExcluded: (file: string) => boolean): [string, Package] {
  const { name, version, exports } = JSON.parse(
    Deno.readTextFileSync(join(REPO, folder, "deno.json")),
  ) as { name: string; version: string; exports: unknown };
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const file of filesOf(folder)) {
    const path = file.slice(folder.length);
    if (isExcluded(path)) continue;
    const bytes = Deno.readFileSync(join(REPO, file));
    const isSource = file.endsWith(".ts");
    const text = isSource ? unfurled(new TextDecoder().decode(bytes)) : undefined;
    files.set(`/${path}`, text === undefined ? bytes : new TextEncoder().encode(text));
  }
  const all = typeof exports === "string" ? { ".": exports } : exports;
  return [name, { version, exports: all, files }];
}

function answer(packages: ReadonlyMap<string, Package>, path: string): Response {
  const [, name = "", rest = ""] = /^\/(@[^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
  const found = packages.get(name);
  if (found === undefined) return new Response("", { status: 404 });
  const { version, exports, files } = found;
  if (rest === "meta.json") {
    const [scope, short] = name.slice(1).split("/");
    return Response.json({ scope, name: short, latest: version, versions: { [version]: {} } });
  }
  if (rest === `${version}_meta.json`) {
    const manifest = Object.fromEntries(
      Array.from(files, ([path, bytes]) => {
        return [path, { size: bytes.length, checksum: `sha256-${sha256Hex(bytes)}` }];
      }),
    );
    return Response.json({ manifest, exports });
  }
  const file = rest.startsWith(`${version}/`) ? files.get(rest.slice(version.length)) : undefined;
  if (file === undefined) return new Response("", { status: 404 });
  const type = rest.endsWith(".ts") ? "text/typescript" : "application/octet-stream";
  return new Response(file, { headers: { "content-type": type } });
}

/** Starts a registry that has what `deno publish` would send to JSR. */
export function startRegistry(): Registry {
  const { publish: { exclude }, links } = config;
  const isExcluded = (file: string) =>
    [...exclude, "links"].some((name) => `${file}/`.startsWith(`${name}/`));
  const packages = new Map([
    readPackage("", isExcluded),
    ...links.map((link) => readPackage(`${link.slice("./".length)}/`, () => false)),
  ]);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answer(packages, new URL(request.url).pathname),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
