#!/bin/sh
# Stops the job that it belongs to, as Ctrl-Z does in a terminal that takes it for a signal; fg goes on.
# The operator's screen may start nothing else but the editor, and no process may stop its group itself.
kill -TSTP 0
