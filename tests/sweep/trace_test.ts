import { nameOf, pointsIn } from "./points.ts";
import { readTrace } from "./trace.ts";
import { assertEquals } from "@std/assert";

const OUTPUT = `strace: Process 20 attached with 2 threads
[pid    20] statx(AT_FDCWD</home>, "/r/queue", AT_SYMLINK_NOFOLLOW, STATX_ALL, {stx_mask=0}) = 0
[pid    20] openat(AT_FDCWD</home>, "/r/a.log", O_RDONLY) = 5</r/a.log>
[pid    20] mkdir("/r/private", 0700 <unfinished ...>
[pid    21] openat(AT_FDCWD</home>, "/r/a.log", O_RDWR|O_APPEND) = 6</r/a.log>
[pid    20] <... mkdir resumed>)        = 0
[pid    20] read(5</r/a.log>, "{\\"path\\":\\"/r/b.log\\"}", 4096) = 20
[pid    20] openat(AT_FDCWD</home>, "/r/a.log", O_RDONLY) = -1 EIO (Input/output error) (INJECTED)
[pid    20] linkat(AT_FDCWD</home>, "/r/x", AT_FDCWD</home>, "/r/queue/y", 0) = 0
[pid    20] close(7</r/x (deleted)>) = 0
[pid    20] openat(AT_FDCWD</home>, "/r", O_RDONLY) = 8</r>
[pid    20] unlinkat(8</r>, "b.log", 0) = 0
[pid    20] write(1</tmp/out>, "recorded in /r/a.log", 20) = 20
[pid    20] openat(AT_FDCWD</home>, "/root/a.log", O_RDONLY) = -1 ENOENT (No such file or directory)
[pid    20] write(1<pipe:[7]>, "/r/a.log", 8) = 8
[pid    20] +++ exited with 0 +++
`;

Deno.test("readTrace() finds the calls on files under a root, and no others", () => {
  const calls = readTrace(OUTPUT, "/r").map(({ thread, call, path }) =>
    `${thread} ${call} ${path}`
  );
  assertEquals(calls, [
    "20 statx queue",
    "20 openat a.log",
    "20 mkdir private",
    "21 openat a.log",
    "20 read a.log",
    "20 openat a.log",
    "20 linkat x",
    "20 close x",
    "20 openat .",
    "20 unlinkat .",
  ]);
});

Deno.test("readTrace() reads what strace writes of a single thread", () => {
  const text = 'rename("/r/.x.tmp", "/r/x") = ?\n+++ killed by SIGKILL +++\n';
  assertEquals(readTrace(text, "/r"), [{ thread: undefined, call: "rename", path: ".x.tmp" }]);
});

Deno.test("pointsIn() counts the calls on a file for each thread", () => {
  assertEquals(
    pointsIn(OUTPUT, "/r", 20).map(nameOf).filter((name) => name.startsWith("openat a.log")),
    ["openat a.log 1", "openat a.log 1 other-thread", "openat a.log 2"],
  );
});
