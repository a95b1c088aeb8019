// Read from standard input by a Deno in the container: tries what must not work, and prints what
// came of it.

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "read /etc/passwd": () => Deno.readTextFileSync("/etc/passwd"),
  "change the sidecar": () => Deno.writeTextFileSync("/supervise/sidecar/main.ts", ""),
  "add to the sidecar": () => Deno.writeTextFileSync("/supervise/sidecar/more.ts", ""),
  "add to the modules": () => Deno.writeTextFileSync("/supervise/.deno/more", ""),
  "write in the queue": () => {
    Deno.writeTextFileSync("/run/supervise/queue/probe", "");
    Deno.removeSync("/run/supervise/queue/probe");
  },
};

for (const [what, attempt] of Object.entries(ATTEMPTS)) {
  try {
    attempt();
    console.log(`${what}: allowed`);
  } catch {
    console.log(`${what}: denied`);
  }
}
