/**
 * A bottle's sidecar without a container: the `deno` command that starts it with exactly its permissions,
 * by hand or as a systemd unit of the operator's.
 *
 * @module
 */

import { forgetUnit, readUnit, unitPath, writeUnit } from "../../internal_mod.ts";
import { sidecarFlags } from "../../sidecar/settings.ts";
import { ask, type Bottle, runs, SIDECAR } from "./bottle.ts";

/** The words of the command that runs the sidecar on this host. */
export function sidecarCommand(bottle: Bottle): string[] {
  const { slug, queueDir, settings: { port, holdSeconds } } = bottle;
  return [
    Deno.execPath(),
    "run",
    ...sidecarFlags(queueDir, `127.0.0.1:${port}`),
    SIDECAR,
    `--slug=${slug}`,
    `--queue-dir=${queueDir}`,
    `--port=${port}`,
    ...(holdSeconds === undefined ? [] : [`--hold-seconds=${holdSeconds}`]),
  ];
}

/** A word of `ExecStart=`, in which systemd replaces `%` and `$`. */
function unitWord(word: string): string {
  const escaped = word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s'"\\;]/.test(word) ? `"${escaped}"` : escaped;
}

/** The systemd unit of a bottle's sidecar. */
export function unitText(bottle: Bottle): string {
  return `[Unit]
Description=supervise: the sidecar of ${bottle.slug}

[Service]
ExecStart=${sidecarCommand(bottle).map(unitWord).join(" ")}
Restart=on-failure
NoNewPrivileges=yes
MemoryMax=512M
TasksMax=256
LimitNOFILE=4096

[Install]
WantedBy=default.target
`;
}

const unitName = ({ slug }: Bottle): string => `supervise-${slug}.service`;

/** What `is-active` ends with for a unit that does not run, or that there is not. */
const NOT_ACTIVE: readonly number[] = [3, 4];

/** How often, and how long in all, systemd is asked whether a new unit keeps running. */
const LOOK_MS = 200;
const LOOKS = 10;

/** Whether this tool made a unit for the bottle and did not stop it since. */
export const hasUnit = ({ slug, root }: Bottle): boolean => readUnit(slug, root) !== undefined;

/** Starts the unit, and starts it again at each login; gives `false` if it runs already as it is now. */
export async function startUnit(bottle: Bottle): Promise<boolean> {
  const { slug, root } = bottle;
  const text = unitText(bottle);
  if (text === readUnit(slug, root) && await isUnitActive(bottle)) return false;
  writeUnit(slug, text, root);
  try {
    await ask("systemctl", ["--user", "enable", unitPath(slug, root)]);
    await ask("systemctl", ["--user", "daemon-reload"]);
    await ask("systemctl", ["--user", "restart", unitName(bottle)]);
    for (let look = 0; look < LOOKS; look++) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const show = ["--user", "show", "--property=ActiveState,NRestarts", unitName(bottle)];
      const state = await ask("systemctl", show);
      if (/ActiveState=active/.test(state) && /NRestarts=0/.test(state)) continue;
      // Else systemd would start it again and again, though this command failed.
      await stopUnit(bottle);
      throw new Error(`its sidecar ended; see journalctl --user --unit ${unitName(bottle)}`);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot start ${slug}: ${reason}; supervise bottle add ${slug} --systemd prints the command ` +
        "to run yourself",
      { cause },
    );
  }
  return true;
}

/** @throws {Error} If systemd cannot be asked. */
export async function isUnitActive(bottle: Bottle): Promise<boolean> {
  const asked = ["--user", "is-active", unitName(bottle)];
  const ran = await runs("systemctl", asked);
  if (ran?.code === 0) return true;
  if (ran !== undefined && NOT_ACTIVE.includes(ran.code)) return false;
  throw new Error(`Cannot ask systemd: ${ran?.err.trim() || "systemctl is not on the PATH"}`);
}

/** Stops the unit and removes it. A crash may have left it written and not known to systemd. */
export async function stopUnit(bottle: Bottle): Promise<void> {
  const ran = await runs("systemctl", ["--user", "disable", "--now", unitName(bottle)]);
  if (ran?.code !== 0 && await isUnitActive(bottle)) {
    throw new Error(`Cannot stop ${unitName(bottle)}: ${ran?.err.trim()}`);
  }
  forgetUnit(bottle.slug, bottle.root);
}
