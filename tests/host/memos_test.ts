import { readReceiverRecord, updateReceiverRecord } from "../../internal_mod.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals } from "@std/assert";

const EMPTY = { failures: 0, dropped: 0, told: [] };

Deno.test("updateReceiverRecord() writes the fields that there are, and readReceiverRecord() reads them", async () => {
  await using dir = await tempDir();
  const record = { lastFailure: "2026-01-01T00:00:00Z", failures: 2, dropped: 1, told: ["a", "b"] };
  await updateReceiverRecord("webhook", () => record, dir.path);
  assertEquals(
    await Deno.readTextFile(dir.at("private", "notify", "webhook.json")),
    '{\n "version": 1,\n "last_failure": "2026-01-01T00:00:00Z",\n "failures": 2,\n "dropped": 1,\n' +
      ' "told": [\n  "a",\n  "b"\n ]\n}\n',
  );
  assertEquals(readReceiverRecord("webhook", dir.path), record);
});

Deno.test.each([
  ["", EMPTY],
  ["{", EMPTY],
  ["[]", EMPTY],
  ["[".repeat(1000), EMPTY],
  ['{"failures":-1,"dropped":"x","told":[1],"reason":null}', EMPTY],
  ['{"failures":3,"dropped":null,"told":["a"]}', { failures: 3, dropped: 0, told: ["a"] }],
])("readReceiverRecord() takes from %j what it can read", async (text, expected) => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("private", "notify"), { recursive: true });
  await Deno.writeTextFile(dir.at("private", "notify", "webhook.json"), text);
  assertEquals(readReceiverRecord("webhook", dir.path), expected);
});
