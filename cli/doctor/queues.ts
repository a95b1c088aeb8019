/**
 * Checks the queues: unrecorded responses, files that cannot be read, floods, and what the sidecars left
 * undone.
 *
 * @module
 */

import {
  archivedUnrecorded,
  CONFIG_FILE_FOR_TOOL,
  currentConfigDirForSlug,
  currentConfigRoot,
  findLeftovers,
  instantOf,
  isBottleSlug,
  isDecision,
  listAuditLogs,
  listBottles,
  namesInOwn,
  type OldFiles,
  queueDirsEver,
  queueRoot,
  readBottle,
  readFileInForce,
  readFrozen,
  readLatestEntries,
  readNotProven,
  readOpenGrants,
  removedRoot,
  slugsEver,
  TOOLS,
} from "../../internal_mod.ts";
import {
  MalformedRecordError,
  queueDirForSlug,
  UnsafeFileError,
  validateConfigFile,
} from "../../mod.ts";
import { quoteFile, quoteId } from "../render/quote.ts";
import { age } from "../render/time.ts";
import { shellWord } from "../command/split_words.ts";
import { counted, type Finding, findingsOf, named, type Subject } from "./finding.ts";
import { join } from "@std/path";

/** A response that no agent collected for longer gets a warning. */
const UNCOLLECTED_MS = 3_600_000;

/** So does a proposal that is undecided for longer, */
const UNDECIDED_MS = 24 * 3_600_000;

/** and a file that a sidecar began to write this long ago. */
const WRITING_MS = 600_000;

/** Checks the archived responses, those in the queues of removed bottles too. */
function checkArchived({ root }: Subject): Finding[] {
  const { warn } = findingsOf("foreign-answers");
  const found: Finding[] = [];
  const lookInto = <T>(slug: string, dir: string, look: () => readonly T[]): readonly T[] => {
    try {
      return look();
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      found.push(warn(
        `${slug}: nobody can tell whether its archived responses are recorded: ${messageOf(error)}`,
        `ls -la ${shellWord(dir)}; repair that, and ask again`,
      ));
      return [];
    }
  };
  const unrecorded = slugsEver(root).flatMap((slug) =>
    lookInto(slug, join(removedRoot(root), slug), () => queueDirsEver(slug, root))
      .flatMap((queueDir) =>
        lookInto(slug, queueDir, () => archivedUnrecorded(queueDir, slug, root))
      )
  ).sort((a, b) => b.changed - a.changed);
  const [newest] = unrecorded;
  if (newest === undefined) return found;
  const order = unrecorded.every(({ changed }) => changed > 0) ? ", the newest first" : "";
  const names = unrecorded
    .map(({ bottleSlug, proposalId }) => `${bottleSlug}/${quoteFile(proposalId)}`);
  const path = shellWord(newest.path);
  // A warning, and one for all of them: where the Python original's operator answers, each is unrecorded.
  found.push(warn(
    `${counted(unrecorded.length, "archived response is", "archived responses are")} unrecorded` +
      `${order}: ${named(names)}`,
    `ls -l ${path}; unless an operator answered with the Python original, find out who else writes ` +
      "there; what is moved out of processed/ is not named again",
  ));
  return found;
}

export function checkQueues(subject: Subject): Finding[] {
  const { root, supervise, overview } = subject;
  const { unrecordedResponses, unlisted, unreadable } = overview();
  const archived = checkArchived(subject);
  const responses = findingsOf("foreign-answers");
  const files = findingsOf("unreadable");
  const floods = findingsOf("floods");
  const [unrecorded] = unrecordedResponses;
  const [broken] = unreadable;
  const [flooded] = unlisted;
  const open = unrecorded === undefined ? [] : [responses.bad(
    `${counted(unrecordedResponses.length, "response is", "responses are")} unrecorded: ` +
      named(unrecordedResponses.map((one) => `${one.bottleSlug}/${quoteFile(one.proposalId)}`)),
    // The whole id, as below: the queue's owner can choose another that begins like it.
    `${supervise} show ${unrecorded.proposalId} --bottle ${unrecorded.bottleSlug}; then decide it ` +
      "yourself with --override-unrecorded (chmod u+w it first if it is a directory), or, if it has no " +
      `proposal, move the response out of ${
        shellWord(queueDirForSlug(unrecorded.bottleSlug, { root }))
      }; and find out who else writes there`,
  )];
  // Where a log, or a queue as a whole, cannot be read, nobody knows: that is told as unreadable.
  const isKnown = unreadable.every(({ file }) => file !== ".");
  const sound = open.length + archived.length > 0 || !isKnown ? [] : [
    responses.ok("every response has a record, archived or not; show ID compares the two"),
  ];
  return [
    ...sound,
    ...open,
    ...archived,
    broken === undefined ? files.ok("every file in the queues can be listed") : files.warn(
      `${counted(unreadable.length, "file")} cannot be listed: ` +
        named(
          unreadable.map((one) => `${one.bottleSlug}/${quoteFile(one.file)} (${one.reason})`),
        ),
      // Without the file's name: an attacker may have chosen it, and this line is pasted into a shell.
      `ls -la ${shellWord(queueRoot(root))}/*/; only sidecars write there: find out which one did`,
    ),
    ...flooded !== undefined
      ? [floods.bad(
        `somebody floods ${
          named(unlisted.map(({ bottleSlug, count }) => `${bottleSlug} (${count} not listed)`))
        }`,
        `stop the sidecar of ${flooded.bottleSlug}, then look into ` +
          shellWord(queueDirForSlug(flooded.bottleSlug, { root })),
      )]
      : isKnown
      ? [floods.ok("all that is pending is listed")]
      : [],
  ];
}

