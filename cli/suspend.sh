#!/bin/sh
# Stops the job that it belongs to, as Ctrl-Z does; fg goes on with it. The operator's screen runs this
# script because Deno lets no program send a signal to its own group.
# It sends STOP, because deno task catches TSTP. STOP also works where no shell could go on with the job,
# so the script first checks that a shell controls the job: then its group is not its session's own.
if [ -r "/proc/$$/stat" ]; then
  read -r stat <"/proc/$$/stat"
  # After the name, which may contain blanks: state, parent, group, session.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$3" != "$4" ] || exit 1
  kill -STOP 0
else
  kill -TSTP 0
fi
