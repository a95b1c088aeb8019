import { assertEquals, assertStringIncludes } from "@std/assert";
import { decide, readAnswer, writeProposal } from "../../../mod.ts";
import { queueSample } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { attackSeat } from "./attack_seat.ts";

const at = (second: number) => `2026-01-01T00:00:0${second}Z`;
const other = { proposedFile: "api.example.com\nother.example\n", justification: "Other words." };

for (const isListed of [true, false]) {
  const when = isListed ? "and was listed anew" : "before the list knows";
  Deno.test(`several are never decided with one that changed once selected, ${when}`, async () => {
    await using dir = await tempDir();
    const first = await queueSample(dir.path, { id: "p1", arrivalTimestamp: at(1) });
    const second = await queueSample(dir.path, { id: "p2", arrivalTimestamp: at(2) });
    const { seat: _, keys, look, screen, pass } = attackSeat(dir.path);
    await look();
    await keys("x", "x");
    await writeProposal(first.queueDir, { ...first.proposal, ...other });
    if (isListed) await look();
    await keys("a");
    if (!isListed) await look();
    await keys("return");
    assertStringIncludes(screen(), "approving in");
    await pass(10_000);
    assertEquals(await readAnswer(first.queueDir, "p1"), undefined);
    assertEquals((await readAnswer(second.queueDir, "p2"))?.status, "approved");
  });
}
