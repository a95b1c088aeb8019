/**
 * Finds shell statements that run a script downloaded from the network: `curl … | sh`,
 * `sh -c "$(curl …)"`, `bash <(curl …)`. Pure.
 *
 * It skims shell as a person does and does not parse it: quotes separate words and hide nothing, so that a
 * script in quotes is read too. It finds what agents copy from installation instructions; an agent that
 * wants to hide a download from it can.
 *
 * @module
 */

/** A statement that runs a script downloaded from the network, with single spaces for its blanks. */
interface NetworkPipe {
  readonly at: number;
  readonly statement: string;
}

const FETCHERS = /^(?:curl|wget|aria2c|fetch|https?|xh|lynx|nc|ncat|netcat|socat)$/;

const SHELLS = /^(?:ba|da|z|k|mk|a|c|tc|fi)?sh$/;

const INTERPRETERS =
  /^(?:python|perl|ruby|node|nodejs|deno|bun|php|lua|pwsh|osascript|tclsh)[\d.]*$/;

/** Commands that run their arguments in the current shell. */
const EVALUATORS = /^(?:eval|source|\.)$/;

/** Words in front of the command that is run. */
// deno-fmt-ignore
const RUNNERS = /^(?:sudo|doas|su|env|exec|command|time|nice|nohup|timeout|xargs|stdbuf|chroot|gosu|su-exec|setpriv|runuser|busybox|if|then|else|while|do|!)$/;

/** Interpreter code that downloads. */
const FETCHES_IN_CODE =
  /\b(?:urlopen|urlretrieve|requests\.get|LWP::|Net::HTTP|open-uri|https?:\/\/)/;

const RUNS_IN_CODE = /\b(?:exec|eval|system|popen|spawn)\b/;

/**
 * In this order: skipped characters, the end of a statement, a redirection, a pipe, an opening bracket, a
 * closing one, a backtick, a word; anything else is skipped too. `&` and `;` end a statement only in front
 * of a blank, a bracket or a quote, since URLs contain them. A word ends where any other token begins.
 */
const TOKENS = new RegExp(
  [
    "(?:\\\\\\n|[^\\S\\n]+|[\"']|\\\\)",
    "(\\n|&&|\\|\\||;{1,2}(?=[\\s)\"']|$)|&(?=\\s|$))",
    "(<<<|\\d*(?:[<>]&|&?>>?(?!\\()|<<?-?(?!\\())\\d*)",
    "(\\|&?)",
    "([$<>]?\\(|\\{(?=\\s))",
    "([)}])",
    "(`)",
    "((?:[^\\s\"'|()<>`\\\\&;{}]|&(?!&|\\s|$)|;(?!;?(?:[\\s)\"']|$))|\\{(?!\\s)|(?<=\\{[^\\s{}]{0,80})\\})+)",
    "[^]",
  ].join("|"),
  "gy",
);

/** One command of a pipeline, and the words after it. */
interface Stage {
  command: string;
  hasRunner: boolean;
  words: string[];
  redirected: boolean;
  /** Whether it downloads, or a bracket in it does. */
  fetches: boolean;
}

/** The commands between two brackets, or in the whole text; the statement being read. */
interface Level {
  readonly opened: string;
  /** Whether the output of the commands is run. */
  readonly isRun: boolean;
  start: number;
  stage: Stage;
  /** Whether a downloaded text is piped to the command. */
  fetched: boolean;
  /** Whether any command in here downloads. */
  fetches: boolean;
  found: boolean;
}

function newStage(): Stage {
  return { command: "", hasRunner: false, words: [], redirected: false, fetches: false };
}

function newLevel(opened: string, isRun: boolean, fetched: boolean, start: number): Level {
  return { opened, isRun, start, stage: newStage(), fetched, fetches: false, found: false };
}

function baseName(word: string): string {
  return word.includes("://") ? word : word.slice(word.lastIndexOf("/") + 1) || word;
}

function isFetcher(word: string): boolean {
  return FETCHERS.test(baseName(word)) || /^\/dev\/(?:tcp|udp)\//.test(word);
}

function runsCode(name: string): boolean {
  return SHELLS.test(name) || INTERPRETERS.test(name);
}

/** How much of a name or an argument is kept: each bracket after it reads it again. */
const MAX_KEPT_CHARS = 64;

function addWord(stage: Stage, word: string): void {
  if (stage.command !== "") {
    // Further words do not matter, and there may be many.
    if (!stage.redirected && stage.words.length < 16) {
      stage.words.push(word.slice(0, MAX_KEPT_CHARS));
    }
    return;
  }
  const name = baseName(word).slice(0, MAX_KEPT_CHARS);
  if (/^-|^\w+=/.test(word)) return;
  if (RUNNERS.test(name)) stage.hasRunner = true;
  else if (!stage.hasRunner || runsCode(name) || EVALUATORS.test(name)) stage.command = name;
}

