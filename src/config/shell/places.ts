/**
 * Judges what scripts do to files, modes, owners and users. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import lists from "./paths.json" with { type: "json" };
import type { Call } from "./read.ts";
import {
  addDownload,
  type Download,
  findFile,
  nameOf,
  note,
  noteGuard,
  prove,
  resolvePath,
  type Shell,
  show,
} from "./shell.ts";
import { isLess, judgeContent, judgeFlag, whatOf } from "./settings.ts";
import { NOTHING, spell, unknown, type Value } from "./value.ts";

const PLACES = lists.places.map(([form, rule, severity, what]) => ({
  form: new RegExp(form!),
  rule: rule!,
  severity: severity as Mark["severity"],
  what: what!,
}));
const CACHES = new RegExp(lists.caches);
const RISKY = new RegExp(lists.risky);

/** Longer modes and scripts of `sed` are not worked out. */
const MAX_MODE_CHARS = 512;

/** Directories that belong to the system. */
const SYSTEM =
  /^\/(?:$|(?:etc|usr|bin|sbin|lib|lib64|boot|root|proc|sys|dev|var\/run|run)(?:\/|$))/;

/** Groups whose members can become root. */
const STRONG_GROUPS =
  /^(?:root|0|sudo|wheel|admin|docker|podman|disk|shadow|lxd|libvirt|kvm|adm|staff)$/;

/** Gives the words of a command that are neither options nor values of options. */
export function operandsOf(words: readonly Value[], withValue = ""): readonly Value[] {
  const takes = new Set(withValue.split(" "));
  const found: Value[] = [];
  for (let at = 0; at < words.length; at++) {
    const { text } = words[at]!;
    if (text === "--") return [...found, ...words.slice(at + 1)];
    if (!text.startsWith("-") || text === "-") found.push(words[at]!);
    else if (takes.has(text) || (/^-\w+$/.test(text) && takes.has(`-${text.at(-1)}`))) at++;
  }
  return found;
}

/** The value of an option, in each of its spellings. */
export function optionOf(words: readonly Value[], ...names: readonly string[]): Value | undefined {
  for (const [index, word] of words.entries()) {
    for (const name of names) {
      if (word.text === name) return words[index + 1] ?? NOTHING;
      const isLong = name.startsWith("--");
      if (isLong && word.text.startsWith(`${name}=`)) {
        return { ...word, text: word.text.slice(name.length + 1) };
      }
      if (isLong || !/^-\w/.test(word.text) || word.text.startsWith("--")) continue;
      const at = word.text.indexOf(name.slice(1));
      if (at < 1 || !/^-[a-zA-Z]+$/.test(word.text.slice(0, at + 1))) continue;
      const rest = word.text.slice(at + name.length - 1);
      return rest === "" ? words[index + 1] ?? NOTHING : { ...word, text: rest };
    }
  }
  return undefined;
}

/** Notes that something from the network is used; what was compared with a digest is trusted. */
export function use(download: Download | undefined, how: string): void {
  if (download?.checked === "") download.uses.add(how);
}

/** A path, and the file that it adds to if it is in a directory beside one: `doas.d/x` to `doas.conf`. */
export function filesOf(path: string): readonly string[] {
  const at = path.lastIndexOf(".d/");
  const file = path.slice(0, at);
  return at < 0 ? [path] : [path, file, `${file}.conf`, `${file}.ini`, `${file}.toml`];
}

function judgePlace(path: string) {
  const found = filesOf(path).map((file) => PLACES.find(({ form }) => form.test(file)));
  return found.find((place) => place !== undefined && place.rule !== "") ?? found[0];
}

/** Notes settings in a file that lower a check, move a source, or name what is loaded. */
export function noteContent(shell: Shell, line: number, path: string, text: string): boolean {
  const lines = judgeContent(text);
  if (lines.length === 0) return false;
  const { rule } = lines[0]!;
  const message = () => `${show(path)} would be written: ${whatOf(rule)}`;
  const found = {
    kind: "file",
    value: path,
    key: nameOf(shell, lines.map((found) => found.line).join("\n")),
  } as const;
  note(shell, line, { ...found, severity: "medium", rule, message });
  return true;
}

