/**
 * Reads and writes flat JSON objects by a table of their fields. Pure.
 *
 * @module
 */

import { MalformedRecordError } from "./errors.ts";

/** Says what is wrong with a value; `undefined` if nothing is. */
export type Check = (value: unknown) => string | undefined;

/** One field of a record, as it is in a file. */
export interface Field {
  /** Its name in the file, snake_case. */
  readonly wire: string;
  readonly check: Check;
  /** A field of the wrong kind counts as absent, and does not make the record malformed. */
  readonly optional?: true;
  /** What a missing field means, unless it is malformed. */
  readonly missing?: string | boolean | null;
}

/** A record's reader, which drops unknown keys, and its writer, which keeps the order of the fields. */
interface Shape<T> {
  /** @throws {MalformedRecordError} If `raw` is not an object, or a field fails its check. */
  readonly read: (raw: unknown, file: string) => T;
  /** @throws {TypeError} If a field fails its check. */
  readonly write: (record: T) => Record<string, unknown>;
}

export const isText: Check = (value) =>
  typeof value === "string" ? undefined : "missing, or not a string";

/** Accepts whole numbers from 0. */
export const isCount: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : "not a count";

export const isFlag: Check = (value) => typeof value === "boolean" ? undefined : "not a boolean";

/** Whether a parsed JSON value is an object, and neither an array nor `null`. */
export function isJsonObject(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

/** Makes a record's reader and writer from the table of its fields. Errors call the record `what`. */
export function shapeOf<T>(
  what: string,
  table: { readonly [K in keyof Required<T>]: Field },
): Shape<T> {
  const fields = Object.entries<Field>(table).map(([key, field]) => ({ key, ...field }));
  const read = (raw: unknown, file: string): T => {
    if (!isJsonObject(raw)) {
      throw new MalformedRecordError(file, undefined, "the top level must be a JSON object");
    }
    const record: Record<string, unknown> = {};
    for (const { key, wire, check, optional, missing } of fields) {
      const value = raw[wire] === undefined ? missing : raw[wire];
      const problem = check(value);
      if (problem === undefined) record[key] = value;
      else if (optional !== true) throw new MalformedRecordError(file, wire, problem);
    }
    return record as T;
  };
  const write = (record: T): Record<string, unknown> => {
    const object: Record<string, unknown> = {};
    for (const { key, wire, check, optional } of fields) {
      const value = (record as Record<string, unknown>)[key];
      if (value === undefined && optional === true) continue;
      const problem = check(value);
      if (problem !== undefined) {
        throw new TypeError(`Cannot write the ${what}: field "${wire}": ${problem}`);
      }
      object[wire] = value;
    }
    return object;
  };
  return { read, write };
}
