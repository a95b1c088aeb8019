/**
 * `completions bash|zsh|fish`: prints a script that completes the command line.
 *
 * Each script asks the program what can come next, so none of them knows a verb or a flag. Ids and
 * slugs are names of files that others may have made. The program prints only what can be one, each
 * script checks that again, and evaluates nothing.
 *
 * @module
 */

import { bottleSlugs, pendingIds } from "../command/complete.ts";
import type { Context } from "../command/context.ts";
import { UsageError } from "../command/flags.ts";

/** For bash 3.2 and later. */
const BASH = String
  .raw`# Completes supervise in bash. Made by "supervise completions bash"; in ~/.bashrc:
#   source <(supervise completions bash)
_supervise() {
  local cur=${"$"}{COMP_WORDS[COMP_CWORD]} word about last n
  local -a line=()
  COMPREPLY=()
  # --flag=value comes as three words.
  for ((n = 1; n <= COMP_CWORD; n++)); do
    word=${"$"}{COMP_WORDS[n]/#\~\//$HOME/}
    last=$((${"$"}{#line[@]} - 1))
    if [[ $last -ge 0 && ( $word == = || ${"$"}{line[last]-} == --*= ) ]]; then
      line[last]+=$word
    else
      line+=("$word")
    fi
  done
  if [[ $cur == = ]]; then cur=; fi
  while IFS=$'\t' read -r word about; do
    case $word in
      :dirs | :files)
        compopt -o filenames 2>/dev/null
        if [[ $word == :dirs ]]; then n=-d; else n=-f; fi
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$n" -- "$cur")
        ;;
      *) if [[ $word =~ ^(--)?[0-9A-Za-z][0-9A-Za-z._-]*$ ]]; then COMPREPLY+=("$word"); fi ;;
    esac
  done < <(command supervise completions line "${"$"}{line[@]}" 2>/dev/null </dev/null)
}

complete -F _supervise supervise`;

/** For zsh 5.0 and later. */
const ZSH = String.raw`#compdef supervise
# Completes supervise in zsh. Made by "supervise completions zsh"; in ~/.zshrc, after compinit:
#   source <(supervise completions zsh)
_supervise() {
  local row word
  local -a typed offered
  typed=("${"$"}{(@Q)words[2,CURRENT-1]}" "${"$"}{(Q)PREFIX}")
  if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
  for row in ${"$"}{(f)"$(command supervise completions line "${"$"}{(@)typed/#\~\//$HOME/}" 2>/dev/null </dev/null)"}; do
    word=${"$"}{row%%$'\t'*}
    case $word in
      :dirs) _files -/ ;;
      :files) _files ;;
      *) [[ $word =~ '^(--)?[0-9A-Za-z][0-9A-Za-z._-]*$' ]] && offered+=("$word:${"$"}{row#*$'\t'}") ;;
    esac
  done
  if [[ $PREFIX == -* ]]; then _describe -o flag offered; else _describe word offered; fi
}

# Autoloaded, this file is the function; sourced, it has to be made known.
if [[ ${"$"}{funcstack[1]} == _supervise ]]; then _supervise "$@"; else compdef _supervise supervise; fi`;

/** For fish 3.1 and later. */
const FISH = String.raw`# Completes supervise in fish. Made by "supervise completions fish":
#   supervise completions fish > ~/.config/fish/completions/supervise.fish
function __supervise
    set -l current (commandline -ct)
    set -l line (commandline -opc)[2..-1] $current
    set -l before (string match -r '^--[^=]*=' -- $current)
    for row in (command supervise completions line (string replace -r '^~/' "$HOME/" -- $line) 2>/dev/null </dev/null)
        switch $row
            case ':dirs*'
                __fish_complete_directories (string replace -r '^--[^=]*=' '' -- $current) | string replace -r -- '^' "$before"
            case ':files*'
                __fish_complete_path (string replace -r '^--[^=]*=' '' -- $current) | string replace -r -- '^' "$before"
            case '*'
                string match -r '^(?:--)?[0-9A-Za-z][0-9A-Za-z._-]*(?:\t.*)?$' -- $row | string replace -r -- '^' "$before"
        end
    end
end

complete -c supervise -f -a '(__supervise)'`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

/** Prints a completion script. Scripts of earlier versions ask `completions ids` and `completions slugs`. */
export async function completions(context: Context, words: readonly string[]): Promise<void> {
  const [what, ...rest] = words;
  const { root, flags: { bottle, json } } = context;
  if (rest.length > 0) throw new UsageError(`Cannot use ${rest.join(" ")}: one word too many`);
  if (json) throw new UsageError("Cannot print completions as JSON");
  if (what === "ids") {
    for (const offer of await pendingIds("", { root, bottle })) {
      context.printToCopy(offer.join("\t"));
    }
  } else if (what === "slugs") {
    for (const [slug] of await bottleSlugs(root)) context.printToCopy(slug);
  } else if (what !== undefined && Object.hasOwn(SCRIPTS, what)) {
    context.printToCopy(SCRIPTS[what]!);
  } else {
    const tried = what === undefined ? "the command line" : `in ${JSON.stringify(what)}`;
    throw new UsageError(`Cannot complete ${tried}: name a shell, bash, zsh or fish`);
  }
}
