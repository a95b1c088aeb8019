/**
 * What properties are tried with: any text, any bytes, any JSON, and files that are nearly sound.
 *
 * @module
 */

import {
  type AuditEntry,
  type Proposal,
  type ProposalResponse,
  type SignedHead,
  STATUS_APPROVED,
  STATUS_MODIFIED,
  STATUS_REJECTED,
  TOOLS,
} from "../../mod.ts";
import fc from "fast-check";

/** What programs stumble over, one by one. */
const TRICKY = [
  ...'\0\x01\b\t\n\v\f\r\x1b\x1f"\\/#\x7f\x85\xa0\xad\u0301\u2028\u2029\u202e\u2066\u200b\ufeff\ufffd\uffff',
  "\ud800",
  "\udbff",
  "\udc00",
  "\udfff",
  "\u{1f680}",
  "\u{e0041}",
  "\u{10ffff}",
  "\r\n",
  "\\u0000",
  "</script>",
  "é",
  "漢",
  "⟨U+202E⟩",
];

/** One piece of a text: mostly ASCII, else a trick, else any UTF-16 unit, half of a pair too. */
const piece: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0x20, max: 0x7e }).map((n) => String.fromCharCode(n)) },
  { weight: 3, arbitrary: fc.constantFrom(...TRICKY) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)) },
);

/** Any short text. */
export const shortText: fc.Arbitrary<string> = fc.string({ unit: piece, maxLength: 40 });

/** Any text; now and then one of up to half a million units. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 30, arbitrary: shortText },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.string({ unit: piece, minLength: 1, maxLength: 20 }), fc.nat(25_000))
      .map(([text, times]) => text.repeat(times)),
  },
);

/**
 * A text made of the words of a language, with any text between: what gets past a parser's first look.
 *
 * @param words The words.
 * @returns The text.
 */
export function textOf(...words: string[]): fc.Arbitrary<string> {
  const word = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...words) },
    { weight: 2, arbitrary: piece },
  );
  return fc.array(word, { maxLength: 60 }).map((parts) => parts.join(""));
}

/** An id that may become part of a path. */
export const proposalId: fc.Arbitrary<string> = fc.stringMatching(
  /^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/,
);

/**
 * Any proposal that can be written.
 *
 * @param id Its id.
 * @returns The proposal.
 */
export function anyProposal(id: fc.Arbitrary<string> = proposalId): fc.Arbitrary<Proposal> {
  return fc.record({
    id,
    bottleSlug: shortText,
    tool: fc.constantFrom(...TOOLS),
    proposedFile: anyText,
    justification: anyText,
    arrivalTimestamp: shortText,
    currentFileHash: shortText,
  });
}

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));

/** The head of an audit log, as an answer states it; that its signature fits is not likely. */
export const anyHead: fc.Arbitrary<SignedHead> = fc.record({
  log: fc.oneof(fc.constantFrom("pipelock-dev-1", "rebuild-dev-1"), shortText),
  seq: fc.oneof(fc.nat(5), fc.nat(2 ** 31)),
  hash: hex(64),
  signature: fc.oneof(hex(128), shortText),
});

/**
 * Any response that can be written.
 *
 * @param id The proposal's id.
 * @returns The response.
 */
export function anyResponse(id: fc.Arbitrary<string> = proposalId): fc.Arbitrary<ProposalResponse> {
  return fc.record({
    proposalId: id,
    status: fc.constantFrom(STATUS_APPROVED, STATUS_MODIFIED, STATUS_REJECTED),
    notes: anyText,
    finalFile: fc.option(anyText),
    auditHead: anyHead,
  }, { requiredKeys: ["proposalId", "status", "notes", "finalFile"] });
}

/** Any audit entry that can be written, with ours of the fields or without. */
export const anyAuditEntry: fc.Arbitrary<AuditEntry> = fc.record({
  timestamp: shortText,
  bottleSlug: shortText,
  component: shortText,
  operatorAction: shortText,
  operatorNotes: anyText,
  justification: anyText,
  diff: anyText,
  operator: shortText,
  proposalId: shortText,
  proposalSha256: shortText,
  finalSha256: shortText,
  operatorName: shortText,
  operatorKey: shortText,
  unrecordedResponse: shortText,
  repair: shortText,
}, {
  requiredKeys: [
    "timestamp",
    "bottleSlug",
    "component",
    "operatorAction",
    "operatorNotes",
    "justification",
    "diff",
  ],
});

/** Keys that mean something to JavaScript. */
const HOSTILE_KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
];

/** Any key of an object. */
export const anyKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "0", ...HOSTILE_KEYS),
  shortText,
);

/** The text of any JSON value. */
export const anyJson: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: "json" },
    fc.oneof(
      fc.constantFrom("null", "true", "0", "-0", "1e999", "-1.5E-9", '""', "[]", "{}"),
      shortText.map((text) => JSON.stringify(text)),
      fc.double().map((number) => JSON.stringify(number)),
    ),
    fc.array(tie("value"), { maxLength: 4 }).map((values) => `[${values}]`),
    fc.array(fc.tuple(anyKey, tie("value")), { maxLength: 4 })
      .map((pairs) => jsonObject(pairs)),
  ),
})).value;

