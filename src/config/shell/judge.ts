/**
 * Judges each command of a script by what it means. What is in no list is told, at least with a low mark.
 * Pure.
 *
 * @module
 */

import lists from "./commands.json" with { type: "json" };
import { judgeCode } from "./code.ts";
import {
  checkDigests,
  checkSignature,
  fetchFrom,
  isFetcher,
  noteMetadata,
  useDirectory,
} from "./network.ts";
import { install, isManager } from "./packages.ts";
import { operandsOf, optionOf, PLACE_HANDLERS, use, writeFile } from "./places.ts";
import type { Call, Judge } from "./read.ts";
import { findLowering, isRemote, judgeFlag, noteSetting } from "./settings.ts";
import { findFile, note, noteCall, noteUnknown, prove, show } from "./shell.ts";
import { findBeyond, isAsking } from "./plain.ts";
import { SYSTEM_HANDLERS } from "./system.ts";
import { concat, known, NOTHING, unknown, type Value } from "./value.ts";

const words = (list: string) => new Set(list.split(" "));
const SHELLS = words(lists.shells);
const DECODERS = words(lists.decoders);
const INTERPRETERS: Readonly<Record<string, string>> = lists.interpreters;
const RUNNERS = new Map(
  Object.entries(lists.runners).map(([name, [options, skipped]]) =>
    [name, { options: String(options), skipped: Number(skipped) }] as const
  ),
);

/** Plain commands that may close something: when one goes it is told. */
const CLOSES = /^(?:chmod|chown|chgrp|passwd|usermod|userdel|deluser|umask) |verif|audit|--check/;

/** No program has a longer name. */
const MAX_NAME_CHARS = 64;

/** How many programs can start each other in one command. */
const MAX_RUNNERS = 16;

export const JUDGE: Judge = {
  command: judgeCommand,
  set: noteSetting,
  write: writeFile,
  unknown: noteUnknown,
};

function baseName(text: string): string {
  return text.includes("://") ? text : text.slice(text.lastIndexOf("/") + 1);
}

/** Finds the program that is run at last: `sudo -u a env B=c nice program`. */
function unwrap(call: Call): Call {
  let current = call;
  for (let count = 0; count < MAX_RUNNERS; count++) {
    const name = baseName(current.name.text);
    const [option, module, ...rest] = current.words;
    if (/^python3?$/.test(name) && option?.text === "-m" && isManager(module?.text ?? "")) {
      return { ...current, name: module!, words: rest };
    }
    const runner = RUNNERS.get(name);
    if (runner === undefined || !current.name.isKnown) {
      return { ...current, name: { ...current.name, text: name } };
    }
    const next = withoutRunner(current, name, runner.options, runner.skipped);
    if (next === undefined) return { ...current, name: known(name) };
    current = next;
  }
  return { ...current, name: unknown("") };
}

function withoutRunner(
  call: Call,
  name: string,
  options: string,
  skipped: number,
): Call | undefined {
  const takes = words(options);
  const { words: all } = call;
  if (name === "command" && /^-[vV]/.test(all[0]?.text ?? "")) return undefined;
  let at = 0;
  let left = skipped;
  for (; at < all.length; at++) {
    const { text } = all[at]!;
    if (text === "--" && left === 0) {
      at++;
      break;
    }
    const [, variable, value = ""] = /^(\w+)=([^]*)$/.exec(text) ?? [];
    if (variable !== undefined && name !== "xargs") {
      noteSetting(call.shell, call.line, variable, { ...all[at]!, text: value });
    } else if (name === "env" && /^-\w*S|^--split-string/.test(text)) {
      return { ...call, name: unknown(text) };
    } else if (text.startsWith("-")) {
      if (takes.has(text)) at++;
    } else if (left > 0) left--;
    else break;
  }
  if (at >= all.length) return undefined;
  const fed = name === "xargs" || name === "parallel" ? [call.input ?? unknown("{input}")] : [];
  const rest = fed.length > 0 && /[{}%]/.test(all.map(({ text }) => text).join(""))
    ? all.slice(at + 1).map((word) =>
      /\{\}|%/.test(word.text)
        ? concat([word, ...fed.map((value) => ({ ...value, isKnown: false }))])
        : word
    )
    : [...all.slice(at + 1), ...fed.map((value) => ({ ...value, isKnown: false }))];
  return { ...call, name: all[at]!, words: rest };
}

