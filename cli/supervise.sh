#!/bin/sh
# Starts the operator's command line with the permissions it needs, and no others: to read and write
# the root, to read the files that flags name, to start the one editor or pager that it would open, to
# reach the hosts that notify.json names, to use what apply.json names. deno.json cannot grant this,
# because all of it is known only now.
set -euf
# With CDPATH set, cd would print, and could go elsewhere.
unset CDPATH

refuse() {
  printf '%s\n' "$1" >&2
  exit 2
}

# A comma would separate two grants. Deno removes a CR at the end of each of its arguments, so it would
# grant another path than the one that the program opens.
cr=$(printf '\r')
must_be_grantable() {
  case $1 in
    *,*) refuse "Cannot grant a path with a comma: $1" ;;
    *"$cr"*) refuse "Cannot grant a path with a carriage return: $1" ;;
  esac
}

# <location> Where the programs are; "supervise launcher" prints this script with a release's lines here.
# This is the checkout, also if the script was started through a link on the PATH.
self=$0
while [ -L "$self" ]; do
  target=$(readlink -- "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname -- "$self")/$target ;;
  esac
done
case $self in
  */*) here=${self%/*}/ ;;
  *) here=. ;;
esac
cd -P -- "$here"
here=$PWD
# Relative paths are meant from the operator's directory. deno task left it, and its own process is still
# there; its INIT_CWD can be older, because npm, npx and an outer task set that too. So without the word of
# deno.json's task, INIT_CWD is of another program.
started_in=$OLDPWD
if [ -n "${SUPERVISE_BY_TASK:-}" ]; then
  started_in=$(readlink -- "/proc/$PPID/cwd") || started_in=${INIT_CWD:-$OLDPWD}
fi
unset SUPERVISE_BY_TASK
cd -P -- "$started_in" 2>/dev/null ||
  refuse "Cannot enter $started_in, where this was started: start it in another directory"
appliers=$here/../appliers
extension=.ts
config=--config=$here/../deno.json
lock=--frozen
# </location>

# <flags> Made from the tables in cli/command/flags.ts: tests/cli/command/launcher_test.ts compares, and
# writes this anew with UPDATE_GOLDEN=1.
takes_value() {
  case $1 in
    --root |\
    --bottle |\
    --component |\
    --tool |\
    --since |\
    --until |\
    --for |\
    --show |\
    --to |\
    --action |\
    --host |\
    --sort |\
    --notes |\
    --file |\
    --sha256 |\
    --confirm |\
    --standing |\
    --group |\
    --operator |\
    --public-key |\
    --anchors |\
    --archive |\
    --routes |\
    --allowlist |\
    --dockerfile |\
    --client) ;;
    *) return 1 ;;
  esac
}

names_file() {
  case $1 in
    --file |\
    --public-key |\
    --anchors |\
    --archive |\
    --routes |\
    --allowlist |\
    --dockerfile) ;;
    *) return 1 ;;
  esac
}

edits() {
  case $1:$2 in
    approve:1 |\
    modify:* |\
    review:* |\
    edit:*) ;;
    *) return 1 ;;
  esac
}

notifies() {
  case $1:$2 in
    approve:1 |\
    review:* |\
    watch:* |\
    notify:*) ;;
    *) return 1 ;;
  esac
}

applies() {
  case $1:$2 in
    approve:* |\
    modify:* |\
    review:* |\
    watch:* |\
    apply:check |\
    apply:resolve |\
    edit:* |\
    rollback:* |\
    drift:* |\
    revoke:* |\
    expire:*) ;;
    *) return 1 ;;
  esac
}

pages() {
  case $1:$2 in
    audit:show) ;;
    *) return 1 ;;
  esac
}

takes_screen() {
  case $1:$2 in
    approve:1 |\
    review:*) ;;
    *) return 1 ;;
  esac
}

reads_only() {
  case $1:$2 in
    policy:test |\
    policy:suggest |\
    apply:init |\
    doctor:* |\
    completions:* |\
    launcher:* |\
    help:*) ;;
    *) return 1 ;;
  esac
}

starts_sidecars() {
  case $1:$2 in
    bottle:up |\
    bottle:down |\
    bottle:status |\
    bottle:remove) ;;
    *) return 1 ;;
  esac
}

choose_program() {
  case $1:$2:$3 in
    list:*:*) program=verbs/list ;;
    show:*:*) program=verbs/show ;;
    approve:1:*) program=verbs/review ;;
    approve:*:*) program=verbs/decide ;;
    modify:*:*) program=verbs/decide ;;
    reject:*:*) program=verbs/decide ;;
    review:*:*) program=verbs/review ;;
    watch:*:*) program=verbs/watch ;;
    notify:*:*) program=verbs/notify ;;
    policy:*:test) program=verbs/policy ;;
    policy:*:suggest) program=verbs/suggest ;;
    policy:*:standing) program=verbs/standing ;;
    apply:*:init) program=verbs/apply ;;
    apply:*:check) program=verbs/apply ;;
    apply:*:resolve) program=verbs/apply_state ;;
    edit:*:*) program=verbs/edit ;;
    versions:*:*) program=verbs/versions ;;
    rollback:*:*) program=verbs/versions ;;
    drift:*:*) program=verbs/versions ;;
    freeze:*:*) program=verbs/apply_state ;;
    grants:*:*) program=verbs/grants ;;
    revoke:*:*) program=verbs/grants ;;
    expire:*:*) program=verbs/grants ;;
    audit:*:show) program=verbs/audit_show ;;
    audit:*:verify) program=verbs/audit_verify ;;
    audit:*:export) program=verbs/audit ;;
    audit:*:head) program=verbs/audit ;;
    bottle:*:add) program=verbs/bottle ;;
    bottle:*:up) program=verbs/bottle ;;
    bottle:*:down) program=verbs/bottle ;;
    bottle:*:status) program=verbs/bottle ;;
    bottle:*:list) program=verbs/bottle ;;
    bottle:*:remove) program=verbs/bottle ;;
    doctor:*:*) program=verbs/doctor ;;
    *) program=main ;;
  esac
}
# </flags>

# A variable of blanks alone counts as unset.
case ${CLAUDE_BOTTLE_ROOT:-} in
  *[![:space:]]*) root=$CLAUDE_BOTTLE_ROOT ;;
  *) root=${HOME:+$HOME/.claude-bottle} ;;
esac
readable=
flag=
verb=
second=
words=0
plain=
decide=
all_words=

# What the value of a flag grants.
take() {
  if [ "$1" = --root ]; then
    root=$2
  elif names_file "$1"; then
    case $2 in
      - | '') ;;
      *)
        must_be_grantable "$2"
        readable=$readable,$2
        ;;
    esac
  fi
}

# The words as splitArgs in cli/command/flags.ts splits them.
for word in "$@"; do
  if [ -n "$flag" ]; then
    take "$flag" "$word"
    flag=
    continue
  fi
  case $all_words$word in
    --) all_words=yes ;;
    --plain | --plain=true) plain=yes ;;
    --plain=false) plain= ;;
    --decide | --decide=true) decide=yes ;;
    --decide=false) decide= ;;
    --*=*) take "${word%%=*}" "${word#*=}" ;;
    -?*) if takes_value "$word"; then flag=$word; fi ;;
    *)
      words=$((words + 1))
      case $words in
        1) verb=$word ;;
        2) second=$word ;;
      esac
      ;;
  esac
done
[ -n "$root" ] || refuse "Cannot find the root: set CLAUDE_BOTTLE_ROOT or HOME, or give --root"

# The program that a command line names. splitWords in cli/command/split_words.ts takes no other character
# for more than itself, so a line without these is split alike here; with one, that file splits it. The LF
# keeps a CR at the line's end, which Deno would remove, and is no part of a word.
program_in() {
  case $1 in
    *[\'\"\\~]*)
      deno run --quiet --no-prompt --no-config --no-lock --allow-env=HOME \
        "$here/command/split_words$extension" "$1
" || :
      ;;
    *) for word in $1; do
      printf '%s\n' "$word"
      break
    done ;;
  esac
}

# A verb that edits may start the editor.
editor=
if edits "$verb" "$words"; then
  editor=$(program_in "${VISUAL:-}")
  editor=${editor:-$(program_in "${EDITOR:-}")}
  editor=${editor:-vi}
fi

# On a terminal, a verb with many rows may start the pager, and learn its name.
pager=
if [ -z "$plain" ] && [ -t 1 ] && pages "$verb" "$second"; then
  pager=$(program_in "${PAGER:-}")
  pager=${pager:-less}
fi

# Prints the path behind all links in a directory's path, and a dot that keeps a newline at its end; prints
# nothing if there is no link in it.
behind_links() {
  cd -- "$1" 2>/dev/null || return
  given=$PWD
  cd -P .
  [ "$PWD" = "$given" ] || printf '%s.' "$PWD"
}

# Deno checks some calls against the path behind the links, so the program may also read the root by that
# path. Deno, and cd without -P, take ".." for the part before it, and follow links after that. Links below
# the root are not resolved, because the sidecar's owner can make some of them.
case $root in
  /*) exists=$root ;;
  *) exists=${PWD%/}/$root ;;
esac
missing=
until resolved=$(behind_links "${exists:-/}"); do
  missing=/${exists##*/}$missing
  exists=${exists%/*}
done
case $resolved:$missing/ in
  :* | *:*/../*) resolved=$root ;;
  *)
    resolved=${resolved%.}
    resolved=${resolved%/}$missing
    readable=,$resolved$readable
    ;;
esac

for path in "$root" "$resolved" "$editor" "$pager"; do
  must_be_grantable "$path"
done

# A verb that notifies may reach the hosts that notify.json names. No verb may reach another host.
net=
if notifies "$verb" "$words" && [ -e "$resolved/notify.json" ]; then
  net=$(deno run --quiet --no-prompt --no-config --no-lock --allow-read="$root/notify.json" \
    --allow-sys=uid "$here/notify/config$extension" "$root/notify.json") || net=
  # A receiver on this host is reached in clear text, and so never through a proxy.
  NO_PROXY=localhost,127.0.0.1,::1,${NO_PROXY:-${no_proxy:-}}
  export NO_PROXY
fi

# A verb that applies may start the programs of apply.json, reach its addresses, and read and write the
# directories of what it renders.
programs=
directories=
if applies "$verb" "$second" && { [ "$verb" != watch ] || [ -n "$decide" ]; } &&
  [ -e "$resolved/apply.json" ]; then
  while IFS= read -r line; do
    value=${line#* }
    must_be_grantable "$value"
    case $line in
      "run "*) programs=$programs${programs:+,}$value ;;
      "net "*) net=$net${net:+,}$value ;;
      "use "*) directories=$directories,$value ;;
    esac
  done <<END
$(deno run --quiet --no-prompt --no-config --no-lock --allow-read="$root/apply.json" \
    --allow-run=/bin/ls --allow-sys=uid "$appliers/config$extension" "$root/apply.json")
END
  readable=$readable$directories
fi

# A verb that only reads may not write.
write=$root$directories
if reads_only "$verb" "$second"; then write=; fi

# No verb starts both an editor and a pager. The full screen may also start suspend.sh, which a release has
# not as a file.
run=$editor$pager
screen=
if [ -z "$plain" ] && takes_screen "$verb" "$words" && [ -t 0 ] && [ -t 1 ]; then
  screen=yes
  if [ -n "$extension" ]; then
    must_be_grantable "$here"
    run=${editor:+$editor,}$here/suspend.sh
  fi
fi
# A verb that starts and stops sidecars may run what does it, each by its path of now.
if starts_sidecars "$verb" "$second"; then
  for name in podman docker systemctl; do
    found=$(command -v "$name") || continue
    must_be_grantable "$found"
    run=${run:+$run,}$found
  done
fi

run=$run${programs:+${run:+,}$programs}

# A release has one program for all verbs, in a checkout each verb has its own.
choose_program "$verb" "$words" "$second"
program=${extension:+/$program$extension}

# With an empty cache Deno downloads for a while. On a terminal the first start says so, and Deno shows its
# progress. tldts is one of the packages.
is_cached() {
  set +f
  for package in "$1"/npm/*/tldts; do
    set -f
    [ ! -e "$package" ] || return 0
  done
  return 1
}
quiet=--quiet
if [ -t 2 ] && ! is_cached "${DENO_DIR:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/deno}" &&
  ! is_cached "${HOME:-}/Library/Caches/deno"; then
  quiet=
  echo "Downloading packages, once..." >&2
