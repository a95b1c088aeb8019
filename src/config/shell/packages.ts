/**
 * Judges what package managers install. Pure.
 *
 * @module
 */

import lists from "./packages.json" with { type: "json" };
import { foldName, VERSION } from "./package_names.ts";
import { operandsOf, optionOf, use } from "./places.ts";
import type { Call } from "./read.ts";
import { directory, findFile, note, noteGuard, show } from "./shell.ts";
import { isOfficialRegistry, noteConfiguration, noteSetting } from "./settings.ts";
import { known, NOTHING, unknown, type Value } from "./value.ts";

const MANAGERS = new Map(
  Object.entries(lists.managers).map(([name, [kind, verbs]]) =>
    [name, { kind: kind!, verbs: verbs!.split(" ") }] as const
  ),
);
const DISTRIBUTIONS = lists.distributions.split(" ");
const TOOLS = new RegExp(lists.tools);
/** The well-known packages of each registry. */
export const POPULAR = new Map(
  Object.entries(lists.popular).map(([kind, names]) => [kind, new Set(names.split(" "))] as const),
);

/** No package has a longer name. */
const MAX_NAME_CHARS = 256;

/** Options of managers that take a value. */
const WITH_VALUE =
  "-r --requirement -c --constraint -o -t --target --target-release --virtual -X --repository --root -p --arch -i --index-url --extra-index-url -f --find-links --index --python --platform --prefix --registry --source -v --version --git --branch --tag --rev --path --features --bindir --install-dir -n --name --channel -w --wheel-dir --with --from --package -d --dest --cache-dir --trusted-host --implementation --abi --only-binary --no-binary --group -G --cwd --filter --proxy --cert --timeout --retries --jobs -j --reinstallroot --setopt --enablerepo --disablerepo --releasever --location --userconfig --loglevel --call --allow-read --import-map";

const REGISTRY_OPTIONS = [
  "-c",
  "-i",
  "--index-url",
  "--extra-index-url",
  "-f",
  "--find-links",
  "--index",
  "--default-index",
  "--registry",
  "-X",
  "--repository",
  "--source",
  "--channel",
  "--repo",
  "--proxy",
  "--index-strategy",
  "--userconfig",
  "--globalconfig",
  "--config",
];

/** The managers that are in this file's charge. */
export function isManager(name: string): boolean {
  return MANAGERS.has(name) || /^pip[\d.]+$/.test(name);
}

/** Options that protect, and whose going is told. */
const PROTECTING =
  /^--(?:require-hashes|ignore-scripts|only-binary|no-index|frozen-lockfile|immutable|locked|frozen|verify-hashes|no-scripts|offline|disallow-root)(?:$|=)/;