/** A queue that cannot be listed is told as unreadable, and hides no other one. */
function leftoversOrNone(
  ...args: Parameters<typeof findLeftovers>
): Partial<ReturnType<typeof findLeftovers>> {
  try {
    return findLeftovers(...args);
  } catch (error) {
    if (error instanceof UnsafeFileError) return {};
    throw error;
  }
}

/** Without its settings a bottle's sidecar is neither started nor stopped, nor is the bottle removed. */
function checkSettings({ root, supervise }: Subject): Finding[] {
  const { bad } = findingsOf("sidecars");
  return listBottles(root).slugs.flatMap((slug) => {
    try {
      readBottle(slug, root);
      return [];
    } catch (error) {
      if (!(error instanceof MalformedRecordError || error instanceof UnsafeFileError)) throw error;
      const file = shellWord(error.file);
      return [bad(
        `${slug} cannot be started, stopped or removed. ${error.message}`,
        `mv ${file} ${file}.broken && ${supervise} bottle add ${slug}; it may choose another port`,
      )];
    }
  });
}

/** Checks for signs of a sidecar that is gone. It has no heartbeat: they are what it did not do. */
export function checkSidecars(subject: Subject): Finding[] {
  const { root, supervise, nowMs, overview } = subject;
  const { ok, warn } = findingsOf("sidecars");
  const found = checkSettings(subject);
  const since = ({ oldestMs }: OldFiles) => age(new Date(oldestMs).toISOString(), nowMs);
  const before = { uncollectedMs: nowMs - UNCOLLECTED_MS, unfinishedMs: nowMs - WRITING_MS };
  for (const slug of listBottles(root).slugs) {
    const { uncollected, unfinished } = leftoversOrNone(slug, root, before);
    if (uncollected !== undefined) {
      const count = counted(uncollected.count, "response was", "responses were");
      found.push(warn(
        `${slug}: ${count} never collected, the oldest for ${since(uncollected)}; its agent did ` +
          "not ask again, or its sidecar is gone",
        `${supervise} bottle status ${slug}; the response stays until the agent asks again`,
      ));
    }
    if (unfinished !== undefined) {
      found.push(warn(
        `${slug}: its sidecar died while it wrote, ${since(unfinished)} ago`,
        "start it again: it clears that up by itself",
      ));
    }
  }
  const [oldest] = overview().pending;
  if (oldest !== undefined) {
    const { id, bottleSlug, arrivalTimestamp } = oldest.proposal;
    if (instantOf(arrivalTimestamp) / 1000 < nowMs - UNDECIDED_MS) {
      found.push(warn(
        `${bottleSlug}: ${quoteId(id)} has been pending for ${age(arrivalTimestamp, nowMs)}`,
        `${supervise} show ${id} --bottle ${bottleSlug}; rejected, it is out of the way`,
      ));
    }
  }
  if (found.length > 0) return found;
  return [ok("no sign that one is gone; whether they run cannot be seen from here")];
}

