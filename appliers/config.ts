/**
 * `apply.json`: which programs make a bottle's files take effect, and how it is seen that they did.
 *
 * `cli/supervise.sh` runs this file before it starts a verb that applies, to learn what to grant. So it
 * imports nothing, and reads its files itself. It prints a line for each grant: `run` and a program, `net`
 * and an address, `use` and a directory.
 *
 * ```sh
 * deno run --no-prompt --allow-read=$ROOT/apply.json --allow-run=/bin/ls --allow-sys=uid \
 *   appliers/config.ts $ROOT/apply.json
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
  /** Starts the bottle anew on the image, once its agent has been answered. */
  readonly afterAnswer?: HookProgram;
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
  /** What the enforcing programs read, one for each setting that names it. */
  readonly files: readonly string[];
}

/** Thrown if `apply.json` cannot be used. */
export class ApplyConfigError extends Error {
  /** The class's name. */
  override name = "ApplyConfigError";
}

const MAX_BYTES = 64 * 1024;

/** Looks at paths. Deno itself may look at `/` only with a grant to read every file. */
const LS = "/bin/ls";

const MOST_LINKS = 40;

const FORMATS: Readonly<Record<HookComponent, readonly string[]>> = {
  "cred-proxy": ["nginx"],
  "pipelock": ["squid", "tinyproxy", "pipelock"],
  "rebuild": [],
};

/** Where a program may be named, and what the settings call it. */
const PROGRAM_FIELDS: Readonly<Record<string, string>> = {
  check: "check",
  reload: "reload",
  start: "start",
  stop_connections: "stopConnections",
  after_answer: "afterAnswer",
};

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
 * Needs to read the file, to run `/bin/ls`, and to know its own account.
 *
 * @throws {ApplyConfigError} As {@linkcode parseApplyConfig} does, if others may change or replace the file, a
 * program or the directory of a rendered file, and if two settings would write one file.
 */
export function readApplyConfig(path: string): ApplyConfig | undefined {
  return readWithDirectories(path)?.config;
}

/** Reads `apply.json`, and the directories that it names, each with the one behind its links. */
function readWithDirectories(path: string) {
  const refuse = (reason: string) => new ApplyConfigError(`Cannot use ${path}: ${reason}`);
  try {
    const file = statOf(path);
    if (file === undefined) return undefined;
    requireOwn(path);
    const { isFile, size } = file;
    if (!isFile) throw refuse("it is not a file");
    if (size > MAX_BYTES) throw refuse(`it has ${size} bytes, more than the ${MAX_BYTES} allowed`);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path));
    const config = parseApplyConfig(text, path);
    // The launcher's grant is for what is here now: the start of a verb must not find another program.
    for (const program of config.programs) requireOwn(program);
    const directories = new Set<string>();
    const taken = new Map<string, string>();
    for (const to of config.files) {
      const directory = directoryOf(to);
      const real = requireOwn(directory);
      if (!PATH.test(`${real}/x`)) {
        throw refuse(`no grant can hold ${real}, where ${directory} leads`);
      }
      directories.add(directory).add(real);
      // What hooks.ts writes beside it, and reads there. Some disks take "A" for "a".
      for (const suffix of ["", ".next", ".base"]) {
        const file = `${real}/${to.slice(to.lastIndexOf("/") + 1)}${suffix}`.toLowerCase();
        const other = taken.get(file);
        if (other !== undefined) {
          throw refuse(`${other} and ${to} need one file, ${file}; name another "to" for one`);
        }
        taken.set(file, to);
      }
    }
    return { config, directories };
  } catch (error) {
    if (error instanceof ApplyConfigError) throw error;
    if (error instanceof TypeError) throw refuse("it is not UTF-8");
    const { name, message } = error as Error;
    if (name === "Error") throw refuse(message);
    const way = error instanceof Deno.errors.NotCapable
      ? "; start this program through cli/supervise.sh"
      : "";
    throw refuse(`it cannot be read (${name})${way}`);
  }
}

/**
 * Finds the real path of what no other account can change or replace: neither it, nor a directory or a link on
 * the way to it. A sticky directory on the way is one in which others cannot replace what is not theirs.
 *
 * @throws {Error} If others can; names what they can change.
 */