/** Notes that a command writes a file, and remembers what is in it. */
export function writeFile(call: Call, path: string, value: Value, appends: boolean): void {
  const { shell, line, text } = call;
  const place = resolvePath(shell, path);
  const before = shell.files.get(place);
  const content = appends && before !== undefined
    ? unknown(before.value.text + value.text, before.value)
    : value;
  const download = value.network === undefined
    ? appends ? before?.download : undefined
    : addDownload(shell, line, value.network, place);
  shell.files.set(place, { value: content, ...(download && { download }) });
  const found = judgePlace(place);
  if (found?.rule === "") return;
  const written = {
    value: place,
    key: JSON.stringify([nameOf(shell, text), nameOf(shell, value.text), appends]),
    kind: "file",
  } as const;
  if (found === undefined) {
    if (noteContent(shell, line, place, value.text)) return;
    // A file that is replaced may have protected; lines behind its own take nothing.
    if (appends && value.isKnown && isLess(value.text)) return;
    const message = () => `${show(place)} would be written`;
    if (value.network === undefined) {
      note(shell, line, { ...written, severity: "low", rule: "new-file", message });
    }
    return;
  }
  if (found.rule === "registry-redirect" && /\bsigned-by=\S/.test(value.text)) {
    const isFine = value.isKnown && !judgeFlag(value.text) && !/http:\/\//.test(value.text);
    if (isFine) {
      const [, key = ""] = /\bsigned-by=([^\s\]]+)/.exec(value.text) ?? [];
      const isFetched = findFile(shell, key)?.download?.checked === "";
      const [severity, rule, how] = isFetched
        ? ["medium", "trust-anchor", "that nothing was compared with"] as const
        : ["low", "apt-key-scoped", "of its own"] as const;
      const message = () => `packages of another source would be trusted, by a key ${how}`;
      note(shell, line, { ...written, severity, rule, message });
      return;
    }
  }
  const off = judgeFlag(value.text);
  if (off !== undefined) {
    const message = () => `${show(place)} would be written: ${off}`;
    note(shell, line, { ...written, severity: "high", rule: "verification-off", message });
    return;
  }
  const { rule, severity, what } = found;
  note(shell, line, {
    ...written,
    severity,
    rule,
    message: () => `${show(place)} would be written: it ${what}`,
  });
}

type Handler = (call: Call) => Value | undefined;

function told(
  call: Call,
  kind: "privilege" | "command" | "protection" | "file",
  severity: Mark["severity"],
  rule: string,
  what: string,
): void {
  const message = () => `${show(call.text)} ${what}`;
  note(call.shell, call.line, { kind, value: call.text, severity, rule, message });
}

function protect(call: Call, severity: Mark["severity"] = "medium"): void {
  const message = () => `${show(call.text)} protects, and would not be run any more`;
  const mark = { severity, rule: "hardening-removed", message } as const;
  noteGuard(call.shell, { kind: "protection", value: call.text, line: call.line, mark });
}

