/**
 * Completion for zsh, 5.0 and later.
 *
 * @module
 */

import {
  alternatives,
  type CompletedFlag,
  completedFlags,
  type CompletedVerb,
  quoted,
} from "../flags.ts";

/** Words with a description each, as `_describe` wants them. */
function described(rows: readonly (readonly [word: string, about: string])[]): string {
  const row = ([word, about]: readonly [string, string]) =>
    quoted(`${word.replaceAll(":", "\\:")}:${about}`);
  return rows.map(row).join(" ");
}

function flagRows(flags: readonly CompletedFlag[]): string {
  return described(flags.map(({ name, about }) => [name, about]));
}

function verbCase({ name, flags, words, single }: CompletedVerb): string {
  const arity = name.split(" ").length;
  const offered = words === "ids"
    ? "_supervise_ask ids"
    : words === "none"
    ? ":"
    : `compadd -- ${words.map(quoted).join(" ")}`;
  const argument = single && words !== "none" ? `(( count == 0 )) && ${offered}` : offered;
  return `    ${quoted(name)})
      count=$(( \${#typed} - ${arity} ))
      if [[ $PREFIX == -* ]]; then offered=(${flagRows(flags)}); _describe -o flag offered
      else ${argument}; fi ;;`;
}

/**
 * Makes the script.
 *
 * @param verbs The verbs.
 * @returns A script to be sourced, or to lie in a directory of \`fpath\` as \`_supervise\`.
 */
export function zshScript(verbs: readonly CompletedVerb[]): string {
  const firsts = [...new Set(verbs.map(({ name }) => name.split(" ")[0]!))];
  const families = firsts.filter((first) => !verbs.some(({ name }) => name === first));
  const aboutFirst = (first: string) =>
    verbs.find(({ name }) => name === first)?.about ??
      verbs.filter(({ name }) => name.startsWith(`${first} `))
        .map(({ name }) => name.slice(first.length + 1)).join(", ");
  const family = (first: string) => {
    const subs = verbs.filter(({ name }) => name.startsWith(`${first} `))
      .map(({ name, about }): [string, string] => [name.slice(first.length + 1), about]);
    return `    ${quoted(first)}) offered=(${described(subs)}); _describe verb offered ;;`;
  };
  const choices = completedFlags().flatMap(({ name, value }) =>
    typeof value === "string"
      ? []
      : [`    ${name}) compadd -- ${value.map(quoted).join(" ")}; return ;;`]
  );
  return `#compdef supervise
# Completes supervise in zsh. Made by "supervise completions zsh"; in ~/.zshrc, after compinit:
#   source <(supervise completions zsh)

# Ids and slugs are names of files that others may have made: each is checked, none is evaluated.
_supervise_ask() {
  local line
  local -a found
  for line in \${(f)"$(command supervise completions $1 $where 2>/dev/null </dev/null)"}; do
    [[ \${line%%$'\\t'*} =~ '^[0-9A-Za-z][0-9A-Za-z._-]*$' ]] && found+=("\${line%%$'\\t'*}")
  done
  compadd -a found
}

_supervise() {
  local flag= word= n count
  local -a typed where offered
  for (( n = 2; n < CURRENT; n++ )); do
    word=\${(Q)words[n]}
    if [[ -n $flag ]]; then
      case $flag in
        --root | --bottle) where+=($flag "\${word/#\\~\\//$HOME/}") ;;
      esac
      flag=
      continue
    fi
    case $word in
      ${alternatives((value) => value !== "none")}) flag=$word ;;
      --root=* | --bottle=*) where+=("$word") ;;
      -*) ;;
      *) typed+=("$word") ;;
    esac
  done
  if [[ -z $flag && $PREFIX == --*=* ]]; then
    flag=\${PREFIX%%=*}
    compset -P '*='
  fi
  case $flag in
    '') ;;
    ${alternatives((value) => value === "dir")}) _files -/; return ;;
    ${alternatives((value) => value === "file")}) _files; return ;;
    ${alternatives((value) => value === "slugs")}) _supervise_ask slugs; return ;;
${choices.join("\n")}
    *) return ;;
  esac
  word=\${typed[1]-}
  case $word in
    ${families.map(quoted).join(" | ")}) (( \${#typed} > 1 )) && word="$word \${typed[2]}" ;;
  esac
  case $word in
    '')
      if [[ $PREFIX == -* ]]; then compadd -- --help --root
      else offered=(${
    described(firsts.map((first) => [first, aboutFirst(first)]))
  }); _describe verb offered; fi ;;
${families.map(family).join("\n")}
${verbs.map(verbCase).join("\n")}
  esac
}

# Autoloaded, this file is the function; sourced, it has to be made known.
if [[ \${funcstack[1]} == _supervise ]]; then _supervise "$@"; else compdef _supervise supervise; fi`;
}
