/**
 * Reads a shell script as a shell does, and hands each command to a judge with all that is known of it. Pure.
 *
 * The scripts are read as bash reads them. Where dash reads them differently they count as unknown.
 *
 * @module
 */

import defer * as unbash from "unbash";
import type {
  ArithmeticExpression,
  Assignment,
  Command,
  CommandNode,
  CompoundList,
  Function as Definition,
  ParsedScript,
  PipelineNode,
  Redirection,
  Statement,
  SyntaxNode,
  TestExpression,
  Word,
  WordPart,
} from "unbash";
import { quote } from "../../text/quote.ts";
import {
  enter,
  MAX_VALUE_CHARS,
  nameOf,
  resolvePath,
  rewind,
  setVariable,
  type Shell,
  spend,
} from "./shell.ts";
import { concat, either, known, NOTHING, spell, unknown, type Value } from "./value.ts";

/** One command that a script runs. */
export interface Call {
  readonly shell: Shell;
  readonly name: Value;
  readonly words: readonly Value[];
  /** What is in front of the command: `A=b`. */
  readonly variables: readonly (readonly [name: string, value: Value])[];
  /** What it can read from its standard input; `undefined` if nothing is put there. */
  readonly input: Value | undefined;
  /** Where what it prints is kept. */
  readonly outputs: readonly string[];
  /** Whether the script goes no further if it fails. */
  readonly isDecisive: boolean;
  readonly line: number;
  /** All of it in one spelling. */
  readonly text: string;
  /** Reads another script in the same shell. */
  readonly run: (script: string, input?: Value) => Value;
}

/** What judges the commands; each gives what the command prints. */
export interface Judge {
  readonly command: (call: Call) => Value;
  readonly set: (shell: Shell, line: number, name: string, value: Value) => void;
  readonly write: (call: Call, path: string, value: Value, appends: boolean) => void;
  readonly unknown: (shell: Shell, line: number, text: string, what: string) => void;
}

/** How many redirections of one command are followed: with each, all of its words are looked at. */
const MAX_REDIRECTIONS = 32;

/** What is spent on each command and each of its words, beside their text. */
const [COMMAND_WORK, WORD_WORK] = [8, 4];

/** How many brackets in each other the parser reads as fast as one: it looks for the end of each. */
const BRACKETS_READ_AT_ONCE = 32;

/** How deep scripts can be in scripts, and calls in calls. */
const MAX_DEPTH = 12;

/** Commands that only say yes or no: what is behind them runs or does not. */
const CONDITIONS = new Set(
  "test [ false grep egrep command which type id getent cmp diff".split(" "),
);

const ENDINGS = new Set(["exit", "return", "exec", "break", "continue", "kill"]);

const DECLARATIONS = new Set(["export", "declare", "local", "readonly", "typeset"]);

interface Context {
  readonly input: Value | undefined;
  readonly isDecisive: boolean;
  /** The commands of the pipeline in front of this one. */
  readonly before: string;
}

