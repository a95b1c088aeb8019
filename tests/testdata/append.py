"""Appends entries to an audit log as the Python original does: under flock(2), opened to append.

Usage: append.py LOG NAME COUNT. Says "ready", then starts when its input ends. Each line goes out in
two writes with a sync between them, so that an append that ignores the lock would tear it.
"""

import fcntl
import json
import os
import sys

log, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.read()
for n in range(count):
    line = json.dumps({
        "timestamp": "2026-11-22T10:49:36.924880+00:00",
        "bottle_slug": "dev-1",
        "component": "pipelock",
        "operator_action": "approved",
        "operator_notes": f"{name} {n}",
        "justification": "é" * 500,
        "diff": "",
    }) + "\n"
    middle = len(line) // 2
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    os.write(fd, line[:middle].encode())
    os.fsync(fd)
    os.write(fd, line[middle:].encode())
    fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)