function judgeCommand(written: Call): Value {
  const { shell, line, text } = written;
  for (const flag of new Set(written.words.map((word) => judgeFlag(word.text)))) {
    if (flag === undefined) continue;
    noteCall(written, "high", "verification-off", `has a flag: ${flag}`);
  }
  noteMetadata(written);
  const call = unwrap(written);
  const { name } = call;
  if (!name.isKnown) {
    if (name.network !== undefined || name.isDecoded) runText(call, name, "as a command");
    else noteUnknown(shell, line, text, "the program is not known");
    return unknown(`<${text}`, call.input ?? NOTHING);
  }
  const noted = shell.acts.length;
  const output = judgeNamed(call);
  const beyond = findBeyond(written, call);
  if (beyond === undefined) {
    if (shell.acts.length === noted && CLOSES.test(text)) prove(written);
    return output;
  }
  noteLowering(call, noted);
  const isTold = shell.acts.slice(noted).some(({ kind, value }) =>
    kind === "file" || value === text
  );
  // Packages and downloads are known by their names, and the other words with them by what they say.
  const { value, hasVariables } = beyond;
  const message = () => `${show(value)} would be run`;
  const found = { severity: "low", rule: "new-command", message } as const;
  if (!isTold || hasVariables) {
    note(shell, line, { kind: "command", value, ...found });
  }
  return output;
}

/**
 * Notes words that name another machine, lower a check or move a source, whatever the program, if
 * nothing graver was noted. Programs that only read or print, and those that fetch, are judged elsewhere.
 */
function noteLowering(call: Call, noted: number): void {
  const { shell, line, name, words, text } = call;
  const program = name.text;
  if (SHELLS.has(program) || /^(?:eval|trap|source|\.|find)$/.test(program)) return;
  const acts = shell.acts.slice(noted);
  if (acts.some(({ mark }) => mark !== undefined && mark.severity !== "low")) return;
  const texts = words.map((word) => word.text);
  const lowered = findLowering(texts);
  const isLowering = lowered !== undefined &&
    (lowered !== "registry-redirect" || !isFetcher(program));
  // A manager judges the addresses of packages; one that runs them at once does more.
  const isLoading = !isFetcher(program) && texts.some(isRemote) &&
    (texts[0] === "run" || acts.every(({ kind }) => kind !== "package"));
  if (!isLowering && !isLoading) return;
  const rule = isLowering ? lowered : "package-from-url";
  const what = isLowering
    ? "would lower a check, or have something come from elsewhere"
    : "would use what another machine has";
  const message = () => `${show(text)} ${what}`;
  note(shell, line, { kind: "command", value: text, severity: "medium", rule, message });
}