/** Judges a command of a package manager. */
export function install(call: Call): Value {
  const { shell, text, words } = call;
  const name = call.name.text.replace(/^pip[\d.]+$/, "pip");
  const { kind, verbs } = MANAGERS.get(name)!;
  const operands = operandsOf(words, WITH_VALUE);
  const inner = /^(?:uv|yarn|bun|deno|pnpm|npm)$/.test(name) &&
      /^(?:pip|tool|global|x)$/.test(operands[0]?.text ?? "")
    ? 1
    : 0;
  const verb = operands[inner]?.text ?? "";
  if (configure(call, operands.slice(inner))) return NOTHING;
  const hasVerb = verbs[0] !== "";
  const isPacman = kind === "pacman" && words.some(({ text }) => verbs.includes(text));
  if (hasVerb && !isPacman && !verbs.includes(verb)) {
    return unknown(`<${text}`);
  }
  noteOptions(call, kind);
  const isRun = name === "npx" || name === "uvx" || name === "bunx" || name === "pnpx" ||
    /^(?:run|exec|x|dlx)$/.test(verb);
  const from = optionOf(words, "--from", "--package", "-p");
  const rest = operands.slice(hasVerb && !isPacman ? inner + 1 : 0);
  const named = isRun ? (from === undefined ? rest.slice(0, 1) : [from]) : rest;
  const isLocalRun = verb === "run" && /^(?:uv|go|deno|poetry|pdm)$/.test(name) &&
    !/:\/\/|^(?:npm|jsr):|@/.test(named[0]?.text ?? "");
  if (isLocalRun || (isRun && /^(?:pnpm|npm|yarn)$/.test(name) && verb === "run")) {
    return unknown(`<${text}`);
  }
  const git = kind === "cargo" ? optionOf(words, "--git") : undefined;
  if (git !== undefined) {
    const rev = optionOf(words, "--rev")?.text ?? "";
    return noteSource(call, `${git.text}${rev === "" ? "" : `@${rev}`}`);
  }
  const noted = shell.acts.length;
  for (const [at] of kind === "pip" ? words.entries() : []) {
    const list = optionOf(words.slice(at, at + 2), "-r", "--requirement");
    if (list !== undefined) noteList(call, `${kind}:-r ${list.text}`, list.text);
  }
  const path = kind === "cargo" || kind === "pip"
    ? optionOf(words, "-e", "--editable", "--path")
    : undefined;
  if (path !== undefined) named.length === 0 ? notePackage(call, kind, path) : undefined;
  const isBare = named.length === 0 && path === undefined &&
    !words.some(({ text }) => /^(?:-r|--requirement)/.test(text));
  if (isBare) noteList(call, `${kind}:${name} ${verb}`, "");
  const version = kind === "gem" || kind === "cargo"
    ? optionOf(words, "-v", "--version", "--vers")
    : undefined;
  const lists = shell.acts.slice(noted).map(({ value }) => value);
  noteProtections(call, [
    ...named.map(({ text }) => `${kind}:${splitVersion(kind, text)[0]}`),
    ...lists,
  ]);
  for (const word of named) {
    notePackage(call, kind, version === undefined ? word : known(`${word.text}@${version.text}`));
  }
  return isRun ? unknown(`<${text}`) : NOTHING;
}

/** Settings of a manager: `npm config set registry URL`. */
function configure(call: Call, operands: readonly Value[]): boolean {
  const { shell, line } = call;
  const [first, second, third, ...more] = operands.map(({ text }) => text);
  const isSet = /^(?:config|set|sources|source|repo|repository)$/.test(first ?? "") ||
    (first === "env" && call.name.text === "go");
  if (!isSet) return false;
  const rest = second === "set" || second === "add" || second === "--add"
    ? [third ?? "", ...more]
    : [second ?? "", third ?? "", ...more];
  if (first === "sources" || first === "repo" || first === "source" || first === "repository") {
    const url = optionOf(call.words, "-a", "--add")?.text ?? rest.at(-1) ?? "";
    noteSetting(shell, line, "registry", known(url || call.text));
    return true;
  }
  const equals = rest[0]?.indexOf("=") ?? -1;
  const [name, value] = equals > 0
    ? [rest[0]!.slice(0, equals), rest[0]!.slice(equals + 1)]
    : [rest[0] ?? "", rest[1] ?? ""];
  const variable = optionOf(call.words, "-w")?.text;
  if (variable !== undefined && first === "env") {
    noteConfiguration(call, variable.split("=")[0]!, known(variable.replace(/^[^=]*=/, "")));
  } else if (first !== "env") noteConfiguration(call, name, known(value));
  return true;
}

function noteOptions(call: Call, kind: string): void {
  const { shell, line, words } = call;
  for (const [index, word] of words.entries()) {
    const [option = "", ...inline] = word.text.split("=");
    if (/^--allow-scripts|^--enable-scripts|^--unsafe-perm|^--allow-root/.test(word.text)) {
      const message = () => `${show(call.text)} would let scripts of packages run`;
      note(shell, line, {
        kind: "protection",
        value: word.text,
        severity: "low",
        rule: "install-scripts",
        message,
      });
    }
    if (!REGISTRY_OPTIONS.includes(option)) continue;
    if (option === "-c" && kind !== "conda") continue;
    if (option === "-f" && kind !== "pip") continue;
    if (/^-[iX]$/.test(option) && !/^(?:pip|apk)$/.test(kind)) continue;
    const value = inline.length > 0 ? inline.join("=") : words[index + 1]?.text ?? "";
    const isLocal = /^(?:\.{0,2}\/|file:)/.test(value) && !value.startsWith("//");
    if (
      isOfficialRegistry(value) || (isLocal && option !== "--userconfig" && option !== "--config")
    ) {
      const message = () => `${show(value)} would be where packages come from, too`;
      if (isLocal) continue;
      note(shell, line, {
        kind: "package",
        value: `${kind} from ${value}`,
        severity: "low",
        rule: "other-registry",
        message,
      });
      continue;
    }
    const message = () => `packages would come from ${show(value)}`;
    note(shell, line, {
      kind: "package",
      value: `${kind} from ${value}`,
      severity: "high",
      rule: "registry-redirect",
      message,
    });
  }
}