export function requireOwn(path: string): string {
  let at = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  for (let links = 0; links <= MOST_LINKS; links++) {
    const parts = at.split("/").filter((part) => part !== "");
    const ways = ["/", ...parts.map((_, n) => `/${parts.slice(0, n + 1).join("/")}`)];
    const rows = listed(ways, path);
    const link = rows.findIndex((row) => row.startsWith("l"));
    for (const [n, row] of rows.slice(0, link + 1 || rows.length).entries()) {
      const [, kind, group, others, sticky, uid] =
        /^(.).{4}(.)..(.)(.)\S* +\d+ +(\d+) /.exec(row) ?? [];
      const why = (reason: string) => new Error(`${path} is not safe to use: ${ways[n]} ${reason}`);
      if (uid !== "0" && uid !== `${Deno.uid()}`) throw why("belongs to another account; chown it");
      const isExcused = kind === "l" ||
        kind === "d" && /t/i.test(sticky!) && n < rows.length - 1;
      if (isExcused || group !== "w" && others !== "w") continue;
      throw why(`can be changed by others (${row.slice(0, 10)}); run chmod go-w on it`);
    }
    if (link === -1) {
      const real: string[] = [];
      for (const part of parts) part === ".." ? real.pop() : part === "." || real.push(part);
      return `/${real.join("/")}`;
    }
    const mark = ` ${ways[link]} -> `;
    const to = rows[link]!.slice(rows[link]!.indexOf(mark) + mark.length);
    at = [...(to.startsWith("/") ? [] : [ways[link - 1]]), to, ...parts.slice(link)].join("/");
  }
  throw new Error(`${path} has more than ${MOST_LINKS} links on its way`);
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A row of `ls` for each path: every one is the start of the next, so sorted they stay in order. */
function listed(paths: readonly string[], named: string): readonly string[] {
  const { success, stdout } = new Deno.Command(LS, {
    args: ["-ldn", "--", ...paths],
    clearEnv: true,
    stdin: "null",
    stderr: "null",
  }).outputSync();
  const rows = new TextDecoder().decode(stdout).split("\n").slice(0, -1);
  if (!success) throw new Error(`${named} is not there`);
  if (rows.length === paths.length) return rows;
  throw new Error(`${named} leads through a link with a line break`);
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
      Object.entries(PROGRAM_FIELDS).filter(([field]) => fields[field] !== undefined)
        .map(([field, key]) => [key, program(`${at}.${field}`, fields[field], seconds)]),
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
      // An image has no connections, and a proxy keeps no agent from its answer.
      ...Object.keys(PROGRAM_FIELDS).filter((field) =>
        field !== (name === "rebuild" ? "stop_connections" : "after_answer")
      ),
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
  const programs = all.flatMap(({ render, check, reload, start, stopConnections, afterAnswer }) =>
    [render, check, reload, start, stopConnections, afterAnswer].flatMap((program) =>
      typeof program === "object" ? [program.argv[0]!] : []
    )
  );
  const addresses = all.flatMap(({ probe }) =>
    [probe?.proxy, probe?.url?.slice("http://".length)].filter((one) => one !== undefined)
  );
  return {
    settingsFor: (slug, name) => found.get(`${slug}/${name}`) ?? found.get(name),
    programs: [...new Set(programs)],
    addresses: [...new Set(addresses)],
    files: all.flatMap(({ to }) => to ?? []),
  };
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The lines that the launcher reads. For a file that cannot be used, the command line says what is wrong. */
export function grantsIn(path: string): readonly string[] {
  const look = `run ${LS}`;
  try {
    const found = readWithDirectories(path);
    if (found === undefined) return [look];
    const { config: { programs, addresses }, directories } = found;
    return [
      look,
      ...programs.map((program) => `run ${program}`),
      ...addresses.map((address) => `net ${address}`),
      // Deno checks some calls against the path behind the links.
      ...[...directories].map((directory) => `use ${directory}`),
    ];
  } catch {
    return [look];
  }
}

if (import.meta.main) console.log(grantsIn(Deno.args[0] ?? "").join("\n"));