fi

# V8 collects twice while a verb starts, unless the young generation begins with some room.
set -- run $quiet --no-prompt "$lock" "$config" --v8-flags=--min-semi-space-size=8 \
  --allow-read="$root$readable" ${write:+"--allow-write=$write"} ${run:+"--allow-run=$run"} \
  --allow-env=CLAUDE_BOTTLE_ROOT,HOME,VISUAL,EDITOR,NO_COLOR,COLUMNS,TERM,TERM_PROGRAM${pager:+,PAGER} \
  --allow-sys=hostname,uid,gid,userInfo,statfs ${net:+"--allow-net=$net"} "$here$program" "$@"
[ -n "$screen" ] || exec deno "$@"

# A program that was killed, or crashed, cannot clean up behind itself. So this shell stays, to leave the
# terminal as it was: its modes, and no cursor hidden, no screen left over, no paste in brackets.
modes=$(stty -g)
exec 3<&0
deno "$@" <&3 3<&- &
child=$!
trap 'kill -TERM "$child" 2>/dev/null || :' TERM
trap 'kill -HUP "$child" 2>/dev/null || :' HUP
# Ctrl-C in an editor is for the editor. This shell must live on to restore the terminal.
trap : INT QUIT
code=0
while :; do
  wait "$child" && code=0 || code=$?
  kill -0 "$child" 2>/dev/null || break
done
if [ "$code" -ge 128 ]; then
  stty "$modes" 2>/dev/null || :
  case $code in
    # The program left the screen itself. To leave it twice would put the cursor over its last words.
    129 | 130 | 131 | 143) ;;
    *)
      printf '\033[m\033[?2026l\033[?2004l\033[?7h\033[999;1H\033[?1049l\033[?25h'
      echo "The screen was ended from outside. What could still be undone was not written." >&2
      ;;
  esac
fi
exit "$code"