function judgeNamed(call: Call): Value {
  const { shell, name, words, text, input } = call;
  const program = name.text;
  if (isAsking(words)) return unknown(`<${text}`);
  if (SHELLS.has(program)) return runShell(call);
  const language = Object.hasOwn(INTERPRETERS, program)
    ? program
    : program.slice(0, MAX_NAME_CHARS).replace(/[\d.]+$/, "");
  if (Object.hasOwn(INTERPRETERS, language)) return runInterpreter(call, language);
  if (program === "eval" || program === "trap") {
    const script = program === "trap" ? words[0] ?? NOTHING : concat(words, " ");
    return program === "trap" && /^-?$/.test(script.text)
      ? NOTHING
      : runText(call, script, "with eval");
  }
  if (program === "source" || program === ".") return runFile(call, words[0] ?? NOTHING);
  if (program === "find") return find(call);
  if (program === "su" || program === "runuser") {
    const script = optionOf(words, "-c", "--command");
    if (script !== undefined) return runText(call, script, "as another user");
    if (input !== undefined) return runText(call, input, "as another user");
  }
  if (/^(?:docker|podman|nerdctl|kubectl|buildah)$/.test(program)) {
    const at = words.findIndex(({ text }) => SHELLS.has(baseName(text)));
    if (at >= 0) runShell({ ...call, words: words.slice(at + 1) });
  }
  if (/^(?:s?ha\d*|shasum|sha\d+sum|b2sum|md5sum)$/.test(program)) return checkDigests(call);
  if (/^(?:gpgv?2?|cosign|minisign|signify)$/.test(program)) return checkSignature(call);
  if (isManager(program)) return install(call);
  if (Object.hasOwn(SYSTEM_HANDLERS, program)) {
    const output = SYSTEM_HANDLERS[program]!(call);
    if (output !== undefined) return output;
  }
  if (isFetcher(program)) return fetchFrom(call);
  if (Object.hasOwn(PLACE_HANDLERS, program)) {
    const output = PLACE_HANDLERS[program]!(call);
    if (output !== undefined || program !== "sed") return output ?? outputOf(call);
  }
  if (program.includes("/") || /[/]/.test(text.split(" ", 1)[0]!)) {
    return runFile(call, known(pathOf(call)));
  }
  const file = findFile(shell, `/usr/local/bin/${program}`);
  use(file?.download, "run");
  useDirectory(call);
  return outputOf(call);
}

/** The path of a command as it is written. */
function pathOf({ name, text }: Call): string {
  return text.split(/ \| /).at(-1)!.split(" ").find((word) => baseName(word) === name.text) ??
    name.text;
}

/** Judges a text that would be run as a script. */
function runText(call: Call, script: Value, how: string): Value {
  const { shell, line, text } = call;
  const found = { kind: "command", value: text, key: script.text, severity: "high" } as const;
  if (script.isDecoded) {
    const message = () => `hidden code would be decoded and run: ${show(text)}`;
    note(shell, line, { ...found, rule: "hidden-code", message });
  } else if (script.network !== undefined) {
    const { network } = script;
    const source = /[./]/.test(network) ? show(network) : "the network";
    const message = () => `a script downloaded from ${source} would be run: ${show(text)}`;
    note(shell, line, { ...found, rule: "network-pipe", message });
  } else if (script.isKnown) return call.run(script.text);
  else noteUnknown(shell, line, text, `it is not known what would be run ${how}`);
  return unknown(`<${text}`, script);
}

function runFile(call: Call, path: Value, language = ""): Value {
  const { shell, text } = call;
  const file = findFile(shell, path.text);
  if (file?.download !== undefined) {
    use(file.download, "run");
    if (file.download.checked === "") return unknown(`<${text}`, { network: file.download.url });
  } else if (file !== undefined) {
    const hasMark = /^#!.*?(python|perl|ruby|node|php)/.exec(file.value.text);
    const other = language || hasMark?.[1];
    return file.value.isKnown && other
      ? judgeCode(call, file.value.text, "")
      : runText(call, file.value, "from a file");
  } else if (path.network !== undefined || path.isDecoded) {
    return runText(call, path, "from a file");
  } else if (/^(?:https?|ftp):\/\//.test(path.text)) {
    return runText(call, unknown(path.text, { network: path.text }), "from a file");
  } else if (/^\/dev\/(?:stdin|fd\/0)$/.test(path.text) && call.input !== undefined) {
    return runText(call, call.input, "from its input");
  }
  useDirectory(call);
  noteCall(call, "low", "new-command", "would be run");
  return unknown(`<${text}`);
}

