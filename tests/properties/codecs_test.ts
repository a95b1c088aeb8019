import {
  encodeAuditEntry,
  encodeProposal,
  encodeResponse,
  parseAuditEntry,
  parseProposal,
  parseResponse,
} from "../../src/records/codec.ts";
import { asciiJson } from "../../src/text/json.ts";
import {
  anyAuditEntry,
  anyJson,
  anyKey,
  anyProposal,
  anyResponse,
  jsonObject,
} from "../support/arbitraries.ts";
import { holds } from "../support/properties.ts";
import { python, PYTHON_MISSING } from "../support/python.ts";
import { tempDir } from "../support/temp.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

/** A kind of record, its codec, and how Python writes it. */
interface Kind<T> {
  readonly name: string;
  readonly any: fc.Arbitrary<T>;
  readonly encode: (record: T) => string;
  readonly parse: (raw: unknown, file: string) => T;
  /** The arguments of `json.dumps`, besides the record. */
  readonly dumps: string;
}

const kind = <T>(
  name: string,
  any: fc.Arbitrary<T>,
  encode: Kind<T>["encode"],
  parse: Kind<T>["parse"],
  dumps: string,
): Kind<unknown> => ({ name, any, encode, parse, dumps }) as Kind<unknown>;

const KINDS = [
  kind("Proposal", anyProposal(), encodeProposal, parseProposal, "indent=2"),
  kind("Response", anyResponse(), encodeResponse, parseResponse, "indent=2"),
  kind("AuditEntry", anyAuditEntry, encodeAuditEntry, parseAuditEntry, 'separators=(",", ":")'),
];

for (const { name, any, encode, parse } of KINDS) {
  Deno.test(`parse${name}() gives back any record that encode${name}() wrote`, () => {
    holds(fc.property(any, (record) => {
      assertEquals(parse(JSON.parse(encode(record)), "a file"), record);
    }));
  });

  // Threat: A6
  Deno.test(`encode${name}() writes printable ASCII alone, and one LF behind it`, () => {
    holds(fc.property(any, (record) => {
      const text = encode(record);
      assert(/^[\n\x20-\x7e]*\}\n$/.test(text));
      if (name === "AuditEntry") assertEquals(text.indexOf("\n"), text.length - 1);
    }));
  });

  Deno.test(`parse${name}() passes over keys that it does not know`, () => {
    const keys = new Set(fc.sample(any, 50).flatMap((record) => keysOf(encode(record))));
    const unknown = fc.tuple(anyKey.filter((key) => !keys.has(key)), anyJson);
    holds(fc.property(any, fc.array(unknown, { maxLength: 4 }), (record, others) => {
      const known = Object.entries(JSON.parse(encode(record)))
        .map(([key, value]) => [key, JSON.stringify(value)] as const);
      const half = Math.floor(others.length / 2);
      const text = jsonObject([...others.slice(0, half), ...known, ...others.slice(half)]);
      assertEquals(parse(JSON.parse(text), "a file"), record);
    }));
  });
}

const keysOf = (text: string) => Object.keys(JSON.parse(text));

Deno.test("asciiJson() writes any JSON value so that JSON.parse() gives it back", () => {
  holds(fc.property(anyJson, fc.constantFrom(undefined, 2), (text, indent) => {
    const value: unknown = JSON.parse(text);
    const written = asciiJson(value, indent);
    assert(/^[\n\x20-\x7e]*$/.test(written));
    assertEquals(JSON.stringify(JSON.parse(written)), JSON.stringify(value));
  }));
});

/** Prints each of the objects again, whose texts come as numbers: UTF-16, pairs as Python has them. */
const REWRITE = `
import array, json, sys
def text(units):
    return array.array("H", units).tobytes().decode("utf-16-" + sys.byteorder[0] + "e", "surrogatepass")
for record in json.load(open(sys.argv[1])):
    pairs = {key: text(value) if isinstance(value, list) else value for key, value in record}
    print(json.dumps(pairs, DUMPS))
`;

const unitsOf = (text: string) => Array.from({ length: text.length }, (_, n) => text.charCodeAt(n));

/** A record's fields, without any of our own encoding of texts. */
const fieldsOf = (text: string) =>
  Object.entries(JSON.parse(text)).map(([key, value]) => [
    key,
    typeof value === "string" ? unitsOf(value) : value,
  ]);

for (const { name, any, encode, dumps } of KINDS) {
  Deno.test(`encode${name}() writes the bytes of json.dumps() for any record`, {
    ignore: PYTHON_MISSING,
  }, async () => {
    await using dir = await tempDir();
    await holds(
      fc.asyncProperty(fc.array(any, { maxLength: 25, size: "max" }), async (records) => {
        const texts = records.map(encode);
        await Deno.writeTextFile(dir.at("records"), JSON.stringify(texts.map(fieldsOf)));
        const { code, out, err } = await python(REWRITE.replace("DUMPS", dumps), [
          dir.at("records"),
        ]);
        assertEquals([code, err], [0, ""]);
        assert(out === texts.join(""), "Python writes other bytes");
      }),
      6,
    );
  });
}
