/**
 * `apply.json`: which programs make a bottle's files take effect, and how it is seen that they did.
 *
 * `cli/supervise.sh` runs this file before it starts a verb that applies, to learn what to grant. So it
 * imports nothing, and reads its files itself. It prints three lines: programs, addresses, directories.
 *
 * ```sh
 * deno run --no-prompt --allow-read --allow-sys=uid appliers/config.ts $ROOT/apply.json
 * ```
 *
 * @module
 */

/** A program with its arguments: `{file}`, `{config}`, `{image}` and `{bottle}` are replaced as whole words. */
export interface HookProgram {
  /** The program by its absolute path, then its arguments. No shell reads them. */
  readonly argv: readonly string[];
  /** How long it may take. */
  readonly timeoutMs: number;
}

/** The formats that are built in. */
export type BuiltInRender = "squid" | "tinyproxy" | "pipelock" | "nginx";

/** How it is seen from outside that a change is in force. */
export interface ProbeSettings {
  /** The proxy that enforces the allowlist, `host:port`. */
  readonly proxy?: string;
  /** The address of the credential proxy, `http://host:port`. */
  readonly url?: string;
  /** How many answers in a row must be right. */
  readonly inARow: number;
  /** Within which time. */
  readonly withinMs: number;
  /** A host, or a path, that must always be denied. */
  readonly denied: string;
  /** A host, or a path, that must stay allowed; unless given, one that the change leaves as it is. */
  readonly allowed?: string;
}

/** How one component's file takes effect. */
export interface ComponentSettings {
  /** What makes of the file in force what is read: a format that is built in, or a program. */
  readonly render: BuiltInRender | HookProgram;
  /** The path that the enforcing program reads; none for a Dockerfile, of which an image is built. */
  readonly to?: string;
  /** A file in `private/` with the tokens of routes. */
  readonly tokens?: string;
  /** The enforcing program's own checker. */
  readonly check?: HookProgram;
  /** Makes the enforcing program read its file anew. */
  readonly reload?: HookProgram;
  /** Starts what enforces it, if a change that failed has ended it. */
  readonly start?: HookProgram;
  /** Ends open connections after something was taken away. */
  readonly stopConnections?: HookProgram;
  /** Sees from outside that a change is in force. */
  readonly probe?: ProbeSettings;
}

/** A component of a bottle, by the name of its audit log. */
export type HookComponent = "cred-proxy" | "pipelock" | "rebuild";

/** All components that can have hooks. */
export const HOOK_COMPONENTS: readonly HookComponent[] = ["cred-proxy", "pipelock", "rebuild"];

/** What `apply.json` says. */
export interface ApplyConfig {
  /** The settings of a component of a bottle; `undefined` if nothing is to be done for it. */
  readonly settingsFor: (bottleSlug: string, component: string) => ComponentSettings | undefined;
  /** The programs to grant, by their paths as they are started. */
  readonly programs: readonly string[];
  /** The hosts and ports to grant. */
  readonly addresses: readonly string[];
  /** The directories with what the enforcing programs read. */
  readonly directories: readonly string[];
}

/** Thrown if `apply.json` cannot be used. */
export class ApplyConfigError extends Error {
  /** The class's name. */
  override name = "ApplyConfigError";
}

const MAX_BYTES = 64 * 1024;

const FORMATS: Readonly<Record<HookComponent, readonly string[]>> = {
  "cred-proxy": ["nginx"],
  "pipelock": ["squid", "tinyproxy", "pipelock"],
  "rebuild": [],
};

const PROGRAM_FIELDS = ["check", "reload", "start", "stop_connections"] as const;

/** A program may be written about the file that it needs, and about nothing else in braces. */
const PLACEHOLDERS: readonly string[] = ["{file}", "{config}", "{image}", "{bottle}"];

/** No comma, which would separate two grants, and no part that leads elsewhere than it seems to. */
const PATH = /^(?!.*\/\.{0,2}(?:\/|$))\/[^,\p{Cc}]+$/u;

/** No star, which would grant more than this host. */
const PROXY = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]):[1-9]\d{0,4}$/;

const PROXY_URL = new RegExp(PROXY.source.replace("^", "^http://"));

const HOST = /^[a-z0-9.-]{1,253}$/;

const URL_PATH = /^\/[\x21-\x7e]*$/;

const SLUG = /^(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,62}$/;

/** Where `apply.json` is below a root. */
export function applyConfigPath(root: string): string {
  return `${root}/apply.json`;
}

/**
 * Reads `apply.json`; `undefined` if there is no such file.
 *
 * @throws {ApplyConfigError} As {@linkcode parseApplyConfig} does, and if others may change the file or its
 * directory.
 */