function runShell(call: Call): Value {
  const { words, input } = call;
  let script: Value | undefined;
  let isInput = false;
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at]!;
    if (word.text === "-" || word.text === "--") continue;
    if (!/^[-+]/.test(word.text)) break;
    if (/^-[a-zA-Z]*n/.test(word.text)) return NOTHING;
    if (/^-[a-zA-Z]*s/.test(word.text)) isInput = true;
    if (/^[-+][a-zA-Z]*o$|^--(?:rcfile|init-file)$/.test(word.text)) at++;
    if (/^-[a-zA-Z]*c/.test(word.text)) {
      const next = words.slice(at + 1).find(({ text }) =>
        !/^[-+]|^(?:pipefail|errexit|nounset|xtrace)$/.test(text)
      );
      script = next ?? NOTHING;
      break;
    }
  }
  if (script !== undefined) return runText(call, script, "as a script");
  if (!isInput && at < words.length) return runFile(call, words[at]!);
  if (input !== undefined) return runText(call, input, "from its input");
  noteCall(call, "low", "new-command", "would start a shell");
  return NOTHING;
}

function runInterpreter(call: Call, language: string): Value {
  const { words, input } = call;
  if (/awk$/.test(language)) return runAwk(call);
  const flags = INTERPRETERS[language]!.split(" ");
  const own = flags.some((flag) => flag.startsWith("--") || flag.length > 2);
  const bundled = flags.filter((flag) => /^-\w$/.test(flag)).map((flag) => flag[1]!).join("");
  let options = "";
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!.text;
    if (language === "deno" && at === 0) {
      if (word === "eval") return runCode(call, words[1] ?? NOTHING, "");
      if (word === "run") return runFile(call, operandsOf(words.slice(1))[0] ?? NOTHING, "node");
      return install(call);
    }
    if (
      language === "bun" && at === 0 && /^(?:install|i|add|x|create|run|test|build)$/.test(word)
    ) return install(call);
    if (word === "-m" && /^(?:python|pypy)/.test(language)) {
      return unknown(`<${call.text}`, input ?? NOTHING);
    }
    if (
      flags.includes(word) ||
      (bundled !== "" && !own && new RegExp(`^-\\w*[${bundled}]$`).test(word))
    ) {
      return runCode(call, words[at + 1] ?? NOTHING, options);
    }
    const inline = flags.find((flag) => flag.startsWith("--") && word.startsWith(`${flag}=`));
    if (inline !== undefined) return runCode(call, known(word.slice(inline.length + 1)), options);
    if (word === "-" || word === "/dev/stdin") break;
    if (!word.startsWith("-")) return runFile(call, words[at]!, language);
    options += ` ${word.replace(/^-[A-Za-z]/, "$& ")}`;
  }
  return input === undefined ? NOTHING : runCode(call, input, options);
}

function runCode(call: Call, code: Value, options: string): Value {
  return code.isKnown && !code.isDecoded
    ? judgeCode(call, code.text, options)
    : runText(call, { ...code, isKnown: false }, "as code");
}