/** The text of a JSON value nested so deeply that a recursive reader runs out of stack. */
export const deepJson: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(["[", "]"], ['{"a":', "}"], ['[{"__proto__":', "}]"]),
    fc.constantFrom(65, 5_000, 100_000),
    fc.boolean(),
  )
  .map(([[open, close], depth, closed]) =>
    open!.repeat(depth) + (closed ? "0" + close!.repeat(depth) : "")
  );

/**
 * Writes a JSON object, whatever its keys: one may stand twice.
 *
 * @param pairs Keys, each with the text of its value.
 * @returns The text.
 */
export function jsonObject(pairs: readonly (readonly [string, string])[]): string {
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}: ${value}`)}}`;
}

/** The bytes of a file. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A change to the bytes of a file. */
export type Mutation = (bytes: Bytes) => Bytes;

const encoder = new TextEncoder();

function spliced(bytes: Bytes, at: number, remove: number, insert: Uint8Array): Bytes {
  return new Uint8Array([...bytes.subarray(0, at), ...insert, ...bytes.subarray(at + remove)]);
}

/** Where, as a part of the whole: it means something however long the file is by then. */
const place = fc.double({ min: 0, max: 1, noNaN: true });

/** Any small change. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(([at, bit]): Mutation => (bytes) => {
    const flipped = bytes.slice();
    const index = Math.floor(at * bytes.length);
    if (index < bytes.length) flipped[index]! ^= 1 << bit;
    return flipped;
  }),
  place.map((at): Mutation => (bytes) => bytes.slice(0, Math.floor(at * bytes.length))),
  fc.tuple(place, place, place).map(([from, to, at]): Mutation => (bytes) => {
    const copied = bytes.slice(Math.floor(from * bytes.length), Math.floor(to * bytes.length));
    return spliced(bytes, Math.floor(at * bytes.length), 0, copied);
  }),
  fc.tuple(place, fc.nat(30)).map(([at, count]): Mutation => (bytes) =>
    spliced(bytes, Math.floor(at * bytes.length), count, new Uint8Array())
  ),
  fc.tuple(
    place,
    fc.nat(6),
    fc.oneof(
      fc.constantFrom("{", "}", "[", ",", ":", '"', "\\", "null", '"__proto__":', "\n", "\r\n")
        .map((text) => encoder.encode(text)),
      shortText.map((text) => encoder.encode(text)),
      fc.uint8Array({ maxLength: 8 }),
    ),
  ).map(([at, remove, insert]): Mutation => (bytes) =>
    spliced(bytes, Math.floor(at * bytes.length), remove, insert)
  ),
);

/** Bytes that a report of fast-check shows as text, each byte a character. */
export function readable(bytes: Bytes): Bytes {
  return Object.defineProperty(bytes, fc.toStringMethod, {
    value: () => {
      const text = JSON.stringify(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
      return `bytes ${text.length > 2000 ? `${text.slice(0, 2000)}... (${bytes.length})` : text}`;
    },
  });
}

/** The bytes of a JSON object with one field of any shape, left out, or there twice. */
function reshaped(sound: string): fc.Arbitrary<Bytes> {
  const fields = Object.entries(JSON.parse(sound))
    .map(([key, value]) => [key, JSON.stringify(value)] as const);
  return fc.tuple(fc.nat(fields.length - 1), fc.oneof(anyJson, deepJson), fc.nat(2), anyKey)
    .map(([n, value, how, key]) => {
      const [name] = fields[n]!;
      if (how === 0) return jsonObject(fields.with(n, [name, value]));
      if (how === 1) return jsonObject(fields.filter((_, at) => at !== n));
      return jsonObject([...fields, [n % 2 === 0 ? name : key, value]]);
    })
    .map((text) => encoder.encode(text));
}

/**
 * The bytes of a file that somebody hostile or clumsy wrote: a sound one, a sound one with a few
 * changes, any JSON, any text, any bytes.
 *
 * @param sound Sound files.
 * @returns The bytes.
 */
export function anyFile(sound: fc.Arbitrary<string>): fc.Arbitrary<Bytes> {
  const mutated = fc.tuple(sound, fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([text, changes]) =>
      changes.reduce<Bytes>(
        (bytes, change) => change(bytes),
        encoder.encode(text.slice(0, 4096)),
      )
    );
  return fc.oneof(
    { weight: 1, arbitrary: sound.map((text): Bytes => encoder.encode(text)) },
    { weight: 5, arbitrary: mutated },
    { weight: 2, arbitrary: fc.oneof(anyJson, deepJson).map((text) => encoder.encode(text)) },
    { weight: 1, arbitrary: anyText.map((text) => encoder.encode(text)) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  ).map(readable);
}

/**
 * As {@linkcode anyFile}, for files that hold a JSON object; also sound ones with a field of any shape.
 *
 * @param sound Sound files.
 * @returns The bytes.
 */
export function anyRecordFile(sound: fc.Arbitrary<string>): fc.Arbitrary<Bytes> {
  return fc.oneof(anyFile(sound), sound.chain(reshaped).map(readable));
}