/** Whether a command runs its input: a shell always, an interpreter unless it is given a program. */
function runsItsInput({ command, words }: Stage): boolean {
  if (SHELLS.test(command)) return true;
  if (!INTERPRETERS.test(command)) return false;
  const telling = words.find((word) => /^-\w*[cempnrE]/.test(word) || !/^-.|^run$/.test(word));
  return telling === undefined || telling === "-" || telling === "/dev/stdin";
}

/** Whether a command runs the output of the bracket after it. */
function runsBracket({ command, words }: Stage, bracket: string, before: string): boolean {
  if (bracket === "<(") return runsCode(command) || command === "source" || command === ".";
  if (before === "=") return false;
  if (command === "eval") return true;
  const last = words.at(-1) ?? "";
  return runsCode(command) && (last === "<<<" || /^(?:-\w*[cer]|--eval|--command)$/.test(last));
}

/**
 * Finds the statements of a script without comments that run a download. Takes time linear in the script.
 */
export function findNetworkPipes(script: string): readonly NetworkPipe[] {
  const found: NetworkPipe[] = [];
  const levels = [newLevel("", false, false, 0)];
  const endStage = (level: Level) => {
    if (level.fetched && runsItsInput(level.stage)) level.found = true;
    level.stage = newStage();
  };
  const endStatement = (level: Level, at: number, next: number) => {
    endStage(level);
    if (level.found && levels.length === 1) {
      found.push(networkPipe(script.slice(level.start, at), level.start));
    }
    // A statement in brackets is part of the statement around them.
    if (levels.length === 1) level.found = false;
    level.fetched = false;
    level.start = next;
  };
  const open = (bracket: string, at: number, next: number) => {
    const outer = levels.at(-1)!;
    const before = script.slice(Math.max(0, at - 2), at).replace(/["']$/, "").slice(-1);
    const isRun = outer.isRun || runsBracket(outer.stage, bracket, before);
    const isPiped = bracket === ">(" && (outer.fetched || outer.stage.fetches);
    levels.push(newLevel(bracket, isRun, isPiped, next));
  };
  const close = () => {
    const inner = levels.at(-1)!;
    endStage(inner);
    levels.pop();
    const outer = levels.at(-1)!;
    if (inner.fetches) outer.stage.fetches = outer.fetches = true;
    if (inner.found) outer.found = true;
    // A bracket counts as a word, or as the command itself.
    if (outer.stage.command === "" && inner.opened !== "$(") outer.stage.command = "(";
  };

  TOKENS.lastIndex = 0;
  for (let match = TOKENS.exec(script); match !== null; match = TOKENS.exec(script)) {
    const level = levels.at(-1)!;
    const at = match.index;
    const [text, end, redirect, pipe, opened, closed, tick, word] = match;
    const next = at + text.length;
    if (end !== undefined) {
      const { command, words, hasRunner } = level.stage;
      const goesOn = end === "\n" && level.fetched && command === "" && words.length === 0;
      if (!goesOn || hasRunner) endStatement(level, at, next);
    } else if (redirect === "<<<") addWord(level.stage, redirect);
    else if (redirect !== undefined) level.stage.redirected = true;
    else if (pipe !== undefined) {
      const fetched = level.fetched || level.stage.fetches;
      endStage(level);
      level.fetched = fetched;
    } else if (opened !== undefined) open(opened, at, next);
    else if (tick !== undefined) {
      if (level.opened === "`") close();
      else open(tick, at, next);
    } else if (closed !== undefined) {
      if (levels.length > 1 && level.opened !== "`") close();
    } else if (word !== undefined) {
      addWord(level.stage, word);
      if (isFetcher(word)) {
        level.stage.fetches = level.fetches = true;
        if (level.isRun) level.found = true;
      }
    }
  }
  while (levels.length > 1) close();
  endStatement(levels[0]!, script.length, script.length);
  return [...found, ...findCode(script)];
}

function networkPipe(text: string, start: number): NetworkPipe {
  const at = start + text.length - text.trimStart().length;
  return { at, statement: text.trim().replace(/\s+/g, " ") };
}

/** Finds interpreters whose program downloads code and runs it. */
function findCode(script: string): readonly NetworkPipe[] {
  const found: NetworkPipe[] = [];
  let at = 0;
  for (const part of script.split(/(&&|\n)/)) {
    const [name] = /\b(?:python|perl|ruby|node|php)[\d.]*\s+-\w*[cer]\b/.exec(part) ?? [];
    if (name !== undefined && FETCHES_IN_CODE.test(part) && RUNS_IN_CODE.test(part)) {
      found.push(networkPipe(part, at));
    }
    at += part.length;
  }
  return found;
}