function runAwk(call: Call): Value {
  const { words, shell, line, text, input } = call;
  const program = operandsOf(words, "-F -v -f")[0] ?? NOTHING;
  if (words.some(({ text }) => /^-i|^--include|^-E|^--exec/.test(text))) {
    noteUnknown(shell, line, text, "it may write a file");
  }
  if (
    /\bsystem\s*\(|\|\s*(?:getline|")|"\s*\|/.test(program.text) ||
    optionOf(words, "-f") !== undefined
  ) {
    const value = input?.network === undefined ? unknown(program.text) : input;
    runText(call, { ...value, isKnown: false }, "by awk");
  } else if (/>\s*["/\w]/.test(program.text.replace(/[<>=!]=|[<>]\s*\d/g, ""))) {
    noteUnknown(shell, line, text, "it may write a file");
  }
  return outputOf(call);
}

/** Runs what `find` runs, and removes what it removes. */
function find(call: Call): Value {
  const { words, shell, line, text } = call;
  const first = words.findIndex((word) => /^[-!(]/.test(word.text));
  const places = first === 0 ? [unknown("find")] : words.slice(0, first < 0 ? undefined : first);
  let end = -1;
  for (const [index, word] of words.entries()) {
    // What is between -exec and its end belongs to the command.
    if (index < end) continue;
    if (/^-(?:exec|execdir|ok|okdir)$/.test(word.text)) {
      end = index + 1;
      while (end < words.length && !/^(?:;|\+)$/.test(words[end]!.text)) end++;
      const [name = NOTHING, ...rest] = words.slice(index + 1, end);
      if (baseName(name.text) === "find") {
        noteUnknown(shell, line, text, "it runs itself");
        break;
      }
      for (const place of places) {
        const given = rest.map((word) => word.text === "{}" ? place : word);
        judgeCommand({ ...call, name, words: given });
      }
    } else if (word.text === "-delete") {
      PLACE_HANDLERS.rm!({ ...call, words: places });
    } else if (/^-(?:fprint|fls)/.test(word.text)) {
      noteUnknown(shell, line, text, "it writes a file");
    }
  }
  return unknown(`<${text}`);
}

/** What a command prints that only reads: of what is known the text, of the rest where it is from. */
function outputOf(call: Call): Value {
  const { name, words, input, text, shell } = call;
  const program = name.text;
  if (program === "echo" || program === "printf") return printed(call);
  const files = operandsOf(words).flatMap(({ text }) => findFile(shell, text)?.value ?? []);
  const from = concat([input ?? NOTHING, ...files]);
  if (program === "cat" && words.every(({ text }) => text === "-")) return input ?? unknown("<cat");
  if (program === "cat" && files.length === words.length) return concat(files);
  const isDecoding = DECODERS.has(program) &&
    (/^(?:rev|tr)$/.test(program) || words.some(({ text }) => /^-\w*[dDr]|^--decode/.test(text)));
  if (
    /^(?:yq|jq|uniq|date)$/.test(program) &&
    words.some(({ text }) => /^-i|^--in-?place|^-s|^--set/.test(text))
  ) {
    noteUnknown(shell, call.line, text, "it changes a file or the clock");
  }
  if (program === "sort" && words.some(({ text }) => text.startsWith("--comp"))) {
    noteUnknown(shell, call.line, text, "an option names a program that it runs");
  }
  for (const option of ["-o", "--output"]) {
    const to = /^(?:sort|jq|yq|xmllint|uniq)$/.test(program) ? optionOf(words, option) : undefined;
    if (to !== undefined) writeFile(call, to.text, unknown(`<${text}`, from), false);
  }
  return { ...unknown(`<${text}`, from), isDecoded: isDecoding || from.isDecoded };
}

function printed({ name, words, text }: Call): Value {
  const shown = name.text === "echo"
    ? words.filter(({ text }, at) => at > 0 || !/^-[neE]+$/.test(text))
    : words;
  const all = concat([NOTHING, ...shown], " ");
  if (!all.isKnown) return { ...all, text: all.text };
  const [format = NOTHING, ...values] = shown;
  if (name.text === "echo" || (values.length === 0 && !/[%\\]/.test(format.text))) {
    const line = shown.map(({ text }) => text).join(" ");
    // Shells differ in what they print for a backslash.
    const isKnown = !line.includes("\\");
    return { text: `${line}\n`, isKnown, isDecoded: /\\(?:x|0\d|[0-7]{3})/.test(line) };
  }
  // What is written in octal or hexadecimal numbers is hidden, whatever it is.
  const isDecoded = /\\(?:x[0-9a-f]{2}|[0-7]{1,3})/i.test(format.text + all.text);
  if (/%(?!s|%)|\\[^nt]/.test(format.text)) return { ...unknown(`<${text}`), isDecoded };
  const plain = format.text.replaceAll("\\n", "\n").replaceAll("\\t", "\t");
  if (!/%/.test(plain)) return { ...known(plain), isDecoded };
  let at = 0;
  const rows: string[] = [];
  do {
    rows.push(plain.replace(/%s|%%/g, (hole) => hole === "%%" ? "%" : values[at++]?.text ?? ""));
  } while (at > 0 && at < values.length && rows.length < 1000);
  return { ...known(rows.join("")), isDecoded };
}
