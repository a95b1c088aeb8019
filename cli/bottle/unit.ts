/**
 * A bottle's sidecar without a container: the `deno` command that starts it with exactly its permissions,
 * by hand or as a systemd unit of the operator's.
 *
 * @module
 */

import { forgetUnit, readUnit, unitPath, writeUnit } from "../../internal_mod.ts";
import { sidecarFlags } from "../../sidecar/settings.ts";
import { ask, type Bottle, HEALTH, runs, SIDECAR } from "./bottle.ts";

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

/**
 * Waits until the sidecar answers, and fails if it ended. Another sidecar may have the port: so the one that
 * answers must be the process that systemd started.
 */
const UNTIL_ANSWERING =
  'until "$$@" "$$0" 2>/dev/null; do kill -0 "$$0" 2>/dev/null || exit 1; sleep 0.2; done';

/** The systemd unit of a bottle's sidecar. */
export function unitText(bottle: Bottle): string {
  const { slug, settings: { port } } = bottle;
  const grants = ["--no-config", "--no-prompt", `--allow-net=127.0.0.1:${port}`];
  const check = [Deno.execPath(), "run", ...grants, HEALTH, String(port)];
  return `[Unit]
Description=supervise: the sidecar of ${slug}
# Whose this unit is: supervise touches no unit that names another file.
SourcePath=${sourcePath(bottle).replaceAll("%", "%%")}

[Service]
ExecStart=${sidecarCommand(bottle).map(unitWord).join(" ")}
ExecStartPost=/bin/sh -c '${UNTIL_ANSWERING}' $MAINPID ${check.map(unitWord).join(" ")}
# A release is downloaded at its first start.
TimeoutStartSec=5min
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

const sourcePath = ({ slug, realRoot }: Bottle): string => unitPath(slug, realRoot);

const systemctl = (...args: string[]) => runs("systemctl", ["--user", ...args]);

/** The unit that systemd has under the bottle's name. */
interface Unit {
  /** Whether this tool made it for this root: else another root did, or the operator. */
  readonly isOurs: boolean;
  readonly isActive: boolean;
  /** Where systemd found it. */
  readonly path: string | undefined;
}

/**
 * What systemd says of the unit; `undefined` if it has none.
 *
 * @throws {Error} If systemd cannot be asked, or runs a unit and does not know whose.
 */
async function askUnit(bottle: Bottle): Promise<Unit | undefined> {
  const name = unitName(bottle);
  const wanted = "--property=LoadState,ActiveState,SourcePath,FragmentPath";
  const ran = await systemctl("show", wanted, name);
  if (ran?.code !== 0) {
    throw new Error(`Cannot ask systemd: ${ran?.err.trim() || "systemctl is not on the PATH"}`);
  }
  const said = new Map(
    ran.out.split("\n").map((line) => {
      const end = line.indexOf("=");
      return [line.slice(0, end), line.slice(end + 1)];
    }),
  );
  const isActive = said.get("ActiveState") === "active";
  if (said.get("LoadState") !== "not-found") {
    const isOurs = said.get("SourcePath") === sourcePath(bottle);
    return { isOurs, isActive, path: said.get("FragmentPath") };
  }
  if (!isActive) return undefined;
  throw new Error(
    `Cannot tell whether ${bottle.slug} runs: systemd runs ${name}, whose file is gone; if it is ` +
      `yours, stop it with systemctl --user stop ${name}`,
  );
}

/** Likewise for a verb that needs no unit: `undefined` also if systemd cannot be asked and the root has no file. */
async function findUnit(bottle: Bottle): Promise<Unit | undefined> {
  const isWritten = readUnit(bottle.slug, bottle.root) !== undefined;
  if (!isWritten && (await systemctl("show-environment"))?.code !== 0) return undefined;
  return await askUnit(bottle);
}

/** Starts the unit, and starts it again at each login; gives `false` if it runs already as it is now. */
export async function startUnit(bottle: Bottle): Promise<boolean> {
  const { slug, root } = bottle;
  const text = unitText(bottle);
  try {
    const unit = await askUnit(bottle);
    if (unit?.isOurs === false) {
      throw new Error(
        `${
          unit.path || unitName(bottle)
        } was not made by this tool for ${root}; remove it yourself`,
      );
    }
    if (unit?.isActive && text === readUnit(slug, root)) return false;
    writeUnit(slug, text, root);
    await startWritten(bottle);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot start ${slug}: ${reason}; ${bottle.supervise} bottle add ${slug} --systemd prints the command ` +
        "to run yourself",
      { cause },
    );
  }
  return true;
}

/** Returns once the sidecar answers. If it does not, systemd must not start it again and again. */
async function startWritten(bottle: Bottle): Promise<void> {
  const name = unitName(bottle);
  try {
    await ask("systemctl", ["--user", "enable", sourcePath(bottle)]);
    await ask("systemctl", ["--user", "daemon-reload"]);
    if ((await systemctl("restart", name))?.code === 0) return;
    const status = await systemctl("status", "--lines=10", "--output=cat", "--full", name);
    // Below an empty line, what the journal has of this start.
    const said = status?.out.replace(/^[^]*?(\n\n|$)/, "").trim();
    throw new Error(
      `its sidecar did not start${said && `: ${said}`}; see journalctl --user --unit ${name}`,
    );
  } catch (error) {
    await stopUnit(bottle);
    throw error;
  }
}

/** @throws {Error} If there is a unit and systemd cannot be asked. */
export async function isUnitActive(bottle: Bottle): Promise<boolean> {
  const unit = await findUnit(bottle);
  return unit !== undefined && unit.isOurs && unit.isActive;
}

/**
 * Stops the unit and removes it; gives `false` if there was none. A crash may have left it written and not
 * known to systemd; and another root's unit that has the name is left alone.
 */
export async function stopUnit(bottle: Bottle): Promise<boolean> {
  const { slug, root } = bottle;
  const isWritten = readUnit(slug, root) !== undefined;
  const unit = await findUnit(bottle);
  if (unit?.isOurs) {
    const ran = await systemctl("disable", "--now", unitName(bottle));
    if (ran?.code !== 0 && await isUnitActive(bottle)) {
      throw new Error(`Cannot stop ${unitName(bottle)}: ${ran?.err.trim()}`);
    }
  }
  forgetUnit(slug, root);
  // Else systemd remembers it as it was.
  if (unit?.isOurs) await systemctl("daemon-reload");
  return isWritten || unit?.isOurs === true;
}
