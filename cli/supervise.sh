#!/bin/sh
# Starts the operator's command line with the permissions it needs, and no others: to read and write
# the root, to read the files that flags name, to start the one editor that it would open.
# deno.json cannot say this, because the root and the editor are only known now.
set -euf
# With it cd would print, and go elsewhere.
unset CDPATH

refuse() {
  printf '%s\n' "$1" >&2
  exit 2
}

# The checkout, also when this was reached through a link on the PATH.
self=$0
while [ -L "$self" ]; do
  target=$(readlink -- "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname -- "$self")/$target ;;
  esac
done
here=$(cd -- "$(dirname -- "$self")" && pwd -P)

# A task runs in the checkout; what is typed is meant where it was typed.
cd -- "${INIT_CWD:-.}"

# The words as cli/flags.ts reads them: each of these flags takes the next word, whatever it is.
root=${CLAUDE_BOTTLE_ROOT:-${HOME:+$HOME/.claude-bottle}}
readable=
flag=

# A comma separates two grants.
grant() {
  case $1 in
    - | '') ;;
    *,*) refuse "Cannot grant a path with a comma: $1" ;;
    *) readable=$readable,$1 ;;
  esac
}

for word in "$@"; do
  case $flag in
    --root) root=$word ;;
    --file | --public-key | --anchors | --archive) grant "$word" ;;
  esac
  if [ -n "$flag" ]; then
    flag=
    continue
  fi
  case $word in
    --) break ;;
    --root=*) root=${word#--root=} ;;
    --file=* | --public-key=* | --anchors=* | --archive=*) grant "${word#*=}" ;;
    --root | --file | --public-key | --anchors | --archive) flag=$word ;;
    --bottle | --component | --notes | --sha256 | --confirm | --operator) flag=$word ;;
    --tool | --since | --sort) flag=$word ;;
  esac
done
[ -n "$root" ] || refuse "Cannot find the root: set CLAUDE_BOTTLE_ROOT or HOME, or give --root"

# The first word of the editor's command line is the program.
editor=
for word in ${VISUAL:-${EDITOR:-}}; do
  editor=$word
  break
done
editor=${editor:-vi}

case $root,$editor in
  *,*,*) refuse "Cannot grant a path with a comma: $root, $editor" ;;
esac

exec deno run --quiet --no-prompt --frozen --config "$here/../deno.json" \
  --allow-read="$root$readable" --allow-write="$root" --allow-run="$editor" \
  --allow-env=CLAUDE_BOTTLE_ROOT,HOME,VISUAL,EDITOR,NO_COLOR \
  --allow-sys=hostname,uid,gid,userInfo,statfs \
  "$here/main.ts" "$@"
