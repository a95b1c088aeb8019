#!/bin/sh
# Starts the operator's command line with the permissions it needs, and no others: to read and write
# the root, to read the one file that --file names, to start the one editor that it would open.
# deno.json cannot say this, because the root and the editor are only known now.
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd)
root=${CLAUDE_BOTTLE_ROOT:-$HOME/.claude-bottle}
file=
before=
for word in "$@"; do
  case $before in
    --root) root=$word ;;
    --file) file=$word ;;
  esac
  case $word in
    --root=*) root=${word#--root=} ;;
    --file=*) file=${word#--file=} ;;
  esac
  before=$word
done
editor=${VISUAL:-${EDITOR:-vi}}

# A comma separates paths in a permission.
case $root$file in
  *,*)
    echo "Cannot use $root${file:+ and $file}: a path with a comma cannot be granted" >&2
    exit 2
    ;;
esac
case $file in
  '' | -) readable=$root ;;
  *) readable=$root,$file ;;
esac

exec deno run --quiet --no-prompt --frozen --config "$here/../deno.json" \
  --allow-read="$readable" --allow-write="$root" --allow-run="${editor%% *}" \
  --allow-env=CLAUDE_BOTTLE_ROOT,HOME,USER,LOGNAME,VISUAL,EDITOR,NO_COLOR \
  --allow-sys=hostname,uid \
  "$here/main.ts" "$@"
