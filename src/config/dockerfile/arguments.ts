/**
 * What one instruction may say, by the rules of BuildKit's `frontend/dockerfile/instructions`, as of August
 * 2026. Pure.
 *
 * @module
 */

import { quote } from "../../text/quote.ts";
import type { Instruction } from "./instructions.ts";
import { isReference } from "./images.ts";
import { expand, heredocIn, listWords, pairWords, readJson } from "./words.ts";

// deno-fmt-ignore
const KEYWORDS: readonly string[] = [
  "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
  "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
];

/** What a flag has behind its name: nothing or a switch, a value once, a value each time. */
type FlagKind = "switch" | "once" | "often";

const OF_FILES: Readonly<Record<string, FlagKind>> = {
  chown: "once",
  chmod: "once",
  link: "switch",
  exclude: "often",
};

const FLAGS: Readonly<Record<string, Readonly<Record<string, FlagKind>>>> = {
  ADD: { ...OF_FILES, "keep-git-dir": "switch", checksum: "once", unpack: "switch" },
  COPY: { ...OF_FILES, from: "once", parents: "switch" },
  FROM: { platform: "once" },
  HEALTHCHECK: {
    interval: "once",
    timeout: "once",
    "start-period": "once",
    "start-interval": "once",
    retries: "once",
  },
  RUN: { mount: "often", network: "once", security: "once", device: "often" },
};

/** Instructions whose flags BuildKit drops unread. */
const DROPS_FLAGS: readonly string[] = ["ARG", "STOPSIGNAL"];

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  network: ["default", "none", "host"],
  security: ["insecure", "sandbox"],
};

/** The keys of a `--mount`, and the values that some may have. */
const MOUNT_KEYS: Readonly<Record<string, readonly string[]>> = {
  type: ["bind", "cache", "tmpfs", "secret", "ssh"],
  sharing: ["shared", "private", "locked"],
  ...Object.fromEntries(
    ("from source src target dst destination readonly ro readwrite rw required id size mode uid gid " +
      "env").split(" ").map((key) => [key, []]),
  ),
};

/** Keys of a `--mount` that need no value. */
const MOUNT_SWITCHES: readonly string[] = ["readonly", "ro", "readwrite", "rw", "required"];

/** Finds what is wrong with an instruction besides its place in the file. */
export function* findArgumentProblems(
  instruction: Instruction,
  escape: string,
): Generator<string> {
  const { name } = instruction;
  const keyword = name.toUpperCase();
  // toUpperCase() maps a dotless i to I, which BuildKit does not.
  if (!KEYWORDS.includes(keyword) || !/^[a-z]+$/i.test(name)) {
    yield `found the unknown instruction ${quote(name)}, expected one of ${KEYWORDS.join(", ")}: ` +
      "correct it, or end the line before it with a backslash if it goes on here";
    return;
  }
  const { trigger } = instruction;
  if (trigger !== undefined) {
    yield* refuseFlags(keyword, instruction);
    if (/^(?:ONBUILD|FROM|MAINTAINER)$/i.test(trigger.name)) {
      yield `found ONBUILD ${trigger.name}, expected another instruction: remove it`;
    } else yield* findArgumentProblems(trigger, escape);
    return;
  }
  const expected = wrongForm(keyword, instruction, escape);
  if (expected !== undefined) {
    yield `found ${quote(instruction.text.trim())}, expected ${expected}`;
  }
  const isUnread = keyword === "HEALTHCHECK" && /^none\b/i.test(instruction.args);
  if (!isUnread && !DROPS_FLAGS.includes(keyword)) yield* refuseFlags(keyword, instruction);
}

function* refuseFlags(keyword: string, { flags }: Instruction): Generator<string> {
  const known = FLAGS[keyword] ?? {};
  const seen = new Set<string>();
  for (const { text } of flags) {
    const equals = text.indexOf("=");
    const name = text.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    const found = `found ${quote(text)}`;
    if (kind === undefined) {
      const names = Object.keys(known).map((each) => `--${each}`);
      yield `${found}, expected ${
        names.length === 0 ? `no flag of ${keyword}` : `one of ${names.join(", ")}`
      }`;
    } else if (kind !== "often" && seen.has(name)) {
      yield `${found} again, expected it once: remove one`;
    } else if (kind === "switch") {
      if (value === undefined || /^(?:true|false)$/i.test(value)) continue;
      yield `${found}, expected --${name}, --${name}=true or --${name}=false`;
    } else if (value === undefined) yield `${found}, expected --${name}=VALUE`;
    else {
      const expected = wrongValue(name, value);
      if (expected !== undefined) yield `${found}, expected ${expected}`;
    }
    seen.add(name);
  }
}