/** Reads a script in a shell; gives what it prints. */
export function readScript(text: string, shell: Shell, judge: Judge, input?: Value): Value {
  let source = text;
  let depth = 0;
  let inside = 0;

  return runNested(text, { input, isDecisive: true, before: "" });

  function runNested(script: string, context: Context): Value {
    const readings = 1 + bracketDepth(script) / BRACKETS_READ_AT_ONCE;
    spend(shell, depth >= MAX_DEPTH ? Infinity : script.length * readings);
    const outer = source;
    source = script;
    depth++;
    const output = runParsed(unbash.parse(script), context);
    depth--;
    source = outer;
    return output;
  }

  function runParsed(script: ParsedScript, context: Context): Value {
    const [error] = script.errors ?? [];
    if (error !== undefined) {
      report(error.pos, script, `a shell would not read it (${quote(error.message)})`);
      // What is inside is unknown with it, and there may be much.
      if (inside > 0) return unknown("");
    }
    return runList(script.commands, context);
  }

  function report(at: number, node: { readonly pos: number; readonly end: number }, what: string) {
    judge.unknown(shell, shell.lineAt(at), source.slice(node.pos, node.end) + shell.guard, what);
  }

  /** A script in a `$(…)` or `<(…)`: what it sets is gone behind it. */
  function runInside(script: ParsedScript | undefined, input: Value | undefined): Value {
    if (script === undefined) return unknown("");
    if (inside >= MAX_DEPTH) {
      report(script.pos, script, "its parts are too deep in each other");
      return unknown("");
    }
    const since = shell.journal.length;
    const { lineAt, trace } = shell;
    const outer = source;
    if (script.source !== undefined) {
      const line = shell.lineAt(script.pos);
      source = script.source;
      shell.lineAt = () => line;
    }
    shell.trace = [];
    inside++;
    const output = runParsed(script, { input, isDecisive: false, before: "" });
    inside--;
    // What is not known is spelled as the commands that print it, in their one spelling.
    const inner = nameOf(shell, shell.trace.join("; "));
    source = outer;
    [shell.lineAt, shell.trace] = [lineAt, trace];
    rewind(shell, since, (before) => before);
    return output.isKnown ? known(withoutLastLines(output.text)) : unknown(`$(${inner})`, output);
  }

  function runList(statements: readonly Statement[], context: Context): Value {
    const outputs: Value[] = [];
    const { guard } = shell;
    for (const [index, statement] of statements.entries()) {
      spend(shell, 1);
      const isLast = index === statements.length - 1;
      const from = shell.trace.length;
      const { ends, conditions } = shell;
      const isDecisive = context.isDecisive && !statement.background &&
        (isLast || shell.stopsOnError);
      outputs.push(runChain(statement.command, { ...context, isDecisive }));
      const stops = shell.ends > ends || (shell.stopsOnError && shell.conditions > conditions);
      if (stops && !isLast) shell.guard = guardOf("after", shell.trace.slice(from));
    }
    shell.guard = guard;
    return concat([NOTHING, ...outputs.filter(({ text, isKnown }) => text !== "" || !isKnown)]);
  }

  /** What is so where a command runs, on top of what was so before. */
  function guardOf(what: string, commands: readonly string[]): string {
    return nameOf(shell, `${shell.guard} ${what} ${commands.join("; ")}`);
  }

  function runChain(node: Statement["command"], context: Context): Value {
    if (node.type !== "AndOr") return runPipeline(node, context);
    const { commands, operators } = node;
    const outputs: Value[] = [];
    const { guard } = shell;
    const goesOn = operators.findLastIndex((operator, at) =>
      operator === "||" && !isEnding(commands[at + 1]!)
    );
    const isPlain = !operators.includes("||");
    let from = shell.trace.length;
    for (const [index, command] of commands.entries()) {
      const since = shell.journal.length;
      const { conditions } = shell;
      const isDecisive = index > goesOn && (index < operators.length || context.isDecisive);
      outputs.push(runPipeline(command, { ...context, isDecisive }));
      // Behind `&&` alone all of them ran, or the script has ended.
      const isSure = index === 0 || (isPlain && shell.guard === guard);
      if (!isSure) rewind(shell, since, (before, now) => either(before ?? NOTHING, now));
      if (operators[index] === "||" || shell.conditions > conditions) {
        shell.guard = guardOf(operators[index] ?? "", shell.trace.slice(from));
        from = shell.trace.length;
      }
    }
    shell.guard = guard;
    return concat(outputs);
  }

  function isEnding(node: PipelineNode): boolean {
    const text = source.slice(node.pos, node.end);
    return /^(?:exit|return|false)\b/.test(text.slice(0, 8)) ||
      /\b(?:exit|return) [1-9]\d{0,2}\s?;?\s?[})]$/.test(text.slice(-16));
  }

  function runPipeline(node: PipelineNode, context: Context): Value {
    if (node.type !== "Pipeline") return runCommand(node, context);
    const isNegated = node.prefixes.some(({ type }) => type === "Negation");
    let { input, before } = context;
    const last = node.commands.length - 1;
    for (const [index, command] of node.commands.entries()) {
      const from = shell.trace.length;
      const since = shell.journal.length;
      const isDecisive = context.isDecisive && !isNegated && index === last;
      const output = runCommand(command, { input, before, isDecisive });
      if (last > 0) rewind(shell, since, (value) => value);
      before = nameOf(shell, `${before}${shell.trace.slice(from).join("; ")} | `);
      input = output;
    }
    if (isNegated) {
      shell.trace.push("!");
      shell.conditions++;
    }
    return input ?? NOTHING;
  }

  function runCommand(node: CommandNode, context: Context): Value {
    if (node.type === "Command") return runSimple(node, context);
    spend(shell, 1);
    const from = shell.trace.length;
    const output = runCompound(node, context);
    shell.trace.push(nameOf(shell, `${node.type} ${shell.trace.splice(from).join("; ")}`));
    return output;
  }

  function runCompound(node: Exclude<CommandNode, Command>, context: Context): Value {
    switch (node.type) {
      case "Redirected": {
        const { input, writeTo } = redirect(node.redirects, context.input);
        const output = runCommand(node.command, { ...context, input });
        return writeTo(output, callOf(node, { ...context, input }, known("{"), []));
      }
      case "Subshell": {
        const since = shell.journal.length;
        const output = runList(node.body.commands, context);
        rewind(shell, since, (before) => before);
        return output;
      }
      case "BraceGroup":
        return runList(node.body.commands, context);
      case "If": {
        const outputs: Value[] = [];
        const { guard } = shell;
        for (const { clause, then } of [node, ...node.elif]) {
          const test = traced(() => runList(clause.commands, { ...context, isDecisive: false }));
          outputs.push(runUnder(`if ${test}`, then, context));
          shell.guard = guardOf("else", [test]);
        }
        if (node.else !== undefined) outputs.push(runUnder("else", node.else, context));
        shell.guard = guard;
        return concat(outputs);
      }
      case "While": {
        const test = traced(() => runList(node.clause.commands, { ...context, isDecisive: false }));
        return runUnder(`${node.kind} ${test}`, node.body, context);
      }
      case "For":
      case "Select": {
        const items = (node.wordlist ?? []).flatMap((word) => valuesOf(word, context.input));
        if (node.wordlist === undefined) items.push(lookUp("@"));
        const outputs = items.map((item) => {
          setVariable(shell, node.name.value, item);
          return item.isKnown
            ? runList(node.body.commands, context)
            : runUnder(`for ${spell(item)}`, node.body, context);
        });
        return concat([NOTHING, ...outputs]);
      }
      case "Case": {
        const value = textOf(node.word, context.input);
        const outputs = node.items.map(({ pattern, body }) => {
          const patterns = pattern.map((word) => spell(textOf(word, undefined))).join("|");
          return runUnder(`case ${spell(value)} in ${patterns}`, body, context);
        });
        return concat([NOTHING, ...outputs]);
      }
      case "Function":
        define(node);
        return NOTHING;
      case "TestCommand":
        if (/&&|\|\||[`(]/.test(source.slice(node.pos, node.end))) twoReadings(node);
        shell.trace.push(`[[ ${walk(node.expression)}`);
        shell.conditions++;
        return NOTHING;
      case "ArithmeticCommand":
      case "ArithmeticFor":
      case "Coproc":
        twoReadings(node);
        walk(node);
        return unknown("");
    }
  }

  function twoReadings(node: SyntaxNode): void {
    report(node.pos, node, "dash and bash would read it differently");
  }

  function traced(run: () => void): string {
    const from = shell.trace.length;
    run();
    return nameOf(shell, shell.trace.slice(from).join("; "));
  }

  /** Reads commands of which nobody knows whether they run. */
  function runUnder(what: string, { commands }: CompoundList, context: Context): Value {
    const { guard } = shell;
    const since = shell.journal.length;
    shell.guard = guardOf(what, []);
    const output = runList(commands, context);
    shell.guard = guard;
    rewind(shell, since, (before, now) => either(before ?? NOTHING, now));
    return output.text === "" && output.isKnown ? output : unknown(output.text, output);
  }

  function define(node: Definition): void {
    const name = node.name.value;
    const script = source;
    const body = "commands" in node.body ? node.body.commands : undefined;
    shell.functions.set(name, {
      depth: 0,
      run: (call) => {
        const outer = source;
        source = script;
        const context = { input: call, isDecisive: false, before: "" };
        const output = body === undefined
          ? runCommand(node.body as CommandNode, context)
          : runList(body, context);
        source = outer;
        return output;
      },
    });
  }

  /** Runs the commands inside a node that is no command; gives its text with the variables in it. */
  function walk(node: SyntaxNode | ArithmeticExpression | TestExpression): string {
    const found: string[] = [];
    const visit = (child: SyntaxNode): void => {
      if (child.type === "Word") found.push(spell(textOf(child, undefined)));
      else if (child.type === "CommandExpansion" || child.type === "ArithmeticCommandExpansion") {
        found.push(runInside(child.script, undefined).text);
      } else if (child.type === "CompoundList") {
        runList(child.commands, { input: undefined, isDecisive: false, before: "" });
      } else if (child.type === "Command") {
        runSimple(child, { input: undefined, isDecisive: false, before: "" });
      } else unbash.forEachChild(child, visit);
    };
    unbash.forEachChild(node as SyntaxNode, visit);
    const { pos, end } = node;
    const text = `${source.slice(pos, end)} ${found.join(" ")}`.trim();
    // As a number, `a[$(b)]` runs b, in a variable too.
    const names = text.match(/[A-Za-z_]\w*/g) ?? [];
    const values = names.map((name) => shell.variables.get(name)?.text ?? "");
    if ([text, ...values].some((value) => /\[[^[\]]*[$`]/.test(value))) {
      report(pos, node as SyntaxNode, "it may run what is in brackets");
    }
    return text;
  }

  function runSimple(node: Command, context: Context): Value {
    const line = shell.lineAt(node.pos);
    const variables = node.prefix.filter((part) => part.type === "Assignment")
      .map((part) => assignmentOf(part, context.input));
    const { input, writeTo } = redirect(node.redirects, context.input);
    if (node.name === undefined) {
      for (const [name, value] of variables) {
        setVariable(shell, name, value);
        judge.set(shell, line, name, value);
      }
      return writeTo(NOTHING, callOf(node, { ...context, input }, known(""), []));
    }
    const [name = NOTHING, ...words] = [
      ...valuesOf(node.name, input),
      ...node.args.flatMap((word) => {
        if (word.type === "Word") return valuesOf(word, input);
        const [name, value] = assignmentOf(word, input);
        return [{ ...value, text: `${name}=${value.text}` }];
      }),
    ];
    const isGlob = node.name.parts?.some(({ type }) => type === "Glob" || type === "ExtendedGlob");
    const call = callOf(node, { ...context, input }, isGlob ? unknown(name.text) : name, words);
    const full = { ...call, variables };
    spend(shell, COMMAND_WORK + call.text.length + WORD_WORK * words.length);
    shell.trace.push(
      [...variables.map(([name, value]) => `${name}=${spell(value)}`), call.text].join(" "),
    );
    if (CONDITIONS.has(name.text)) shell.conditions++;
    if (ENDINGS.has(name.text) || (name.text === "set" && !isPlainSet(words))) shell.ends++;
    for (const [name, value] of variables) judge.set(shell, line, name, value);
    if (DECLARATIONS.has(name.text)) declare(words, line);
    const defined = shell.functions.get(name.text);
    const output = defined === undefined || !name.isKnown
      ? builtin(full) ?? judge.command(full)
      : callFunction(defined, full);
    spend(shell, output.text.length);
    return writeTo(output, full);
  }

  function callFunction(
    defined: { readonly run: (input: Value | undefined) => Value; depth: number },
    { words, input, line, text }: Call,
  ): Value {
    if (defined.depth > 0) {
      judge.unknown(shell, line, text, "a function would call itself");
      return unknown("");
    }
    const since = shell.journal.length;
    const parameters = [concat(words, " "), ...words];
    for (const [index, value] of parameters.entries()) {
      setVariable(shell, index === 0 ? "@" : String(index), value);
    }
    defined.depth++;
    const output = defined.run(input);
    defined.depth--;
    const names = new Set(["@", ...words.map((_, index) => String(index + 1))]);
    const kept = shell.journal.slice(since).filter(([name]) => !names.has(name));
    const now = kept.map(([name]) => [name, shell.variables.get(name)] as const);
    rewind(shell, since, (before) => before);
    for (const [name, value] of now) if (value !== undefined) setVariable(shell, name, value);
    return output;
  }

  function declare(words: readonly Value[], line: number): void {
    for (const { text, ...value } of words) {
      const [, name, rest] = /^(\w+)=([^]*)$/.exec(text) ?? [];
      if (name === undefined) continue;
      setVariable(shell, name, { ...value, text: rest! });
      judge.set(shell, line, name, { ...value, text: rest! });
    }
  }

  /** Options with which `read` and `mapfile` run nothing. */
  function isTame({ text, isKnown }: Value): boolean {
    return isKnown && /^(?:-[rstan]+|\w+|)$/.test(text);
  }

  /** What a shell does itself. */
  function builtin({ name, words, input, run }: Call): Value | undefined {
    if (name.text === "cd" || name.text === "pushd") {
      enter(shell, words.findLast(({ text }) => !text.startsWith("-"))?.text ?? "~");
    } else if (name.text === "eval") {
      const script = concat(words, " ");
      return script.isKnown ? run(script.text, input) : undefined;
    } else if (/^(?:read|mapfile|readarray)$/.test(name.text) && words.every(isTame)) {
      for (const { text } of words) {
        if (/^\w+$/.test(text)) setVariable(shell, text, unknown(`$${text}`, input ?? NOTHING));
      }
    } else if (name.text === "set" && isPlainSet(words)) {
      const options = words.map(({ text }) => text).join(" ");
      if (/(?:^|\s)-[a-z]*e|-o errexit/.test(options)) shell.stopsOnError = true;
      if (/(?:^|\s)\+[a-z]*e/.test(options)) shell.stopsOnError = false;
    } else return undefined;
    return NOTHING;
  }

  function callOf(
    node: SyntaxNode,
    context: Context,
    name: Value,
    words: readonly Value[],
  ): Call {
    const line = shell.lineAt(node.pos);
    shell.before = context.before;
    shell.isDecisive = context.isDecisive;
    return {
      ...{ shell, name, words, variables: [], line, input: context.input },
      outputs: [],
      isDecisive: context.isDecisive,
      text: [name, ...words].map(spell).join(" "),
      run: (script, input) => {
        const { lineAt } = shell;
        shell.lineAt = () => line;
        const output = runNested(script, { ...context, input, isDecisive: context.isDecisive });
        shell.lineAt = lineAt;
        return output;
      },
    };
  }

  /** What the redirections of a command give it to read, and what becomes of what it prints. */
  function redirect(redirects: readonly Redirection[], outer: Value | undefined): {
    readonly input: Value | undefined;
    readonly writeTo: (output: Value, call: Call) => Value;
  } {
    const further = redirects[MAX_REDIRECTIONS];
    if (further !== undefined) report(further.pos, further, "it has too many redirections");
    let input = outer;
    const outputs: (readonly [word: Word, appends: boolean, isOutput: boolean])[] = [];
    for (const part of redirects.slice(0, MAX_REDIRECTIONS)) {
      if (part.type === "HereDoc") {
        const { body, delimiter } = part;
        input = body.parts === undefined || delimiter?.quoted
          ? known(body.text)
          : concat(body.parts.map((piece) => partValue(piece, outer)));
      } else if (part.target === undefined) continue;
      else if (part.type === "HereString") input = textOf(part.target, outer);
      else {
        const { operator, target, descriptor } = part;
        if (/^[<>]&$/.test(operator) && /^(?:\d+-?|-)$/.test(target.text)) {
          if (operator === "<&") input = unknown(target.text);
          continue;
        }
        if (operator.startsWith("<")) {
          const path = textOf(target, outer);
          input = shell.files.get(resolvePath(shell, path.text))?.value ??
            unknown(`<${path.text}`, {
              network: /^\/dev\/(?:tcp|udp)\//.test(path.text) ? path.text : undefined,
            });
        }
        if (operator !== "<" && operator !== "<&") {
          const number = descriptor?.type === "FileDescriptor" ? descriptor.value : 1;
          outputs.push([target, operator.includes(">>"), number === 1]);
        } else if (/^\/dev\/(?:tcp|udp)\//.test(target.value)) outputs.push([target, false, false]);
      }
    }
    const writeTo = (output: Value, call: Call): Value => {
      for (const [word, appends, isOutput] of outputs) {
        const content = isOutput ? output : unknown("");
        judge.write(call, textOf(word, content).text, content, appends);
      }
      return outputs.some(([, , isOutput]) => isOutput) ? NOTHING : output;
    };
    return { input, writeTo };
  }

  function assignmentOf(part: Assignment, input: Value | undefined): readonly [string, Value] {
    const { name, value, append, index } = part;
    const now = value.type === "Word"
      ? textOf(value, input)
      : unknown(`(${value.elements.map((word) => spell(textOf(word, input))).join(" ")})`);
    if (index !== undefined) return [name, unknown(part.text, now)];
    return [name, append ? concat([shell.variables.get(name) ?? NOTHING, now]) : now];
  }

  function lookUp(name: string): Value {
    const value = shell.variables.get(name) ?? unknown(`$${name}`);
    spend(shell, value.text.length);
    return value;
  }

  /** A word as one text. */
  function textOf(word: Word, input: Value | undefined): Value {
    if (word.parts === undefined) return known(word.value);
    return fit(concat(word.parts.map((part) => partValue(part, input))), word);
  }

  /** Variables in variables can grow without end. */
  function fit(value: Value, word: Word): Value {
    const { text } = value;
    const isShort = text.length <= Math.max(MAX_VALUE_CHARS, word.text.length);
    return isShort ? value : unknown(nameOf(shell, text), value);
  }

  /** The words that a word becomes: a variable without quotes may be several, or none. */
  function valuesOf(word: Word, input: Value | undefined): readonly Value[] {
    const parts = word.parts;
    if (parts === undefined) return [known(word.value)];
    const words: Value[][] = [[]];
    let isThere = false;
    for (const part of parts) {
      const value = partValue(part, input);
      const isAll = part.type === "DoubleQuoted" && part.text === '"$@"';
      if (!isAll && !/Expansion$/.test(part.type)) isThere = true;
      if (
        !value.isKnown || (!isAll && !/^(?:Simple|Parameter|Command)Expansion$/.test(part.type))
      ) {
        words.at(-1)!.push(value);
        continue;
      }
      for (const [index, piece] of value.text.split(/[ \t\n]+/).entries()) {
        if (index > 0) words.push([]);
        if (piece !== "") words.at(-1)!.push({ ...value, text: piece });
      }
    }
    const filled = words.filter((pieces) => pieces.length > 0).map((pieces) =>
      fit(concat(pieces), word)
    );
    return filled.length === 0 && isThere ? [NOTHING] : filled;
  }

  function partValue(part: WordPart, input: Value | undefined): Value {
    switch (part.type) {
      case "Literal":
      case "SingleQuoted":
      case "Glob":
        return known(part.value);
      case "AnsiCQuoted":
        if (part.text.includes("\\'")) twoReadings(part);
        return known(part.value);
      case "DoubleQuoted":
      case "LocaleString":
        return concat([NOTHING, ...part.parts.map((piece) => partValue(piece, input))]);
      case "SimpleExpansion":
        return lookUp(part.text.slice(1));
      case "ParameterExpansion":
        return parameterValue(part, input);
      case "CommandExpansion":
        return runInside(part.script, input);
      case "ProcessSubstitution": {
        const output = runInside(part.script, part.operator === ">" ? input : undefined);
        const path = `/dev/fd/${part.operator}(${output.text})`;
        shell.files.set(path, { value: output });
        return unknown(path, output);
      }
      case "ArithmeticExpansion":
      case "ExtendedGlob":
      case "BraceExpansion":
        return unknown(walk(part));
    }
  }

  function parameterValue(
    part: Extract<WordPart, { type: "ParameterExpansion" }>,
    input: Value | undefined,
  ): Value {
    const { parameter, operation, prefix, index } = part;
    const value = lookUp(parameter);
    if (prefix === undefined && index === undefined && operation === undefined) return value;
    if (operation?.type !== "Default" || prefix !== undefined || index !== undefined) {
      return unknown(`${walk(part)}{${value.text}}`, value);
    }
    const { operator } = operation;
    const operand = textOf(operation.operand, input);
    const isSet = shell.variables.has(parameter) && (value.text !== "" || !operator.includes(":"));
    if (operator.endsWith("+")) return isSet ? operand : either(NOTHING, operand);
    if (operator.endsWith("?") || isSet) return value;
    if (operator.endsWith("=")) setVariable(shell, parameter, operand);
    // The person who starts the build or the bottle may set it.
    return { ...operand, isKnown: false };
  }
}

/** Whether `set` only says when the script ends, and what it shows. */
function isPlainSet(words: readonly Value[]): boolean {
  return words.every(({ text }) => /^(?:[-+][eux]*o?|pipefail)$/.test(text));
}

/** How deep the brackets of a text are in each other at most, those in quotes too. */
function bracketDepth(text: string): number {
  let [depth, most] = [0, 0];
  for (const [bracket] of text.matchAll(/[(){}]/g)) {
    depth = Math.max(0, depth + (bracket === "(" || bracket === "{" ? 1 : -1));
    most = Math.max(most, depth);
  }
  return most;
}

/** A text without the line ends at its end, which a shell cuts. */
function withoutLastLines(text: string): string {
  let end = text.length;
  while (text[end - 1] === "\n") end--;
  return text.slice(0, end);
}