/** Notes the options that protect what a command installs. */
function noteProtections({ shell, line, name, words }: Call, what: readonly string[]): void {
  for (const { text } of words) {
    if (!PROTECTING.test(text)) continue;
    const [option = ""] = text.split("=");
    const message = () => `${show(name.text)} would be run without ${show(option)}`;
    const severity = option === "--require-hashes" ? "high" : "low";
    const mark = { severity, rule: "protection-removed", message } as const;
    for (const protects of what) {
      const value = `${option} for ${protects}`;
      noteGuard(shell, { kind: "protection", value, line, mark, protects });
    }
  }
}

function noteList({ shell, line, words }: Call, value: string, path: string): void {
  const hashes = words.some(({ text }) => text === "--require-hashes");
  const file = findFile(shell, path);
  if (path !== "") use(file?.download, "installed from");
  const isRemote = /:\/\//.test(path);
  const severity = isRemote ? "high" : "low";
  const message = () => `the packages of ${show(value)} would be installed`;
  const rule = isRemote ? "package-from-url" : "new-package";
  const found = { severity, rule, message, key: `${directory(shell)} ${hashes}` } as const;
  note(shell, line, { kind: "package", value, ...found });
}

/** A package from an address or a repository. */
function noteSource({ shell, line }: Call, url: string): Value {
  const isPinned = /@[0-9a-f]{40}(?:$|[#&])|#(?:sha256=[0-9a-f]{64}|[0-9a-f]{40}$)/.test(url);
  const [severity, what] = isPinned
    ? ["low" as const, "at one commit or digest"]
    : ["high" as const, "and nothing says which version"];
  const message = () => `${show(url)} would be installed, from no registry, ${what}`;
  note(shell, line, { kind: "package", value: url, severity, rule: "package-from-url", message });
  return NOTHING;
}

/** Whether a word says where else a package comes from: `name@npm:other`, `name@owner/repository`. */
function hasSource(kind: string, word: string): boolean {
  const at = word.indexOf("@", 1);
  return at > 0 && !DISTRIBUTIONS.includes(kind) &&
    (kind === "pip" || !VERSION.test(word.slice(at + 1)));
}

/** The name of a package, its version if one is named exactly, and all that is behind the name. */
function splitVersion(
  kind: string,
  word: string,
): readonly [name: string, version: string, rest: string] {
  if (word.length > MAX_NAME_CHARS) return [word, "", ""];
  const [, before = word, after = ""] =
    kind === "npm" || kind === "cargo" || kind === "go" || kind === "gem" || kind === "deno"
      ? /^(.+?)[@:](?=[^@/]*$)(.*)$/.exec(word) ?? []
      : kind === "rpm"
      ? /^(.+?)-(\d[^/]*)$/.exec(word) ?? []
      : /^([^=<>~!;@ ]+)(?:=|==|===|~=|>=|<=|<|>|~|@|!=)([^=].*)$/.exec(word) ?? [];
  const bare = before.replace(/\[.*\]$/, "");
  const operator = word.slice(before.length, word.length - after.length);
  const isExact = kind === "deb" || kind === "apk"
    ? operator === "=" && /\d/.test(after)
    : kind === "pip" || kind === "conda"
    ? /^={1,3}$/.test(operator) && !/[*,<>]/.test(after)
    : /^=?v?\d+(?:\.\d+)+[-+.\w]*$/.test(after);
  return [foldName(kind, bare), isExact ? after : "", word.slice(bare.length)];
}

function notePackage(call: Call, kind: string, word: Value): void {
  const { shell, line } = call;
  const text = word.text;
  if (
    /^[a-z+]+:\/\/|^git\+|^git@|^(?:github|gitlab|bitbucket|gist):|:\/\/|@(?:git|https?)\b/i.test(
      text,
    )
  ) {
    noteSource(call, text);
    return;
  }
  const file = findFile(shell, text);
  if (file?.download !== undefined) {
    use(file.download, "installed");
    return;
  }
  const isFile = /^(?:\.{0,2}\/|~)|\.(?:whl|deb|rpm|tgz|gz|zip|gem|apk)$|^\.{1,2}$|\*/.test(text);
  if (kind === "npm" && !isFile && /^[\w.-]+\/[\w.-]+(?:#.*)?$/.test(text)) {
    noteSource(call, `github:${text}`);
    return;
  }
  if (!isFile && hasSource(kind, text)) {
    noteSource(call, `${kind} from ${text}`);
    return;
  }
  const [name, version, rest] = isFile ? [text, "", ""] : splitVersion(kind, text);
  const isCurated = DISTRIBUTIONS.includes(kind);
  const pin = { name: `${kind}:${name}`, isPinned: version !== "" };
  const value = `${kind}:${name}${version === "" ? rest : `@${version}`}`;
  const noted = { kind: "package", value, pin } as const;
  const message = (what: string) => () => `${show(value)} would be installed${what}`;
  if (!word.isKnown && !/^[\w@/.-]{2,}(?:==?|@)/.test(text)) {
    const found = { severity: "medium", rule: "unreadable-package", isUnknown: true } as const;
    note(shell, line, { ...noted, ...found, message: message(": nobody can tell what it is") });
    return;
  }
  const resembled = isCurated ? undefined : resembledPackage(kind, name);
  if (resembled !== undefined) {
    const what = `, which is spelled almost like ${show(resembled)}`;
    note(shell, line, {
      ...noted,
      severity: "medium",
      rule: "typosquat-package",
      message: message(what),
    });
  } else if (isCurated && TOOLS.test(name)) {
    const what = ": it opens the network, or gives rights";
    note(shell, line, {
      ...noted,
      severity: "low",
      rule: "network-tool-package",
      message: message(what),
    });
  } else if (
    kind === "pip" &&
      /^(?:ngrok|pyngrok|frp|impacket|pwntools|scapy|paramiko-expect)$/.test(name) ||
    kind === "npm" && /^(?:ngrok|localtunnel|untun)$/.test(name)
  ) {
    const what = ": it opens a way in";
    note(shell, line, { ...noted, severity: "medium", rule: "back-door", message: message(what) });
  } else if (version === "") {
    const what = isFile ? " from a file" : ", and nothing says which version";
    const rule = isFile ? "new-package" : "unpinned-package";
    note(shell, line, { ...noted, severity: "low", rule, message: message(what) });
  } else if (!isCurated) {
    note(shell, line, { ...noted, severity: "low", rule: "new-package", message: message("") });
  } else {
    // A package of the distribution's own, by its version, is known for the comparison alone.
    shell.acts.push({ ...noted, line, key: JSON.stringify([noted.kind, value]) });
  }
}

/** A well-known package from which a name differs in one character, or in two that changed places. */
function resembledPackage(kind: string, name: string): string | undefined {
  const popular = POPULAR.get(kind);
  if (popular === undefined || name.length < 4 || name.length > 64 || popular.has(name)) {
    return undefined;
  }
  for (const other of popular) {
    if (other.length >= 4 && isNear(name, other)) return other;
  }
  return undefined;
}

function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const rest = (text: string, from: number) => text.slice(from);
  if (a.length !== b.length) {
    const [long, short] = a.length > b.length ? [a, b] : [b, a];
    return rest(long, start + 1) === rest(short, start);
  }
  if (rest(a, start + 1) === rest(b, start + 1)) return true;
  return a[start] === b[start + 1] && a[start + 1] === b[start] &&
    rest(a, start + 2) === rest(b, start + 2);
}
