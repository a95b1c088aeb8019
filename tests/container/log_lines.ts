/**
 * Reads a sidecar's log as it is written.
 *
 * @module
 */

import { TextLineStream } from "../support/lines.ts";

/** A log of JSON lines, read in order. */
export interface LogLines {
  /** Reads on until an event was logged; rejects, with all that was read, if the log ends before. */
  readonly until: (event: string) => Promise<Record<string, unknown>>;
  /** Reads to the end. */
  readonly end: () => Promise<void>;
}

/**
 * Reads a log. Lines that are no JSON are kept for the error message alone.
 *
 * @param stream The log's bytes.
 * @returns The log.
 */
export function readLog(stream: ReadableStream<Uint8Array<ArrayBuffer>>): LogLines {
  const lines = stream
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  const seen: string[] = [];
  return {
    async until(event) {
      while (true) {
        const { done, value } = await lines.read();
        if (done) throw new Error(`The log ended before "${event}":\n${seen.join("\n")}`);
        seen.push(value);
        if (!value.startsWith("{")) continue;
        const fields = JSON.parse(value);
        if (fields.event === event) return fields;
      }
    },
    async end() {
      while (!(await lines.read()).done);
    },
  };
}
