import { readAnswer } from "../../internal_mod.ts";
import { waitForResponse } from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { REPO, run } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { startManager, whyNoManager } from "../support/systemd.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

const UNITS = join(REPO, "examples/systemd");

/** A home with the command, as README.md has it, and the units of `examples/systemd`. */
async function fill(home: string): Promise<readonly string[]> {
  const units = join(home, ".config/systemd/user");
  await Deno.mkdir(units, { recursive: true });
  await Deno.mkdir(join(home, ".local/bin"), { recursive: true });
  await Deno.symlink(join(REPO, "cli/supervise.sh"), join(home, ".local/bin/supervise"));
  const names = Array.from(Deno.readDirSync(UNITS), ({ name }) => name).sort();
  for (const name of names) await Deno.copyFile(join(UNITS, name), join(units, name));
  return names.map((name) => join(units, name));
}

Deno.test({
  name: "the units of examples/systemd are sound",
  ignore: isMissing("systemd-analyze"),
  async fn() {
    await using dir = await tempDir();
    const env = { HOME: dir.path, XDG_RUNTIME_DIR: dir.at("run") };
    await Deno.mkdir(dir.at("run"));
    const units = await fill(dir.path);
    assertEquals(units.length, 3);
    const { code, out, err } = await run("systemd-analyze", ["--user", "verify", ...units], {
      env,
    });
    assertEquals([code, out, err], [0, "", ""]);
  },
});

async function prepareRoot(dir: TempDir): Promise<string> {
  const root = dir.at("home/.claude-bottle");
  await Deno.mkdir(join(root, "current-config/dev-1"), { recursive: true, mode: 0o700 });
  const rule = { name: "same", tool: "pipelock-block", marks_at_most: "none", then: "approve" };
  const policy = JSON.stringify({ version: 1, rules: [rule] });
  await Deno.writeTextFile(join(root, "policy.json"), policy, { mode: 0o600 });
  await Deno.writeTextFile(join(root, "current-config/dev-1/allowlist"), "a.example\n");
  return root;
}

Deno.test({
  name: "a user's systemd runs watch and expire by examples/systemd, and rules decide",
  ignore: whyNoManager !== "",
  async fn() {
    await using dir = await tempDir();
    await using manager = await startManager(dir);
    await fill(dir.at("home"));
    const root = await prepareRoot(dir);
    const { queueDir } = await queueSample(root, { id: "p1", proposedFile: "a.example\n# b\n" });
    await manager.systemctl("daemon-reload");
    const started = await manager.systemctl("start", "supervise-watch.service");
    assertEquals([started.code, started.err], [0, ""]);
    await waitForResponse(queueDir, "p1");
    assertEquals((await readAnswer(queueDir, "p1"))?.status, "approved");
    assertEquals((await manager.systemctl("stop", "supervise-watch.service")).code, 0);
    // Of type oneshot: it has ended, and well, when this returns.
    const expired = await manager.systemctl("start", "supervise-expire.service");
    assertEquals([expired.code, expired.err], [0, ""]);
    assertEquals((await manager.systemctl("start", "supervise-expire.timer")).code, 0);
  },
});
