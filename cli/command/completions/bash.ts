/**
 * Completion for bash, 3.2 and later.
 *
 * @module
 */

import { alternatives, completedFlags, type CompletedVerb, quoted } from "../flags.ts";

/** Offers fixed words. Nothing here is evaluated: `compgen -W` would be. */
function offer(words: readonly string[]): string {
  return `_supervise_offer ${words.map(quoted).join(" ")}`;
}

function flagCases(): string {
  const chosen = completedFlags().flatMap(({ name, value }) =>
    typeof value === "string" ? [] : [`    ${name}) ${offer(value)}; return ;;`]
  );
  return chosen.join("\n");
}

function verbCase({ name, flags, words, single }: CompletedVerb): string {
  const first = single ? '[ "$count" -eq 0 ] && ' : "";
  const arity = name.split(" ").length;
  const argument = words === "none"
    ? ":"
    : `${first}${words === "ids" ? "_supervise_ask ids" : offer(words)}`;
  return `    ${quoted(name)})
      count=$((\${#words[@]} - ${arity}))
      if [[ $cur == -* ]]; then ${offer(flags.map((flag) => flag.name))}
      else ${argument}; fi ;;`;
}

/**
 * Makes the script.
 *
 * @param verbs The verbs.
 * @returns A script to be sourced.
 */
export function bashScript(verbs: readonly CompletedVerb[]): string {
  const firsts = [...new Set(verbs.map(({ name }) => name.split(" ")[0]!))];
  const families = firsts.filter((first) => !verbs.some(({ name }) => name === first));
  const family = (first: string) => {
    const subs = verbs.filter(({ name }) => name.startsWith(`${first} `))
      .map(({ name }) => name.slice(first.length + 1));
    return `    ${quoted(first)}) ${offer(subs)} ;;`;
  };
  return `# Completes supervise in bash. Made by "supervise completions bash"; in ~/.bashrc:
#   source <(supervise completions bash)

# What was typed so far, cut at the cursor, is in cur; ids and slugs are names of files that others
# may have made, so each is checked, and none is ever evaluated.
_supervise_offer() {
  local word
  for word in "$@"; do
    if [[ $word == "$cur"* ]]; then COMPREPLY+=("$word"); fi
  done
}

_supervise_ask() {
  local word rest
  while IFS=$'\\t' read -r word rest; do
    if [[ $word =~ ^[0-9A-Za-z][0-9A-Za-z._-]*$ ]]; then _supervise_offer "$word"; fi
  done < <(command supervise completions "$1" \${where[@]+"\${where[@]}"} 2>/dev/null </dev/null)
}

_supervise_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$1" -- "$cur")
}

_supervise() {
  local cur=\${COMP_WORDS[COMP_CWORD]} flag= word n count
  local -a words=() where=()
  COMPREPLY=()
  for ((n = 1; n < COMP_CWORD; n++)); do
    word=\${COMP_WORDS[n]}
    if [[ -n $flag ]]; then
      # --flag=value comes as three words.
      if [[ $word == = ]]; then continue; fi
      case $flag in
        --root | --bottle) where+=("$flag" "\${word/#\\~\\//$HOME/}") ;;
      esac
      flag=
      continue
    fi
    case $word in
      ${alternatives((value) => value !== "none")}) flag=$word ;;
      -*) ;;
      *) words+=("$word") ;;
    esac
  done
  if [[ -n $flag && $cur == = ]]; then cur=; fi
  case $flag in
    '') ;;
    ${alternatives((value) => value === "dir")}) _supervise_paths -d; return ;;
    ${alternatives((value) => value === "file")}) _supervise_paths -f; return ;;
    ${alternatives((value) => value === "slugs")}) _supervise_ask slugs; return ;;
${flagCases()}
    *) return ;;
  esac
  word="\${words[0]-}"
  case $word in
    ${
    families.map(quoted).join(" | ")
  }) if [[ \${#words[@]} -gt 1 ]]; then word="$word \${words[1]}"; fi ;;
  esac
  case $word in
    '')
      if [[ $cur == -* ]]; then _supervise_offer --help --root
      else ${offer(firsts)}; fi ;;
${families.map(family).join("\n")}
${verbs.map(verbCase).join("\n")}
  esac
}

complete -F _supervise supervise`;
}