function changeMode(call: Call): Value {
  const { shell, words } = call;
  const isReference = words.some(({ text }) => text.startsWith("--reference"));
  const [mode = NOTHING, ...files] = words.filter(({ text }) => !/^-[RcfvhHLP]+$|^--/.test(text));
  const paths = files.map(({ text }) => resolvePath(shell, text));
  const octal = /^[0-7]{1,5}$/.test(mode.text) ? parseInt(mode.text, 8) : undefined;
  const clauses = mode.text.slice(0, MAX_MODE_CHARS).split(",");
  const isSymbolic = clauses.every((clause) => /^[ugoa]*(?:[-+=][rwxXst]*)+$/.test(clause));
  if (
    isReference || !mode.isKnown || mode.text.length > MAX_MODE_CHARS ||
    (octal === undefined && !isSymbolic)
  ) {
    told(call, "privilege", "medium", "unreadable-mode", "sets a mode that cannot be worked out");
    return NOTHING;
  }
  const gives = (who: RegExp, what: RegExp) =>
    clauses.some((clause) =>
      [...clause.matchAll(/([ugoa]*)[+=]([rwxXst]+)/g)].some(([, whom = "", bits = ""]) =>
        (whom === "" || who.test(whom)) && what.test(bits)
      )
    );
  const isSetuid = octal === undefined ? gives(/[uga]/, /s/) : (octal & 0o6000) !== 0;
  const isOpen = octal === undefined
    ? gives(/[oa]/, /w/) && !clauses.every((clause) => clause.startsWith("+"))
    : (octal & 0o002) !== 0;
  const isSticky = octal !== undefined && (octal & 0o1000) !== 0;
  const isRun = octal === undefined ? gives(/[ugoa]/, /[xX]/) : (octal & 0o111) !== 0;
  const isSecret =
    paths.some((path) => /^\/etc\/g?shadow|\.ssh\/|\/secrets?\/|id_rsa|\.pem$|\.key$/.test(path)) &&
    (octal === undefined ? gives(/[oa]/, /r/) : (octal & 0o044) !== 0);
  if (isSetuid) {
    told(
      call,
      "privilege",
      "high",
      "privilege-escalation",
      "would have programs run as their owner",
    );
  } else if (isOpen && !isSticky && !paths.every((path) => path.startsWith("/tmp"))) {
    const isSystem = paths.some((path) => SYSTEM.test(path) || /docker\.sock|[/]s?bin/.test(path));
    const severity = isSystem ? "high" : "low";
    told(call, "privilege", severity, "privilege-escalation", "would have anybody write there");
  } else if (isSecret) {
    told(call, "privilege", "medium", "privilege-escalation", "would have anybody read a secret");
  } else if (!isRun && paths.some((path) => judgePlace(path)?.rule === "firewall-removed")) {
    told(
      call,
      "protection",
      "medium",
      "firewall-removed",
      "would keep what may protect from running",
    );
  } else if (octal === undefined && /-[rwx]*[sw]/.test(mode.text)) protect(call);
  if (isRun) { for (const path of paths) use(findFile(shell, path)?.download, "made executable"); }
  return NOTHING;
}

function changeOwner(call: Call): Value {
  const [owner = NOTHING, ...files] = operandsOf(call.words, "--from");
  const isRoot = /^(?:root|0)?(?::(?:root|0)?)?$/.test(owner.text);
  const paths = files.map(({ text }) => resolvePath(call.shell, text));
  if (
    !isRoot &&
    paths.some((path) => SYSTEM.test(path) || /(?:^|\/)s?bin(?:\/|$)|docker\.sock/.test(path))
  ) {
    told(call, "privilege", "high", "privilege-escalation", "would give files of the system away");
  }
  return NOTHING;
}

