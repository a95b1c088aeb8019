/**
 * `versions`, `rollback` and `drift`: what was in force, an earlier version again, and what is in force without a
 * record.
 *
 * @module
 */

import {
  CONFIG_FILE_FOR_TOOL,
  mostKept,
  readFileInForce,
  visibleLine,
} from "../../internal_mod.ts";
import {
  type Drift,
  type FilePlace,
  type FileVersion,
  findDrift,
  listVersions,
  readVersion,
} from "../../mod.ts";
import { runAlone } from "../command/alone.ts";
import { type Context, namedBottle } from "../command/context.ts";
import { CancelledError, NotFoundError } from "../command/exit.ts";
import { UsageError } from "../command/flags.ts";
import { decodeVersion } from "../operate/editor.ts";
import { printFile } from "../operate/pager.ts";
import { namedFile, putInForce, wordOf } from "../operate/put_in_force.ts";
import { localTime } from "../render/time.ts";
import { alignColumns } from "../render/wrap.ts";

/** The version with a number that a flag gives. */
function numbered(versions: readonly FileVersion[], flag: string, value: string): FileVersion {
  if (!/^[1-9]\d{0,8}$/.test(value)) {
    throw new UsageError(
      `Cannot use ${value} as --${flag}: expected a number, as versions prints it`,
    );
  }
  const found = versions.find(({ number }) => number === Number(value));
  if (found !== undefined) return found;
  const are = versions.length === 0 ? "none is recorded" : `there are 1 to ${versions.length}`;
  throw new NotFoundError(`Cannot find version ${value}: ${are}`);
}

/** The text of a version. */
function textOf(place: FilePlace, { number, sha256 }: FileVersion): string {
  if (sha256 === "") {
    throw new NotFoundError(`Cannot use version ${number}: there was no file then`);
  }
  const bytes = readVersion(place, sha256);
  if (bytes !== undefined) return decodeVersion(bytes, `version ${number}`);
  throw new NotFoundError(
    `Cannot use version ${number}: its bytes are not kept (sha256 ${sha256})`,
  );
}

/** `versions FILE`: lists what was in force, the newest first; `--show N` prints one. */
export function versions(context: Context, words: readonly string[]): void {
  const { root, flags: { json, show }, print, printJson, complain, supervise } = context;
  const place = namedFile(context, words);
  const { bottleSlug: bottle, tool } = place;
  const all = listVersions(place);
  if (show !== undefined) {
    const version = numbered(all, "show", show);
    const { number, sha256 } = version;
    const about = { bottle, tool, number, sha256 };
    return printFile(
      context,
      about,
      { file: textOf(place, version) },
      (reason) => new CancelledError(`Cannot print version ${number}: ${reason}`),
    );
  }
  const { currentSha256 } = readFileInForce(tool, bottle, root);
  if (json) {
    const keep = mostKept(root);
    const about = { bottle, tool, keep, in_force_sha256: currentSha256 };
    return printJson({ ...about, versions: all.map(asJson) });
  }
  const name = CONFIG_FILE_FOR_TOOL[tool];
  if (all.length === 0) return print(`No change of the ${name} of ${bottle} is recorded.`);
  for (const row of alignColumns(all.map(cellsOf), 1)) print(row);
  const lost = all.filter(({ isKept, sha256 }) => !isKept && sha256 !== "").length;
  if (lost > 0) {
    const most = `${mostKept(root)} files of a bottle are`;
    complain(`! the bytes of ${lost} of these are not kept: at most ${most}, says versions.json`);
  }
  if (!all[0]!.isInForce) {
    const found = currentSha256 === "" ? "none" : `another one, sha256 ${currentSha256}`;
    complain(`! in force is ${found}, without a record; see ${supervise} drift --bottle ${bottle}`);
  }
}

function asJson({ number, sha256, isInForce, isKept, entry }: FileVersion): object {
  return {
    ...{ number, sha256, in_force: isInForce, kept: isKept },
    timestamp: entry?.timestamp ?? null,
    operator_action: entry?.operatorAction ?? null,
    operator: entry?.operator ?? null,
    operator_name: entry?.operatorName ?? null,
    proposal_id: entry?.proposalId ?? null,
    origin: entry?.origin ?? null,
    until: entry?.until ?? null,
    applied: entry?.applied ?? null,
  };
}