/** What the value of a flag should have been; `undefined` if it is right. */
function wrongValue(name: string, value: string): string | undefined {
  const choices = CHOICES[name];
  if (choices !== undefined) {
    return choices.includes(value) ? undefined : `--${name}=${choices.join(` or --${name}=`)}`;
  }
  if (name === "mount") return wrongMount(value);
  if (name === "retries") {
    return /^\+?\d{0,9}$/.test(value) ? undefined : "a number that is not negative";
  }
  const isTime = ["interval", "timeout", "start-period", "start-interval"].includes(name);
  return isTime && !isDuration(value) ? "a duration such as 30s or 1m30s" : undefined;
}

const MS_OF_UNIT: Readonly<Record<string, number>> = {
  ...{ ns: 1e-6, us: 1e-3, "\u00b5s": 1e-3, "\u03bcs": 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 },
};

/** Whether it is one of Go's durations, zero or a millisecond and more. */
function isDuration(text: string): boolean {
  const parts = /^\+?((?:(?:\d+(?:\.\d*)?|\.\d+)(?:[nu\u00b5\u03bcm]?s|m|h))+)$/.exec(
    text.slice(0, 64),
  )
    ?.[1];
  if (parts === undefined) return /^[+-]?0$|^$/.test(text);
  let ms = 0;
  for (const [, count, unit] of parts.matchAll(/([\d.]+)([^\d.]+)/g)) {
    ms += Number(count) * MS_OF_UNIT[unit!]!;
  }
  return text.length <= 64 && (ms === 0 || ms >= 1);
}

/** What a `--mount` should have been. A value with a variable is not known here. */
function wrongMount(value: string): string | undefined {
  const fields = csvFields(value);
  if (fields === undefined) return "key=value pairs with commas between them";
  for (const field of fields) {
    const [, name = "", is] = /^([^=]*)(?:=([^]*))?$/.exec(field)!;
    const key = name.toLowerCase();
    const choices = Object.hasOwn(MOUNT_KEYS, key) ? MOUNT_KEYS[key] : undefined;
    if (choices === undefined) return `a key of a mount instead of ${quote(name)}`;
    if (is === undefined) {
      if (!MOUNT_SWITCHES.includes(key)) return `${key}=VALUE`;
    } else if (key === "from" && /\$./.test(is)) {
      return "a stage or an image behind from=, and no variable: name a stage FROM it";
    } else if (choices.length > 0 && !is.includes("$") && !choices.includes(is.toLowerCase())) {
      return `${key}=${choices.join(` or ${key}=`)}`;
    }
  }
  return undefined;
}

/** The fields of a line of comma-separated values; `undefined` if a quote stands where none may. */
function csvFields(line: string): readonly string[] | undefined {
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  const fields: string[] = [];
  for (let end = ","; end === ",";) {
    const match = field.exec(line);
    if (match === null) return undefined;
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    end = match[3]!;
  }
  return fields;
}

