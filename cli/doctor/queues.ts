/**
 * What the queues say: planted answers, files that cannot be read, floods, and the little that can be
 * known of the sidecars.
 *
 * @module
 */

import {
  currentConfigDirForSlug,
  findLeftovers,
  instantOf,
  listBottles,
  namesInOwn,
  type OldFiles,
  queueRoot,
} from "../../internal_mod.ts";
import { queueDirForSlug } from "../../mod.ts";
import { age } from "../render/style.ts";
import { counted, type Finding, named, shellWord, type Subject } from "./finding.ts";

/** After how long an answer that nobody collected is told. */
const PATIENCE_MS = 3_600_000;

/** After how long a proposal that nobody decided is. */
const DAY_MS = 24 * PATIENCE_MS;

/** After how long a file that is being written is not being written any more. */
const WRITING_MS = 600_000;

/**
 * Checks what is in the queues.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export function checkQueues({ root, overview }: Subject): Finding[] {
  const { unrecordedResponses, unlisted, unreadable } = overview();
  const [unrecorded] = unrecordedResponses;
  const [broken] = unreadable;
  const [flooded] = unlisted;
  return [
    unrecorded === undefined
      ? { check: "foreign-answers", state: "ok", says: "no answer stands without a record" }
      : {
        check: "foreign-answers",
        state: "bad",
        says:
          `${
            counted(unrecordedResponses.length, "answer stands", "answers stand")
          } without a record: ` +
          named(
            unrecordedResponses.map(({ bottleSlug, proposalId }) => `${bottleSlug}/${proposalId}`),
          ),
        todo: `supervise show ${unrecorded.proposalId} --bottle ${unrecorded.bottleSlug}; ` +
          "then decide it yourself with --override-unrecorded, and ask who else writes there",
      },
    broken === undefined
      ? { check: "unreadable", state: "ok", says: "every file in the queues can be read" }
      : {
        check: "unreadable",
        state: "warn",
        says: `${counted(unreadable.length, "file")} cannot be read: ` +
          named(unreadable.map((one) => `${one.bottleSlug}/${one.file} (${one.reason})`)),
        // Without the file's name: whoever planted it chose that, and this is to be pasted.
        todo: `ls -la ${shellWord(queueRoot(root))}/*/; only sidecars write there: ask who did`,
      },
    flooded === undefined
      ? { check: "floods", state: "ok", says: "all that is pending is listed" }
      : {
        check: "floods",
        state: "bad",
        says: `somebody floods ${
          named(unlisted.map(({ bottleSlug, count }) => `${bottleSlug} (${count} not listed)`))
        }`,
        todo: `stop the sidecar of ${flooded.bottleSlug}, then look into ` +
          shellWord(queueDirForSlug(flooded.bottleSlug, { root })),
      },
  ];
}

/**
 * Checks the signs that a sidecar left of itself. It has no heartbeat, so that one is gone can only be
 * guessed from what it did not do.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export function checkSidecars({ root, nowMs, overview }: Subject): Finding[] {
  const found: Finding[] = [];
  const since = ({ oldestMs }: OldFiles) => age(new Date(oldestMs).toISOString(), nowMs);
  const before = { uncollectedMs: nowMs - PATIENCE_MS, unfinishedMs: nowMs - WRITING_MS };
  const { slugs } = listBottles(root);
  for (const slug of slugs) {
    const { uncollected, unfinished } = findLeftovers(slug, root, before);
    if (uncollected !== undefined) {
      found.push({
        check: "sidecars",
        state: "warn",
        says:
          `${slug}: ${
            counted(uncollected.count, "answer was", "answers were")
          } never collected, the oldest for ${since(uncollected)}; its agent asked no more, ` +
          "or its sidecar is gone",
        todo:
          `podman ps --filter name=${slug}-supervise; the answers stay until the agent asks again`,
      });
    }
    if (unfinished !== undefined) {
      found.push({
        check: "sidecars",
        state: "warn",
        says: `${slug}: its sidecar died while it wrote, ${since(unfinished)} ago`,
        todo: "start it again: it clears that up by itself",
      });
    }
  }
  const [oldest] = overview().pending;
  if (oldest !== undefined) {
    const { id, bottleSlug, arrivalTimestamp } = oldest.proposal;
    if (instantOf(arrivalTimestamp) / 1000 < nowMs - DAY_MS) {
      found.push({
        check: "sidecars",
        state: "warn",
        says: `${bottleSlug}: ${id} has been pending for ${age(arrivalTimestamp, nowMs)}`,
        todo: `supervise show ${id} --bottle ${bottleSlug}; rejected, it is out of the way`,
      });
    }
  }
  if (found.length > 0) return found;
  const says = "no sign that one is gone; whether they run cannot be seen from here";
  return [{ check: "sidecars", state: "ok", says }];
}

/**
 * Checks that each bottle with a queue has files in force.
 *
 * @param subject What is checked.
 * @returns What was found.
 */
export function checkFilesInForce({ root }: Pick<Subject, "root">): Finding[] {
  const { slugs } = listBottles(root);
  const without = slugs.filter((slug) =>
    namesInOwn(currentConfigDirForSlug(slug, root)).length === 0
  );
  const [first] = without;
  if (first === undefined) {
    const says = slugs.length === 0 ? "there is no bottle yet" : "each bottle has files in force";
    return [{ check: "files-in-force", state: "ok", says }];
  }
  const dir = shellWord(currentConfigDirForSlug(first, root));
  return [{
    check: "files-in-force",
    state: "warn",
    says: `${named(without)}: no file in force, so all that is asked for there is new`,
    todo: `mkdir -p ${dir} && cp routes.json allowlist Dockerfile ${dir}`,
  }];
}
