/**
 * Completion for fish, 3.1 and later.
 *
 * @module
 */

import { alternatives, type CompletedFlag, type CompletedVerb } from "../flags.ts";

/** A text in single quotes, as fish reads them. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function flagLine(verb: string, { name, about, value }: CompletedFlag): string {
  const takes = (): string => {
    if (typeof value !== "string") return ` -x -a ${quoted(value.join(" "))}`;
    switch (value) {
      case "none":
        return "";
      case "dir":
        return " -x -a '(__fish_complete_directories)'";
      case "file":
        return " -r -F";
      case "slugs":
        return " -x -a '(__supervise_ask slugs)'";
      case "text":
        return " -x";
    }
  };
  const when = quoted(`__supervise_is ${verb}`);
  return `complete -c supervise -n ${when} -l ${name.slice(2)}${takes()} -d ${quoted(about)}`;
}

function verbLines({ name, about, flags, words, single }: CompletedVerb): string[] {
  const [first = "", second] = name.split(" ");
  const named = second === undefined
    ? `complete -c supervise -n '__supervise_at 0' -a ${first} -d ${quoted(about)}`
    : `complete -c supervise -n '__supervise_at 1; and __supervise_is ${first}' ` +
      `-a ${second} -d ${quoted(about)}`;
  const lines = [named, ...flags.map((flag) => flagLine(name, flag))];
  if (words === "none") return lines;
  const at = single ? `__supervise_at ${name.split(" ").length}; and ` : "";
  const offered = words === "ids" ? "(__supervise_ask ids)" : words.join(" ");
  const when = quoted(`${at}__supervise_is ${name}`);
  return [...lines, `complete -c supervise -n ${when} -a ${quoted(offered)}`];
}

/**
 * Makes the script.
 *
 * @param verbs The verbs.
 * @returns A script for a file in `~/.config/fish/completions`.
 */
export function fishScript(verbs: readonly CompletedVerb[]): string {
  const families = new Set(
    verbs.filter(({ name }) => name.includes(" ")).map(({ name }) => name.split(" ")[0]!),
  );
  const family = (first: string) => {
    const subs = verbs.filter(({ name }) => name.startsWith(`${first} `))
      .map(({ name }) => name.slice(first.length + 1)).join(", ");
    return `complete -c supervise -n '__supervise_at 0' -a ${first} -d ${quoted(subs)}`;
  };
  return `# Completes supervise in fish. Made by "supervise completions fish":
#   supervise completions fish > ~/.config/fish/completions/supervise.fish

# The words that are no flags, behind the program's name.
function __supervise_words
    set -l flag
    for word in (commandline -opc)[2..-1]
        if test -n "$flag"
            set flag
            continue
        end
        switch $word
            case ${alternatives((value) => value !== "none").replaceAll(" | ", " ")}
                set flag $word
            case '-*'
            case '*'
                printf '%s\\n' $word
        end
    end
end

function __supervise_at
    test (count (__supervise_words)) -eq $argv[1]
end

function __supervise_is
    set -l words (__supervise_words)
    test "$words[1..$(count $argv)]" = "$argv"
end

# Ids and slugs are names of files that others may have made: each is checked, none is evaluated.
function __supervise_ask
    set -l where
    set -l flag
    for word in (commandline -opc)[2..-1]
        if test -n "$flag"
            set -a where $flag (string replace -r '^~/' "$HOME/" -- $word)
            set flag
            continue
        end
        switch $word
            case --root --bottle
                set flag $word
            case '--root=*' '--bottle=*'
                set -a where $word
        end
    end
    command supervise completions $argv[1] $where 2>/dev/null </dev/null |
        string match -r '^[0-9A-Za-z][0-9A-Za-z._-]*(?:\\t[a-z0-9._-]*)?$'
end

complete -c supervise -f
complete -c supervise -n '__supervise_at 0' -l help -d 'this text'
${[...families].map(family).join("\n")}
${verbs.flatMap(verbLines).join("\n")}`;
}