export function readApplyConfig(path: string): ApplyConfig | undefined {
  const refuse = (reason: string) => new ApplyConfigError(`Cannot use ${path}: ${reason}`);
  let text: string;
  try {
    const why = whyOthers(path);
    if (why === "it is not there") return undefined;
    const whyDir = whyOthers(directoryOf(path));
    if (why !== undefined) throw refuse(why);
    if (whyDir !== undefined) throw refuse(`of its directory: ${whyDir}`);
    const { isFile, size } = Deno.statSync(path);
    if (!isFile) throw refuse("it is not a file");
    if (size > MAX_BYTES) throw refuse(`it has ${size} bytes, more than the ${MAX_BYTES} allowed`);
    text = new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof ApplyConfigError) throw error;
    if (error instanceof TypeError) throw refuse("it is not UTF-8");
    const way = error instanceof Deno.errors.NotCapable
      ? "; start this program through cli/supervise.sh"
      : "";
    throw refuse(`it cannot be read (${(error as Error).name})${way}`);
  }
  return parseApplyConfig(text, path);
}

/** Why another account could change what has a path; `undefined` if none can. */
function whyOthers(path: string): string | undefined {
  try {
    const { mode, uid } = Deno.statSync(path);
    if (uid !== Deno.uid() && uid !== 0) return "it belongs to another account; chown it";
    const isSticky = ((mode ?? 0) & 0o1000) !== 0;
    if (((mode ?? 0) & 0o022) === 0 || isSticky) return undefined;
    return `others may change it (mode ${((mode ?? 0) & 0o777).toString(8)}); run chmod go-w on it`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "it is not there";
    throw error;
  }
}

/**
 * Parses `apply.json`. An unknown field is an error: if it were ignored, a misspelled `probe` would prove
 * nothing, and no message would say why.
 *
 * @param text The file's text.
 * @param path What errors call it.
 * @throws {ApplyConfigError} If a field is wrong or unknown; names the file, the field, the way out.
 */
