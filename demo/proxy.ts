/**
 * A proxy of the demo's own, if one is installed that this user can start: it enforces the bottle's allowlist, as
 * one does in a real bottle, and an origin behind it answers by any name.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";

const EXAMPLES = fromFileUrl(new URL("../examples/", import.meta.url));

/** The made-up hosts of the demo. No name server is asked for them, nor for others. */
const HOSTS = ["mirror.internal.example", "files.example.net", "probe.example.net"];

/** The proxies that the demo can use; as `examples/` has them, but for these lines. */
const KINDS = [
  {
    program: "/usr/sbin/squid",
    // It would become another user, who may not read root's files.
    runsAsRoot: false,
    files: ["apply.json", "squid.conf", "check.conf", "common.conf"],
    port: 3128,
    linesIn: "common.conf",
    lines: (dir: string) =>
      `hosts_file ${dir}/hosts\ndns_nameservers 127.0.0.1\ndns_timeout 1 second\n` +
      "shutdown_lifetime 0 seconds\n",
  },
  {
    program: "/usr/bin/tinyproxy",
    runsAsRoot: true,
    files: ["apply.json", "tinyproxy.conf"],
    port: 8888,
    linesIn: "tinyproxy.conf",
    lines: (_: string, origin: string) => `Upstream http ${origin}\n`,
  },
] as const;

/** A proxy that runs. */
export interface RunningProxy {
  /** Its program. */
  readonly program: string;
  /** `host:port` on which it listens. */
  readonly address: string;
  /** What the agent asks for through it. */
  readonly target: string;
  /** Ends it, and the origin. */
  readonly stop: () => Promise<void>;
}

/** A port that nothing listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Starts the first proxy that can be started, by an `apply.json` that it writes; `undefined` if none can. */
export async function startProxy(root: string): Promise<RunningProxy | undefined> {
  const dir = join(root, "proxy");
  await Deno.mkdir(dir, { mode: 0o700 });
  await Deno.writeTextFile(join(dir, "allowed"), "");
  await Deno.writeTextFile(
    join(dir, "hosts"),
    HOSTS.map((host) => `127.0.0.1 ${host}\n`).join(""),
  );
  const origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("files"),
  );
  const { port: originPort } = origin.addr;
  const isRoot = (await Deno.stat(root)).uid === 0;
  for (const { program, runsAsRoot, files, port, linesIn, lines } of KINDS) {
    if (isRoot && !runsAsRoot) continue;
    const own = freePort();
    const name = program.slice(program.lastIndexOf("/") + 1);
    for (const file of files) {
      const text = (await Deno.readTextFile(join(EXAMPLES, name, file)))
        .replaceAll("/srv/proxy", dir)
        .replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${own}`)
        .replace(`Port ${port}\n`, `Port ${own}\n`);
      const more = file === linesIn ? lines(dir, `127.0.0.1:${originPort}`) : "";
      // Others must not be able to write it, whatever the umask is.
      const mode = { mode: 0o600 };
      await Deno.writeTextFile(join(file === "apply.json" ? root : dir, file), text + more, mode);
    }
    // Into the background by itself, as `start` of apply.json does.
    const conf = join(dir, `${name}.conf`);
    await sh('exec "$0" "$1" "$2"', program, name === "squid" ? "-f" : "-c", conf);
    if (await becomes(own, true)) {
      const stop = async () => {
        await sh('kill "$(cat "$0")"', join(dir, `${name}.pid`));
        await becomes(own, false);
        await origin.shutdown();
      };
      const target = `http://files.example.net:${originPort}/`;
      return { program, address: `127.0.0.1:${own}`, target, stop };
    }
    await Deno.remove(join(root, "apply.json"));
  }
  await origin.shutdown();
  return undefined;
}

async function sh(...args: string[]): Promise<void> {
  const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
  await new Deno.Command("sh", { args: ["-c", ...args], ...quiet }).output();
}

/** How long a proxy may take to start, or to end. */
const PATIENCE_MS = 5_000;

/** Waits until something listens on a port, or nothing does; gives whether it came to that. */
async function becomes(port: number, isListening: boolean): Promise<boolean> {
  const endMs = performance.now() + PATIENCE_MS;
  while (performance.now() < endMs) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    connection?.close();
    if (isListening === (connection !== undefined)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
