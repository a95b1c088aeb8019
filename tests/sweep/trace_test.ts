import { chooseFaults, faultsAt, nameOf, pointsIn } from "./points.ts";
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
  const renamed = { thread: undefined, call: "rename", path: ".x.tmp", changes: true };
  assertEquals(readTrace(text, "/r"), [renamed]);
});

Deno.test("pointsIn() counts the calls on a file for each thread", () => {
  assertEquals(
    pointsIn(OUTPUT, "/r", 20).map(nameOf).filter((name) => name.startsWith("openat a.log")),
    ["openat a.log 1", "openat a.log 1 other-thread", "openat a.log 2"],
  );
});

const DECIDING = `openat(AT_FDCWD</home>, "/r/a.log", O_RDONLY) = 5</r/a.log>
read(5</r/a.log>, "", 4096) = 0
read(5</r/a.log>, "", 4096) = 0
read(5</r/a.log>, "", 4096) = 0
openat(AT_FDCWD</home>, "/r/.b.tmp", O_WRONLY|O_CREAT|O_EXCL, 0600) = 6</r/.b.tmp>
clone(child_stack=NULL, flags=SIGCHLD) = 30
[pid    30] execve("/r/reload", ["/r/reload"], 0x55 /* 0 vars */) = 0
[pid    20] wait4(30, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], WNOHANG, NULL) = 30
rename("/r/.b.tmp", "/r/b") = 0
statx(AT_FDCWD</home>, "/r/b", AT_SYMLINK_NOFOLLOW, STATX_ALL, {stx_mask=0}) = 0
`;

const pointsOfDeciding = () => pointsIn(DECIDING, "/r", 20, (thread) => thread === 20);

Deno.test("pointsIn() has the start and the end of a program, and none of the program's own calls", () => {
  assertEquals(pointsOfDeciding().map(nameOf).slice(4, 7), [
    "openat .b.tmp 1",
    "clone program 1",
    "wait4 program 1",
  ]);
});

Deno.test("chooseFaults() kills where something changes and at the end, and fails the first and last read", () => {
  const points = pointsOfDeciding();
  const chosen = (before?: ReadonlySet<string>) =>
    chooseFaults(points, before).map(({ point, fault }) => `${nameOf(point)} ${fault}`);
  const changing = [
    ...["openat .b.tmp 1 SIGKILL", "openat .b.tmp 1 EIO", "openat .b.tmp 1 ENOSPC"],
    ...["clone program 1 SIGKILL", "clone program 1 EIO"],
    ...["wait4 program 1 SIGKILL", "wait4 program 1 EIO"],
    ...["rename .b.tmp 1 SIGKILL", "rename .b.tmp 1 EIO", "rename .b.tmp 1 ENOSPC"],
    ...["statx b 1 SIGKILL", "statx b 1 EIO"],
  ];
  const reading = ["openat a.log 1 EIO", "read a.log 1 EIO", "read a.log 3 EIO"];
  assertEquals(chosen(), [...reading, ...changing]);
  // Another lane of the verb hit these before.
  assertEquals(chosen(new Set(["openat a.log main", "read a.log main"])), changing);
  assertEquals(
    chosen(new Set(["openat a.log main", "read a.log main", "rename .b.tmp main"])),
    changing.filter((name) => name !== "rename .b.tmp 1 ENOSPC"),
  );
  assertEquals(points.flatMap(faultsAt).length, 20);
});