export function parseApplyConfig(text: string, path: string): ApplyConfig {
  const refuse = (field: string, reason: string) => {
    const place = field === "" ? path : `${path}, field ${JSON.stringify(field)}`;
    return new ApplyConfigError(`Cannot use ${place}: ${reason}`);
  };
  type Fields = Readonly<Record<string, unknown>>;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse("", "it is not JSON; supervise apply init prints one");
  }

  function section(at: string, given: unknown, known?: readonly string[]): Fields {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      throw refuse(at, "it is not a JSON object");
    }
    for (const key of Object.keys(given)) {
      if (known === undefined || known.includes(key)) continue;
      const names = known.map((name) => JSON.stringify(name)).join(", ");
      throw refuse(at === "" ? key : `${at}.${key}`, `there is no such field; expected ${names}`);
    }
    return given as Fields;
  }
  /** A text that a pattern matches; `undefined` if there is none. */
  function matching(at: string, given: unknown, pattern: RegExp, expected: string) {
    if (given === undefined) return undefined;
    if (typeof given === "string" && pattern.test(given)) return given;
    throw refuse(at, expected);
  }
  function count(at: string, given: unknown, standard: number, most: number): number {
    if (given === undefined) return standard;
    if (Number.isInteger(given) && given as number >= 1 && given as number <= most) {
      return given as number;
    }
    throw refuse(at, `it is not a whole number from 1 to ${most}`);
  }
  function program(at: string, given: unknown, seconds: number): HookProgram {
    const fields = section(at, given, ["argv", "timeout_seconds"]);
    const { argv } = fields;
    if (!Array.isArray(argv) || !argv.every((word) => typeof word === "string")) {
      throw refuse(`${at}.argv`, "it is not an array of strings: the program, then its arguments");
    }
    matching(`${at}.argv`, argv[0] ?? "", PATH, "write the program's absolute path first");
    for (const word of argv.slice(1)) {
      if (word.includes("\0")) throw refuse(`${at}.argv`, "an argument has a zero byte");
      if (!/\{\w+\}/.test(word) || PLACEHOLDERS.includes(word)) continue;
      throw refuse(
        `${at}.argv`,
        `${JSON.stringify(word)} is replaced by nothing; a whole argument can be ` +
          PLACEHOLDERS.join(", "),
      );
    }
    const timeout = count(`${at}.timeout_seconds`, fields["timeout_seconds"], seconds, 3_600);
    return { argv, timeoutMs: timeout * 1_000 };
  }
  function probe(at: string, given: unknown, name: HookComponent): ProbeSettings {
    const ofHosts = name === "pipelock";
    const own = ofHosts ? "proxy" : "url";
    const fields = section(at, given, [own, "in_a_row", "within_seconds", "denied", "allowed"]);
    const [pattern, expected] = ofHosts
      ? [PROXY, "write host:port"] as const
      : [PROXY_URL, "write http://host:port"] as const;
    const target = matching(`${at}.${own}`, fields[own] ?? "", pattern, expected)!;
    const named = (field: string) =>
      ofHosts
        ? matching(`${at}.${field}`, fields[field], HOST, "write a host in lower case")
        : matching(`${at}.${field}`, fields[field], URL_PATH, 'write a path: put a "/" in front');
    const allowed = named("allowed");
    return {
      ...(ofHosts ? { proxy: target } : { url: target }),
      inARow: count(`${at}.in_a_row`, fields["in_a_row"], 5, 100),
      withinMs: count(`${at}.within_seconds`, fields["within_seconds"], 10, 600) * 1_000,
      denied: named("denied") ?? (ofHosts ? "supervise-canary.invalid" : "/supervise-canary"),
      ...(allowed === undefined ? {} : { allowed }),
    };
  }
  function component(at: string, fields: Fields, name: HookComponent): ComponentSettings {
    const seconds = name === "rebuild" ? 900 : 30;
    const { render } = fields;
    if (render === undefined) throw refuse(`${at}.render`, "it is missing");
    const format = typeof render === "string"
      ? FORMATS[name].find((format) => format === render) as BuiltInRender | undefined
      : program(`${at}.render`, render, seconds);
    if (format === undefined) {
      const formats = FORMATS[name].map((name) => JSON.stringify(name)).join(", ");
      throw refuse(`${at}.render`, `expected a program${formats && ` or one of ${formats}`}`);
    }
    const to = matching(`${at}.to`, fields["to"], PATH, "write an absolute path without a comma");
    if (to === undefined && name !== "rebuild") throw refuse(`${at}.to`, "it is missing");
    const tokens = matching(
      `${at}.tokens`,
      fields["tokens"],
      /^private\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
      'it does not name a file in private; write "private/" and a name',
    );
    const programs = Object.fromEntries(
      PROGRAM_FIELDS.filter((field) => fields[field] !== undefined).map((field) => [
        field === "stop_connections" ? "stopConnections" : field,
        program(`${at}.${field}`, fields[field], seconds),
      ]),
    );
    return {
      render: format,
      ...(to === undefined ? {} : { to }),
      ...(tokens === undefined ? {} : { tokens }),
      ...programs,
      ...(fields["probe"] === undefined
        ? {}
        : { probe: probe(`${at}.probe`, fields["probe"], name) }),
    };
  }

  const top = section("", value, [...HOOK_COMPONENTS, "bottles"]);
  const bottles = section("bottles", top["bottles"] ?? {});
  const found = new Map<string, ComponentSettings>();
  for (const name of HOOK_COMPONENTS) {
    const known = [
      "render",
      ...(name === "rebuild" ? [] : ["to"]),
      ...(name === "cred-proxy" ? ["tokens"] : []),
      ...PROGRAM_FIELDS,
      ...(name === "rebuild" ? [] : ["probe"]),
    ];
    const general = section(name, top[name] ?? {}, known);
    if (top[name] !== undefined) found.set(name, component(name, general, name));
    for (const slug of Object.keys(bottles)) {
      const at = `bottles.${slug}`;
      if (!SLUG.test(slug)) throw refuse(at, "it is not the name of a bottle");
      const own = section(at, bottles[slug], HOOK_COMPONENTS)[name];
      if (own === undefined) continue;
      const fields = { ...general, ...section(`${at}.${name}`, own, known) };
      found.set(`${slug}/${name}`, component(`${at}.${name}`, fields, name));
    }
  }
  const all = [...found.values()];
  const programs = all.flatMap(({ render, check, reload, start, stopConnections }) =>
    [render, check, reload, start, stopConnections].flatMap((program) =>
      typeof program === "object" ? [program.argv[0]!] : []
    )
  );
  const addresses = all.flatMap(({ probe }) =>
    [probe?.proxy, probe?.url?.slice("http://".length)].filter((one) => one !== undefined)
  );
  const directories = all.flatMap(({ to }) => to === undefined ? [] : [directoryOf(to)]);
  return {
    settingsFor: (slug, name) => found.get(`${slug}/${name}`) ?? found.get(name),
    programs: [...new Set(programs)],
    addresses: [...new Set(addresses)],
    directories: [...new Set(directories)],
  };
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** What the launcher grants. */
export interface ApplyGrants {
  /** Programs, addresses and directories, each joined by commas; empty for a file that cannot be used. */
  readonly lines: readonly [string, string, string];
  /** What of it another account could replace, so that nothing is granted. */
  readonly problem?: string;
}

/**
 * Works out what to grant. The command line may not look at the programs, so what is wrong with one is said
 * here; what is wrong with the file itself the command line says.
 */
export function grantsIn(path: string): ApplyGrants {
  const nothing = { lines: ["", "", ""] } as const;
  let config: ApplyConfig | undefined;
  try {
    config = readApplyConfig(path);
  } catch {
    return nothing;
  }
  if (config === undefined) return nothing;
  const { programs, addresses, directories } = config;
  for (const named of [...programs, ...directories]) {
    const why = whyOthers(named) ?? whyOthers(directoryOf(named));
    if (why === undefined) continue;
    return { ...nothing, problem: `Cannot use ${path}: it names ${named}: ${why}` };
  }
  // Deno checks some calls against the path behind the links.
  const readable = new Set(directories.flatMap((dir) => [dir, Deno.realPathSync(dir)]));
  return { lines: [programs.join(","), addresses.join(","), [...readable].join(",")] };
}

if (import.meta.main) {
  const { lines, problem } = grantsIn(Deno.args[0] ?? "");
  console.log(lines.join("\n"));
  if (problem !== undefined) console.error(problem);
}
