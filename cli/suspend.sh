#!/bin/sh
# Stops the job that it belongs to, as Ctrl-Z does in a terminal that takes it for a signal; fg goes on.
# The operator's screen may start nothing else but the editor, and no process may stop its group itself.
# STOP, because deno task hears TSTP and goes on. That stops also where no shell is there to go on again,
# so first it is looked up that the job is one of a shell's: its group is not its session's own.
if [ -r "/proc/$$/stat" ]; then
  read -r stat <"/proc/$$/stat"
  # Behind the name, which may have blanks in it: state, parent, group, session.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$3" != "$4" ] || exit 1
  kill -STOP 0
else
  kill -TSTP 0
fi
