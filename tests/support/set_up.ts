/**
 * Sets up a real program as `examples/` has it, with ports that are free and made-up hosts.
 *
 * @module
 */

import { parseApplyConfig } from "../../appliers/config.ts";
import { hookApplier } from "../../appliers/hooks.ts";
import { presetFiles } from "../../appliers/presets.ts";
import { type Applier, type ConfigChange, type Tool, TOOL_PIPELOCK_BLOCK } from "../../mod.ts";
import { run } from "./run.ts";
import { type TempDir, tempDir } from "./temp.ts";
import { becomeUser, ranAlone } from "./user.ts";

/**
 * A test with a real program: in a process of its own, as an ordinary user, with an origin on loopback.
 *
 * @param ignore Whether the program is missing.
 * @param test Gets an empty directory, and the origin's `host:port`.
 * @param answer What the origin answers; `origin` unless given.
 */
export function testWithOrigin(
  name: string,
  ignore: boolean,
  test: (dir: TempDir, origin: string) => Promise<void>,
  answer: (request: Request) => Response = () => new Response("origin"),
): void {
  Deno.test(name, { ignore }, async (t) => {
    if (await ranAlone(t)) return;
    const dir = await tempDir();
    await becomeUser(dir.path);
    await using _removed = dir;
    await using origin = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      answer,
    );
    await test(dir, `127.0.0.1:${origin.addr.port}`);
  });
}

/** A port that nothing listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A set-up of one program. */
export interface SetUp extends AsyncDisposable {
  /** `host:port` on which it listens. */
  readonly address: string;
  /** The applier of its `apply.json`, with single fields of the component replaced. */
  readonly applier: (more?: object) => Applier;
  readonly change: (before: string | null, after: string | null) => ConfigChange;
  /** The path of the file that it reads. */
  readonly to: string;
}

/**
 * Writes the files of an example, starts its program by its own `apply.json`, and ends it in the end.
 *
 * @param dir A directory that is empty.
 * @param name The example.
 * @param first The file in force at first.
 * @param options What is not as in the example: lines for one file; the port that the example names; the tool; where its program is.
 */
export async function setUp(
  dir: TempDir,
  name: string,
  first: string,
  { lines = {}, port, tool = TOOL_PIPELOCK_BLOCK, program = ["/nowhere", "/nowhere"] }: {
    lines?: Record<string, string>;
    port: number;
    tool?: Tool;
    program?: readonly [named: string, here: string];
  },
): Promise<SetUp> {
  const own = freePort();
  await Deno.mkdir(dir.at("proxy"), { mode: 0o700 });
  const adapt = (text: string) =>
    text.replaceAll(program[0], program[1])
      .replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${own}`)
      .replace(new RegExp(`^Port ${port}$`, "m"), `Port ${own}`);
  const files = Object.entries(presetFiles(name, dir.at("proxy"))!)
    .map(([file, text]) => [file, adapt(text)] as const);
  for (const [file, text] of files) {
    if (file === "apply.json") continue;
    await Deno.writeTextFile(dir.at("proxy", file), `${text}${lines[file] ?? ""}`);
  }
  const [component, settings] = Object.entries(JSON.parse(files[0]![1]))[0] as [string, object];
  const applier = (more: object = {}) =>
    hookApplier(
      parseApplyConfig(
        JSON.stringify({
          [component]: {
            ...settings,
            ...("probe" in settings
              ? { probe: { ...settings.probe as object, within_seconds: 5 } }
              : {}),
            ...more,
          },
        }),
        "apply.json",
      ),
    );
  const change = (before: string | null, after: string | null) => ({
    root: dir.path,
    bottleSlug: "dev-1",
    tool,
    path: "unused",
    before,
    after,
  });
  // It does not run yet, so this is what starts it.
  await applier().restore(change(null, first));
  return {
    address: `127.0.0.1:${own}`,
    applier,
    change,
    to: (settings as { to?: string }).to ?? "",
    [Symbol.asyncDispose]: async () => {
      for await (const { name } of Deno.readDir(dir.at("proxy"))) {
        if (name.endsWith(".pid")) await end(dir.at("proxy", name));
      }
    },
  };
}

/** Ends the program that a file names, with the other processes of its session. */
async function end(pidFile: string): Promise<void> {
  const pid = Number(await Deno.readTextFile(pidFile).catch(() => ""));
  if (!(pid > 1)) return;
  const session = (await run("ps", ["-o", "sid=", "-p", `${pid}`])).out.trim();
  const all = session === "" ? [] : (await run("ps", ["-o", "pid=", "-s", session])).out.trim();
  for (const one of [...String(all).split(/\s+/).map(Number), pid].filter((one) => one > 1)) {
    try {
      Deno.kill(one, "SIGKILL");
    } catch {
      // It is gone.
    }
  }
}

/**
 * What a client of a proxy gets, with curl.
 *
 * @param proxy `host:port`.
 * @param url What is asked for.
 * @returns The status.
 */
export async function curl(proxy: string, url: string): Promise<string> {
  const args = [
    "--silent",
    "--output",
    "/dev/null",
    "--write-out",
    "%{http_code}",
    "--max-time",
    "20",
  ];
  const { out } = await run("curl", [...args, "--noproxy", "", "--proxy", `http://${proxy}`, url]);
  return out;
}