/** Checks that what is granted for a time ended when it was over, and that each grant of the logs has its record. */
export function checkGrants({ root, supervise, nowMs }: Subject): Finding[] {
  const { ok, bad } = findingsOf("grants");
  const { grants, unreadable } = readOpenGrants({ root, now: new Date(nowMs) });
  const found = unreadable.map(({ path, reason }) =>
    bad(`what was granted by ${path} does not end: ${reason}`, `look at ${shellWord(path)}`)
  );
  for (const { proposalId, bottleSlug, isOverdue, why = "nothing ended it so far" } of grants) {
    if (!isOverdue) continue;
    const says = `${bottleSlug}: the grant ${proposalId} is over, and still in force: ${why}`;
    found.push(bad(says, `${supervise} revoke ${shellWord(proposalId)} --bottle ${bottleSlug}`));
  }
  const known = new Set(grants.map(({ bottleSlug, proposalId }) => `${bottleSlug} ${proposalId}`));
  for (const { component, slug } of unreadable.length > 0 ? [] : listAuditLogs(root)) {
    const granted = new Set<string>();
    for (const entry of readLatestEntries(component, slug, root).entries) {
      const { until, applied, proposalId, grant } = entry;
      const isGrant = isDecision(entry) && until !== undefined && applied !== undefined;
      if (isGrant && proposalId !== undefined) granted.add(proposalId);
      if (grant !== undefined) granted.delete(grant);
    }
    for (const id of granted) {
      if (known.has(`${slug} ${id}`)) continue;
      const says =
        `${slug}: by the log ${id} is granted for a time, and no record says what to take back`;
      found.push(bad(says, `${supervise} show ${shellWord(id)}; then take it out with edit`));
    }
  }
  return found.length > 0 ? found : [ok(`${counted(grants.length, "grant")} open, none overdue`)];
}

/** Checks that each bottle has its files in force, that they are valid, and that somebody asks there. */
export function checkFilesInForce({ root, supervise, nowMs }: Subject): Finding[] {
  const { ok, warn, bad } = findingsOf("files-in-force");
  const { slugs } = listBottles(root);
  const configured = namesInOwn(currentConfigRoot(root));
  const found: Finding[] = [];
  for (const slug of new Set([...slugs, ...configured.filter(isBottleSlug)])) {
    const dir = shellWord(currentConfigDirForSlug(slug, root));
    const missing: string[] = [];
    try {
      const notProven = readNotProven(root, slug);
      if (notProven !== undefined) {
        const { tool, since, reason } = notProven;
        found.push(bad(
          `${slug}: since ${since} nobody knows which ${
            CONFIG_FILE_FOR_TOOL[tool]
          } its enforcer has ` +
            `(${reason}), so nothing is applied`,
          `${supervise} apply resolve --bottle ${slug}`,
        ));
      }
      const frozenUntil = readFrozen(root, slug, nowMs);
      if (frozenUntil !== undefined) {
        found.push(warn(
          `${slug}: its files are frozen until ${frozenUntil}, so nothing is applied`,
          `${supervise} freeze --end --bottle ${slug}`,
        ));
      }
    } catch (error) {
      if (!(error instanceof MalformedRecordError)) throw error;
      const file = shellWord(error.file);
      found.push(bad(
        `${slug}: nobody knows whether its files may be changed, so nothing is applied. ${error.message}`,
        `look at ${file}; once its enforcer has the files in force, move it away`,
      ));
    }
    for (const tool of TOOLS) {
      const name = CONFIG_FILE_FOR_TOOL[tool];
      try {
        const { currentFile } = readFileInForce(tool, slug, root);
        if (currentFile === null) missing.push(name);
        const [problem] = currentFile === null ? [] : validateConfigFile(tool, currentFile);
        if (problem === undefined) continue;
        found.push(bad(
          `${slug}: the ${name} in force is invalid: ${problem.where}: ${problem.message}`,
          `edit ${dir}/${name}`,
        ));
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) throw error;
        found.push(bad(
          `${slug}: the ${name} in force cannot be read (${messageOf(error)})`,
          `ls -la ${dir}`,
        ));
      }
    }
    if (missing.length > 0) {
      const which = missing.length === TOOLS.length ? "no file" : `no ${missing.join(" and no ")}`;
      found.push(warn(
        `${slug}: ${which} in force, so a proposed one is shown as new`,
        `mkdir -p ${dir} && cp ${missing.join(" ")} ${dir}`,
      ));
    }
  }
  const known = slugsEver(root);
  const queueless = configured.filter((slug) => !known.includes(slug));
  if (queueless.length > 0) {
    found.push(warn(
      `${named(queueless)}: files in force, and no queue, so its agent cannot ask`,
      `ls ${shellWord(queueRoot(root))}; make its queue, or move ${
        shellWord(currentConfigRoot(root))
      }/NAME away`,
    ));
  }
  if (found.length > 0) return found;
  return [ok(slugs.length === 0 ? "there is no bottle yet" : "each bottle has files in force")];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