/** What can be removed without a word: caches, and what the scripts made themselves. */
function remove(call: Call): Value {
  const { shell } = call;
  const paths = operandsOf(call.words).map(({ text }) => resolvePath(shell, text));
  const isTidy = (path: string) => CACHES.test(path) || findFile(shell, path) !== undefined;
  const isPlain = call.words.every((word) =>
    word.isKnown && /^(?:-[rf]+|[^-][^{}$`]*)$/.test(word.text)
  );
  const isAll = paths.some((path) =>
    /^\/\*?$|^\/(?:etc|usr|bin|sbin|lib|home|var)\/?\*?$/.test(path)
  );
  if (isAll) told(call, "command", "medium", "files-removed", "would remove much of the system");
  else if (paths.some((path) => RISKY.test(path))) {
    protect(call);
    if (isPlain && paths.every((path) => RISKY.test(path) || isTidy(path))) prove(call);
  } else if (isPlain && paths.every((path) => isTidy(path))) prove(call);
  else {
    for (const path of paths) {
      const place = judgePlace(path);
      if (isTidy(path) && place?.rule !== "firewall-removed") continue;
      const isGuard = place !== undefined && place.rule !== "" && place.severity !== "low";
      const severity = isGuard ? "medium" : "low";
      told(call, "protection", severity, "files-removed", "would remove what may protect");
      break;
    }
  }
  return NOTHING;
}

/** Copies, moves and links: what is in the source is in the target then. */
function copy(call: Call): Value {
  const { shell, words, name } = call;
  if (name.text.endsWith("install") && words.some(({ text }) => /^-\w*d|^--directory/.test(text))) {
    return NOTHING;
  }
  const isLink = /ln$/.test(name.text);
  const mode = optionOf(words, "-m", "--mode")?.text;
  if (mode !== undefined && /^[0-7]*[2467][0-7]{3}$|s/.test(mode)) {
    told(
      call,
      "privilege",
      "high",
      "privilege-escalation",
      "would have programs run as their owner",
    );
  }
  const directory = optionOf(words, "-t", "--target-directory");
  const operands = operandsOf(words, "-m -o -g -t -S --mode --owner --group --target-directory");
  const sources = directory === undefined ? operands.slice(0, -1) : operands;
  const target = directory ?? operands.at(-1);
  if (target === undefined) return NOTHING;
  const to = resolvePath(shell, target.text);
  for (const source of sources) {
    const from = resolvePath(shell, source.text);
    const file = findFile(shell, source.text);
    const base = from.slice(from.lastIndexOf("/") + 1);
    const path = target.text.endsWith("/") || directory !== undefined || /\/s?bin$/.test(to)
      ? `${to}/${base}`
      : to;
    const other = path.slice(path.lastIndexOf("/") + 1);
    // Another name for a program of the system.
    if (
      isLink && /^(?:\/usr(?:\/local)?)?\/s?bin\//.test(from) && file === undefined &&
      (base.startsWith(other) || other.startsWith(base))
    ) continue;
    const place = judgePlace(path);
    if (name.text === "mv" && judgePlace(from)?.rule === "firewall-removed") {
      told(call, "protection", "medium", "firewall-removed", "would move what may protect away");
    }
    if (place !== undefined && place.rule === "hijack") use(file?.download, `put at ${path}`);
    const value = file?.value ?? unknown(`<${from}`);
    writeFile(call, path, value, false);
    if (file?.download !== undefined) {
      shell.files.set(path, file);
      file.download.path = path;
    }
  }
  return NOTHING;
}

function edit(call: Call): Value | undefined {
  const { words } = call;
  const scripts = operandsOf(words, "-e -f -i.bak --expression");
  const isInPlace = words.some(({ text }) => /^-[a-zA-Z]*i|^--in-place/.test(text));
  const runs = words.some(({ text }) =>
    text.length > MAX_MODE_CHARS ||
    /(?:^|[;{}\n])[^\S\n]*(?:\d+|\/[^/]*\/|\$)?e\b/.test(text) || replacesAndRuns(text)
  );
  if (runs) {
    told(call, "command", "medium", "unreadable-command", "may run what it reads");
  }
  if (!isInPlace) return undefined;
  const hasScript = optionOf(words, "-e", "--expression") !== undefined;
  for (const { text } of scripts.slice(hasScript ? 0 : 1)) {
    writeFile(call, text, unknown(call.text), true);
  }
  return NOTHING;
}

/** Whether a script of `sed` may be `s/a/b/e`, whatever is written for the slash. */
function replacesAndRuns(script: string): boolean {
  const [, , ...flags] = script.startsWith("s") ? script.slice(2).split(script.charAt(1)) : [];
  return flags.some((each) => /^[gip\d]*e/.test(each));
}

function unpack(call: Call): Value | undefined {
  const { shell, words, input, name } = call;
  const first = words[0]?.text ?? "";
  const isTar = /tar$/.test(name.text);
  const isUnpacking = !isTar || /^-{0,2}[a-zA-Z]*x|^--extract|^--get/.test(first) ||
    words.some(({ text }) => /^-[a-zA-Z]*x|^--extract/.test(text));
  if (
    words.some(({ text }) =>
      /^--(?:checkpoint-action|to-command|use-compress-program|rsh-command)|^-I$/.test(text)
    )
  ) {
    told(call, "command", "medium", "unreadable-command", "runs a program that unpacks");
  }
  if (!isUnpacking) return undefined;
  if (words.some(({ text }) => /^-?[a-zA-Z]*O|^--to-stdout|^-p$/.test(text))) return undefined;
  const to = optionOf(words, "-C", "-d", "--directory", "-o")?.text ?? ".";
  const archive = isTar ? optionOf(words, "-f", "--file") : undefined;
  const bundled = /^[a-zA-Z]*f$/.test(first) ? words[1] : undefined;
  const source = archive ?? bundled ?? (isTar ? undefined : operandsOf(words, "-d -o")[0]);
  const target = resolvePath(shell, to);
  const isSystem = /^\/(?:usr|bin|sbin|lib|etc|root)?(?:\/|$)(?!src)/.test(target) ||
    /\/s?bin$/.test(target);
  const how = isSystem ? `unpacked over ${target}` : `unpacked in ${target}`;
  if (source !== undefined && source.text !== "-") {
    const file = findFile(shell, source.text);
    use(file?.download, how);
    if (file?.download !== undefined) shell.files.set(target, file);
    else told(call, "file", "low", "new-file", "would unpack files");
    return NOTHING;
  }
  const message = () => `what ${show(call.text)} unpacks would come from the network, unchecked`;
  if (input?.network !== undefined) {
    const severity = isSystem ? "high" : "medium";
    const found = { severity, rule: "download-then-run", message } as const;
    note(shell, call.line, { kind: "download", value: call.text, ...found });
  } else told(call, "file", "low", "new-file", "would unpack files");
  return NOTHING;
}

function user(call: Call): Value {
  const { words, name } = call;
  const texts = words.map(({ text }) => text);
  const groups = [
    ...(optionOf(words, "-G", "--groups")?.text ?? "").split(","),
    ...(optionOf(words, "-g", "--gid", "--ingroup")?.text ?? "").split(","),
  ];
  const operands = operandsOf(
    words,
    "-a -A -d -M -u -g -G -s -c -e -f -k -K -b -l -h -p -r --uid --gid --groups --shell --home --home-dir --comment --gecos --ingroup --expiredate --key --base-dir --password",
  );
  if (/^(?:adduser|addgroup|gpasswd)$/.test(name.text)) groups.push(operands[1]?.text ?? "");
  const id = optionOf(words, "-u", "--uid")?.text;
  const isOdd = !words.every(({ isKnown }) => isKnown) && /usermod|gpasswd/.test(name.text);
  if (
    groups.some((group) => STRONG_GROUPS.test(group)) || /^0+$/.test(id ?? "") ||
    texts.some((text) => /^-[a-zA-Z]*o$|^--non-unique$|^--password|^-p$/.test(text)) ||
    (/^(?:passwd|chpasswd|vipw|visudo|newusers)$/.test(name.text) &&
      !texts.some((text) => /^-[a-zA-Z]*[lSn]$|^--(?:lock|status|expire)/.test(text)))
  ) {
    told(call, "privilege", "high", "privilege-escalation", "would give rights or a password");
  } else if (
    texts.some((text) => /^-(?:L|l)$|^--lock$/.test(text)) && /^(?:passwd|usermod)$/.test(name.text)
  ) {
    protect(call);
  } else if (isOdd) told(call, "privilege", "medium", "privilege-escalation", "may give rights");
  return NOTHING;
}

function capability(call: Call): Value {
  const { words, name } = call;
  const takes = words.some(({ text }) => /^(?:-r|-b|--remove-all)$/.test(text));
  const severity = name.text === "setcap" ? "high" : "medium";
  if (!takes) told(call, "privilege", severity, "privilege-escalation", "would give rights");
  return NOTHING;
}

function copyRaw(call: Call): Value {
  const to = call.words.find(({ text }) => text.startsWith("of="));
  const from = call.words.find(({ text }) => text.startsWith("if="));
  const source = from === undefined ? call.input : findFile(call.shell, from.text.slice(3))?.value;
  const value = source ?? unknown(spell(from ?? NOTHING));
  if (to === undefined) return value;
  writeFile(call, to.text.slice(3), value, false);
  return NOTHING;
}

function tee(call: Call): Value {
  const value = call.input ?? unknown("");
  const appends = call.words.some(({ text }) => /^-a$|^--append$/.test(text));
  for (const { text } of operandsOf(call.words)) writeFile(call, text, value, appends);
  return value;
}

/** The commands that change files, modes, owners and users. */
export const PLACE_HANDLERS: Readonly<Record<string, Handler>> = {
  chmod: changeMode,
  chown: changeOwner,
  chgrp: changeOwner,
  rm: remove,
  unlink: remove,
  shred: remove,
  cp: copy,
  mv: copy,
  ln: copy,
  install: copy,
  ginstall: copy,
  sed: edit,
  tar: unpack,
  bsdtar: unpack,
  unzip: unpack,
  cpio: unpack,
  "7z": unpack,
  "7za": unpack,
  unrar: unpack,
  useradd: user,
  usermod: user,
  adduser: user,
  groupadd: user,
  addgroup: user,
  groupmod: user,
  gpasswd: user,
  passwd: user,
  chpasswd: user,
  newusers: user,
  visudo: user,
  setcap: capability,
  setfacl: capability,
  chattr: capability,
  dd: copyRaw,
  tee,
};
