import { marksOfPending, MAX_JUDGED_CHARS } from "../../internal_mod.ts";
import { readOverview } from "../../mod.ts";
import { queueSample } from "../support/records.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals, assertStrictEquals } from "@std/assert";

async function putInForce(dir: TempDir, file: string, content: string, slug = "dev-1") {
  await Deno.mkdir(dir.at("current-config", slug), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", slug, file), content);
}

/** The rules that mark each pending proposal, by id; `undefined` where it was not judged. */
function rules(dir: TempDir): Record<string, readonly string[] | undefined> {
  const { pending } = readOverview({ root: dir.path });
  const marks = marksOfPending(pending, dir.path);
  return Object.fromEntries(
    pending.map((entry) => [entry.proposal.id, marks.get(entry)?.map(({ rule }) => rule)]),
  );
}

Deno.test("marksOfPending() marks each proposal against the file in force of its own bottle and tool", async () => {
  await using dir = await tempDir();
  await putInForce(dir, "allowlist", "*.example.com\n");
  await queueSample(dir.path, { id: "old-news", proposedFile: "*.example.com\n" });
  await queueSample(dir.path, {
    id: "news",
    bottleSlug: "dev-2",
    proposedFile: "*.example.com\n",
  });
  await queueSample(dir.path, {
    id: "root",
    tool: "capability-block",
    proposedFile: "FROM debian:12\nUSER root\n",
  });
  assertEquals(rules(dir), {
    "old-news": [],
    news: ["wildcard-host"],
    root: ["user-root", "new-image"],
  });
});

Deno.test("marksOfPending() judges an entry again when the file in force changes, and not before", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1", proposedFile: "*.example.com\n" });
  const { pending } = readOverview({ root: dir.path });
  const [entry] = pending;
  const look = () => marksOfPending(pending, dir.path).get(entry!);
  const first = look();
  assertEquals(first?.map(({ severity }) => severity), ["high"]);
  assertStrictEquals(look(), first);
  await putInForce(dir, "allowlist", "*.example.com\n");
  assertEquals(look(), []);
});

// Threat: B5
Deno.test("marksOfPending() judges so much in one look, of each bottle as much, and the rest in the next", async () => {
  await using dir = await tempDir();
  const proposedFile = "#".repeat(1024 * 1024 - 1) + "\n";
  const fit = MAX_JUDGED_CHARS / proposedFile.length;
  for (let n = 0; n <= fit; n++) await queueSample(dir.path, { id: `p${n}`, proposedFile });
  await queueSample(dir.path, { id: "other", bottleSlug: "dev-2", proposedFile });
  const { pending } = readOverview({ root: dir.path });
  const left = () => {
    const marks = marksOfPending(pending, dir.path);
    return pending.filter((entry) => !marks.has(entry)).map(({ proposal }) => proposal.id);
  };
  assertEquals(left(), Array.from({ length: fit }, (_, n) => `p${n + 1}`));
  assertEquals(left(), []);
});

Deno.test("marksOfPending() leaves out what cannot be compared, and judges the others", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1", "allowlist"), { recursive: true });
  await queueSample(dir.path, { id: "p1" });
  await queueSample(dir.path, { id: "p2", bottleSlug: "dev-2", proposedFile: "# a\n" });
  assertEquals(rules(dir), { p1: undefined, p2: [] });
});
