import { openList } from "../../../cli/review/list.ts";
import { MAX_JUSTIFICATION_BYTES } from "../../../internal_mod.ts";
import { type Overview, readOverview } from "../../../mod.ts";
import { changesBetween } from "../../../src/decision/events.ts";
import { openTestApp } from "../../support/app.ts";
import { queueSample, samplePending } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const entry = (id: string, justification = "") => samplePending({ id, justification }, id);

const overview = (pending: Overview["pending"]): Overview => ({
  pending,
  unrecordedResponses: [],
  unlisted: [],
  unreadable: [],
  held: [],
});

Deno.test("openList() keeps a hundred rows that wait no more, and all that wait", () => {
  const list = openList(() => 0, () => {});
  let before = overview([]);
  const merge = (pending: Overview["pending"]) => {
    const changes = changesBetween(before, overview(pending), () => new Map());
    before = changes.now;
    list.merge(changes.events, () => undefined);
  };
  merge([entry("mine")]);
  for (let round = 0; round < 20; round++) {
    const asked = Array.from({ length: 50 }, (_, n) => entry(`x${round}-${n}`));
    merge([entry("mine"), ...asked]);
  }
  const kinds = list.visible().map(({ stage }) => stage.kind);
  assertEquals(kinds.filter((kind) => kind === "over").length, 100);
  assertEquals(kinds.filter((kind) => kind === "open").length, 51);
  assertEquals(list.current()?.entry.proposal.id, "mine");
});

Deno.test("a question is withdrawn though its row is crowded out", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "mine" });
  const { take, keys, screen } = await openTestApp(dir);
  const { pending: [mine] } = readOverview({ root: dir.path });
  await keys("return", "r");
  assertStringIncludes(screen(), "Why?");
  const others = Array.from({ length: 150 }, (_, n) => entry(`x${n}`));
  take(overview([mine!, ...others]));
  take(overview([]));
  await keys();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(!screen().includes("Why?"), screen());
});

Deno.test("the list shows the beginning of a justification that no sidecar of ours lets through", async () => {
  await using dir = await tempDir();
  const { take, screen } = await openTestApp(dir);
  const long = "why ".repeat(MAX_JUSTIFICATION_BYTES) + "\u202e";
  take(overview([entry("p1", long), entry("p2", "why")]));
  const rows = screen().split("\n");
  assertEquals(rows.filter((row) => row.includes("[too long]")).length, 1);
  assert(rows.some((row) => row.startsWith("│ …")));
});
