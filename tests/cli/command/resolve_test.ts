import { shortIds, sortPending } from "../../../cli/command/resolve.ts";
import type { Mark } from "../../../mod.ts";
import { queueSample, samplePending } from "../../support/records.ts";
import { supervise } from "../../support/command_line.ts";
import { tempDir } from "../../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

Deno.test("shortIds() gives each id a beginning that no other listed id has", () => {
  const ids = ["aaaaaaaa-1", "aaaaaaaa-2", "bbbbbbbb-1", "c"];
  assertEquals([...shortIds(ids).values()], ["aaaaaaaa-1", "aaaaaaaa-2", "bbbbbbbb", "c"]);
});

Deno.test("sortPending() puts what was not judged before what has no high mark", () => {
  const [none, unknown, high] = ["none", "unknown", "high"].map((id) => samplePending({ id }));
  const mark: Mark = { severity: "high", rule: "r", message: "m", side: "new", line: 1 };
  const marks = new Map([[none!, []], [high!, [mark]]]);
  const sorted = sortPending([none!, unknown!, high!], "marks", marks);
  assertEquals(sorted.map(({ proposalId }) => proposalId), ["high", "unknown", "none"]);
});

Deno.test("modify takes no version that is not UTF-8", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await Deno.writeFile(dir.at("version"), new Uint8Array([0x61, 0xff, 0x0a]));
  const { code, err } = await supervise(dir.path, ["modify", "p1", "--file", dir.at("version")]);
  assertEquals(code === 0, false);
  assertStringIncludes(err, "is not UTF-8");
});
