import { openTable } from "../../../cli/review/list.ts";
import { openFates } from "../../../cli/review/queue_updates.ts";
import { MAX_JUSTIFICATION_BYTES } from "../../../internal_mod.ts";
import { decide, type Overview, readOverview } from "../../../mod.ts";
import { sitDown } from "../../support/app.ts";
import { queueSample, sampleProposal } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const entry = (id: string, justification = "") => ({
  proposal: sampleProposal({ id, justification }),
  proposalSha256: id,
});

const overview = (pending: Overview["pending"]): Overview => ({
  pending,
  unrecordedResponses: [],
  unlisted: [],
  unreadable: [],
});

Deno.test("openTable() keeps a hundred rows that wait no more, and all that wait", () => {
  const table = openTable(() => 0, () => {});
  table.merge([entry("mine")], () => "withdrawn");
  for (let round = 0; round < 20; round++) {
    const asked = Array.from({ length: 50 }, (_, n) => entry(`x${round}-${n}`));
    table.merge([entry("mine"), ...asked], () => "withdrawn");
  }
  const kinds = table.visible().map(({ standing }) => standing.kind);
  assertEquals(kinds.filter((kind) => kind === "over").length, 100);
  assertEquals(kinds.filter((kind) => kind === "open").length, 51);
  assertEquals(table.current()?.entry.proposal.id, "mine");
});

Deno.test("a question is withdrawn though its row is crowded out", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "mine" });
  const { seat, keys, screen } = await sitDown(dir);
  const { pending: [mine] } = readOverview({ root: dir.path });
  await keys("return", "r");
  assertStringIncludes(screen(), "Why?");
  const others = Array.from({ length: 150 }, (_, n) => entry(`x${n}`));
  seat.overview(overview([mine!, ...others]));
  seat.overview(overview([]));
  await keys();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(!screen().includes("Why?"), screen());
});

Deno.test("openFates() reads a log once for each state of it", async () => {
  await using dir = await tempDir();
  const queued = await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2" });
  let state = "0";
  const fates = openFates(dir.path, () => state);
  const { pending } = readOverview({ root: dir.path });
  fates.list(pending);
  fates.list([]);
  assertEquals(pending.map(fates.of), ["withdrawn", "withdrawn"]);
  const { proposalSha256 } = queued;
  await decide({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: "p1",
    proposalSha256,
    verdict: { status: "rejected" },
    notes: "no",
    operator: "bob@there",
  });
  // It looks no further while the log is as it was, so no number of proposals has it read again.
  assertEquals(pending.map(fates.of), ["withdrawn", "withdrawn"]);
  state = "1";
  assertEquals(pending.map(fates.of), ["rejected by bob@there", "withdrawn"]);
});

Deno.test("the list shows the beginning of a justification that no sidecar of ours lets through", async () => {
  await using dir = await tempDir();
  const { seat, screen } = await sitDown(dir);
  const long = "why ".repeat(MAX_JUSTIFICATION_BYTES) + "\u202e";
  seat.overview(overview([entry("p1", long), entry("p2", "why")]));
  const rows = screen().split("\n");
  assertEquals(rows.filter((row) => row.includes("[too long]")).length, 1);
  assert(rows.some((row) => row.startsWith("│ …")));
});
