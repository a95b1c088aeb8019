/**
 * What is remembered of a receiver between programs: of what it was told, and how that went.
 *
 * @module
 */

import { type ReceiverRecord, updateReceiverRecord } from "../../mod.ts";

/** Remembers, or fails to in silence: that a disk is full must not keep anybody from being told. */
export interface Journal {
  /** Of some keys, those that no program has claimed before. They are claimed now. */
  readonly claim: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
  /** A message was taken. */
  readonly succeeded: () => Promise<void>;
  /** A try failed, for a reason in words of ours. */
  readonly failed: (reason: string) => Promise<void>;
  /** So many proposals will not be told of. */
  readonly dropped: (count: number) => Promise<void>;
}

/**
 * Opens the journal of a receiver.
 *
 * Needs `--allow-read` and `--allow-write` for `<root>/private`.
 *
 * @param receiver The receiver's name.
 * @param root The root.
 * @returns The journal.
 */
export function openJournal(receiver: string, root: string): Journal {
  const update = async (change: (record: ReceiverRecord) => ReceiverRecord): Promise<void> => {
    try {
      await updateReceiverRecord(receiver, change, root);
    } catch {
      // Then doctor knows less, and of two programs both may tell.
    }
  };
  const now = () => new Date().toISOString();
  return {
    claim: async (keys) => {
      let fresh = new Set(keys);
      await update((record) => {
        fresh = fresh.difference(new Set(record.told));
        return { ...record, told: [...record.told, ...fresh] };
      });
      return fresh;
    },
    succeeded: () =>
      update(({ reason: _, ...record }) => ({
        ...record,
        lastSuccess: now(),
        failures: 0,
        dropped: 0,
      })),
    failed: (reason) =>
      update((record) => ({
        ...record,
        lastFailure: now(),
        reason,
        failures: record.failures + 1,
      })),
    dropped: (count) => update((record) => ({ ...record, dropped: record.dropped + count })),
  };
}