function cellsOf({ number, sha256, isInForce, isKept, entry }: FileVersion): string[] {
  const { timestamp, operatorAction = "without a record", operator = "" } = entry ?? {};
  const { origin, until } = entry ?? {};
  const how = origin ?? (until === undefined ? undefined : `until ${localTime(until)}`);
  const action = how === undefined ? operatorAction : `${operatorAction} (${how})`;
  const state = isInForce ? "in force" : sha256 === "" || isKept ? "" : "not kept";
  return [
    String(number),
    timestamp === undefined ? "" : localTime(timestamp),
    visibleLine(action, "code"),
    visibleLine(operator, "code"),
    sha256 === "" ? "no file" : visibleLine(sha256.slice(0, 12), "code"),
    state,
  ];
}

/** `rollback FILE [--to N]`: puts an earlier version in force, as an edit. */
export async function rollback(context: Context, words: readonly string[]): Promise<void> {
  const place = namedFile(context, words);
  const all = listVersions(place);
  const { to } = context.flags;
  const [last, before] = all;
  if (to === undefined && last?.isInForce !== true) {
    const why = last === undefined ? "no change of it is recorded" : "another file is in force";
    throw new CancelledError(
      `Cancelled: there is no version before this one: ${why}; see versions`,
    );
  }
  if (to === undefined && before === undefined) {
    throw new CancelledError("Cancelled: there was no version before this one");
  }
  const version = to === undefined ? before! : numbered(all, "to", to);
  await putInForce(context, { ...place, version: version.number }, textOf(place, version));
}

/**
 * `drift [FILE]`: names the files in force that are not the recorded ones; the exit code is 1 if there is one.
 * `--record` and `--restore` end one.
 */
export async function drift(context: Context, words: readonly string[]): Promise<number> {
  const { root, flags: { bottle, record, restore } } = context;
  if (record && restore) throw new UsageError("Cannot use --record with --restore");
  const named = words.length === 0 ? undefined : namedFile(context, words).tool;
  const found = findDrift({ root, ...(bottle !== undefined && { bottleSlug: bottle }) })
    .filter(({ tool }) => named === undefined || tool === named);
  if (!record && !restore) {
    printDrift(context, found);
    return found.length > 0 ? 1 : 0;
  }
  namedBottle(context);
  const [one, ...others] = found;
  if (one === undefined) {
    printDrift(context, []);
    return 0;
  }
  if (others.length > 0) {
    const files = found.map(({ tool }) => wordOf(tool)).join(" or ");
    throw new UsageError(`Cannot tell which file: write ${files} behind drift`);
  }
  await end(context, one, record);
  return 0;
}

async function end(context: Context, one: Drift, record: boolean): Promise<void> {
  const { root } = context;
  const { bottleSlug, tool, recordedSha256: sha256, problem } = one;
  if (problem !== undefined) throw new Error(`Cannot look at the file in force: ${problem}`);
  const place = { root, bottleSlug, tool };
  if (!record) {
    const [last] = listVersions(place);
    const { number } = last!;
    return await putInForce(
      context,
      { ...place, version: number },
      textOf(place, { ...last!, sha256 }),
    );
  }
  const { currentFile } = readFileInForce(tool, bottleSlug, root);
  if (currentFile === null) {
    throw new CancelledError("Cancelled: there is no file to record; --restore puts one there");
  }
  await putInForce(context, { ...place, found: true }, currentFile);
}

function printDrift(
  { flags, print, printJson, supervise, visible }: Context,
  found: readonly Drift[],
) {
  if (flags.json) {
    return printJson({
      drift: found.map(({ bottleSlug, tool, recordedSha256, foundSha256, problem }) => ({
        ...{ bottle: bottleSlug, tool },
        ...{ recorded_sha256: recordedSha256, found_sha256: foundSha256 },
        problem: problem ?? null,
      })),
    });
  }
  if (found.length === 0) {
    return print("Each file of which a change is recorded is the one in force.");
  }
  for (const { bottleSlug, tool, recordedSha256, foundSha256, problem } of found) {
    const what = `${bottleSlug}: the ${CONFIG_FILE_FOR_TOOL[tool]} in force`;
    if (problem !== undefined) {
      print(visible(`${what} cannot be compared with the record: ${problem}`));
      continue;
    }
    print(`${what} is not the one that was recorded last`);
    print(`  recorded  ${recordedSha256 || "no file"}`);
    print(`  found     ${foundSha256 || "no file"}`);
    const way = `${supervise} drift ${wordOf(tool)} --bottle ${bottleSlug}`;
    print(`  ${way} --record, or --restore`);
  }
}

if (import.meta.main) await runAlone({ versions, rollback, drift });
