/**
 * A sidecar that, once it listens, tries what it must not be able to do, and prints what came of it.
 *
 * @module
 */

import { main } from "../../sidecar/main.ts";

const [queueDir, beside, otherPort] = Deno.args as [string, string, string];

/** Computed, because Deno loads what is imported by a literal name before any code runs. */
const passwd = ["", "etc", "passwd"].join("/");

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "read /etc/passwd": () => Deno.readTextFile("/etc/passwd"),
  "list the folder above the queue": () => Deno.readDirSync(`${queueDir}/..`).next(),
  "write beside the queue": () => Deno.writeTextFile(beside, "x"),
  "link out of the queue": () => Deno.symlink("/etc/passwd", `${queueDir}/link`),
  "connect out": () => Deno.connect({ hostname: "127.0.0.1", port: Number(otherPort) }),
  "fetch out": () => fetch(`http://127.0.0.1:${otherPort}/`),
  "listen on another port": () => Deno.listen({ hostname: "127.0.0.1", port: Number(otherPort) }),
  "start a process": () => new Deno.Command("true").output(),
  "read another variable": () => Deno.env.get("HOME"),
  "list the environment": () => Deno.env.toObject(),
  "read the host's name": () => Deno.hostname(),
  "call a library": () => Deno.dlopen("libc.so.6", {}),
  "import from disk": () => import(passwd),
  "write in the queue": () => Deno.writeTextFile(`${queueDir}/own`, "x"),
};

void main([`--slug=dev-1`, `--queue-dir=${queueDir}`, "--port=0"]);

for (const [what, attempt] of Object.entries(ATTEMPTS)) {
  try {
    await attempt();
    console.log(`${what}: allowed`);
  } catch (error) {
    // A computed import is refused by the module loader, in the same words.
    const denied = error instanceof Deno.errors.NotCapable ||
      error instanceof Error && /^Requires .* access/.test(error.message);
    console.log(`${what}: ${denied ? "denied" : error}`);
  }
}

Deno.exit(0);