/** What an instruction's arguments should have been; `undefined` if they are right. */
function wrongForm(keyword: string, { args }: Instruction, escape: string): string | undefined {
  const json = readJson(args);
  const takesJson = !["ENV", "LABEL", "ARG", "USER", "EXPOSE", "WORKDIR", "STOPSIGNAL", "FROM"]
    .includes(keyword);
  if (takesJson && json !== undefined && json.words === undefined) {
    return "an array of strings alone, or the shell form";
  }
  const isRead = (text: string) => expand(text, { escape }) !== undefined;
  switch (keyword) {
    case "ADD":
    case "COPY":
      return wrongFiles(json?.words ?? listWords(args), isRead);
    case "ARG":
    case "ENV":
    case "LABEL":
      return wrongPairs(keyword, args, escape, isRead);
    case "EXPOSE":
      return wrongPorts(listWords(args), isRead);
    case "FROM":
      return wrongFrom(listWords(args));
    case "HEALTHCHECK":
      return wrongHealthCheck(args);
    case "SHELL":
      return json?.words?.length ? undefined : 'a command in JSON form, such as ["/bin/sh", "-c"]';
    case "VOLUME": {
      const volumes = json?.words ?? listWords(args);
      if (volumes.length === 0 || volumes.some((each) => each.trim() === "")) return "a directory";
      return volumes.every(isRead) ? undefined : CLOSED;
    }
    case "CMD":
    case "ENTRYPOINT":
    case "RUN":
      return undefined;
    default:
      if (args === "") return `something behind ${keyword}`;
      return keyword === "MAINTAINER" || keyword === "ONBUILD" || isRead(args) ? undefined : CLOSED;
  }
}

const CLOSED = "each quote and each ${ to be closed: close it";

function wrongFiles(
  words: readonly string[],
  isRead: (text: string) => boolean,
): string | undefined {
  if (words.length < 2) return "at least a source and a destination";
  if (heredocIn(words.at(-1)!) !== undefined) return "a path as the destination, and no heredoc";
  return words.every((word) => word.includes("<<") || isRead(word)) ? undefined : CLOSED;
}

function wrongPairs(
  keyword: string,
  args: string,
  escape: string,
  isRead: (text: string) => boolean,
): string | undefined {
  const words = pairWords(args, escape);
  const [first = ""] = words;
  if (words.length === 0) return `${keyword} and a name`;
  if (words.some((word) => word.startsWith("="))) return "a name before the =";
  if (keyword !== "ARG" && !first.includes("=")) {
    // The older form: a name, and the rest is its value.
    if (listWords(args).length < 2) return `${keyword} NAME=VALUE`;
  } else if (keyword !== "ARG" && words.some((word) => !word.includes("="))) {
    return "NAME=VALUE in each word: put a value with blanks into quotes";
  }
  return isRead(args) ? undefined : CLOSED;
}

function wrongPorts(
  words: readonly string[],
  isRead: (text: string) => boolean,
): string | undefined {
  if (words.length === 0) return "a port";
  if (!words.every(isRead)) return CLOSED;
  for (const word of words) {
    if (/[$"'\\`]/.test(word)) continue; // What it says is known when it is built.
    const [, first, last = first] =
      /^(?:.*:)?(\d{1,5})(?:-(\d{1,5}))?(?:\/(?:tcp|udp|sctp))?$/i.exec(word) ?? [];
    if (first === undefined || Number(first) > Number(last) || Number(last) > 65_535) {
      return "ports up to 65535, such as 80, 443/udp or 8000-8010/tcp";
    }
  }
  return undefined;
}

function wrongFrom([image, as, stage, ...rest]: readonly string[]): string | undefined {
  if (image === undefined) return "FROM and the name of an image";
  if (as !== undefined && (!/^as$/i.test(as) || stage === undefined || rest.length > 0)) {
    return "FROM image, or FROM image AS stage";
  }
  if (stage !== undefined && !/^[a-z][a-z0-9._-]*$/i.test(stage)) {
    return 'a stage of a letter, then letters, digits, "-", "_" and "."';
  }
  // What a variable, a quote or an escape stands for is known when it is built.
  if (/[$"'\\`]|[^\x21-\x7e]/.test(image) || isReference(image)) return undefined;
  return "the name of an image, such as debian:13";
}

function wrongHealthCheck(args: string): string | undefined {
  const [, type = "", command = ""] = /^([^\t\n\v\f\r ]*)[\t\n\v\f\r ]*([^]*)$/.exec(args)!;
  if (/^none$/i.test(type)) return command === "" ? undefined : "nothing behind NONE";
  if (!/^cmd$/i.test(type)) return "HEALTHCHECK CMD and a command, or HEALTHCHECK NONE";
  const json = readJson(command);
  if (json !== undefined && json.words === undefined) return "an array of strings alone";
  return command === "" || json?.words?.length === 0 ? "a command behind CMD" : undefined;
}
