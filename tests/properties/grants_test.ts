import {
  decide,
  editFile,
  endOverdueGrants,
  inspectEdit,
  inspectProposal,
  listGrants,
  readAuditEntries,
  revokeGrant,
  sha256Hex,
  type SuperviseError,
} from "../../mod.ts";
import { keepFilesInForce, readOpenGrants } from "../../internal_mod.ts";
import { holds } from "../support/properties.ts";
import { queueSample } from "../support/records.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";

const TOOL = "pipelock-block";
const HOUR_MS = 3_600_000;

const NAMES = ["alder", "birch", "cedar", "dogwood", "elm", "fir"].map((name) => `${name}.example`);

const hosts = fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 });
const some = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 2 });

/** A change that an agent asks for, made in the file in force, in one from before, or in a file it does not name. */
const asked = {
  add: some,
  remove: hosts,
  from: fc.constantFrom("now", "before", "unsaid"),
} as const;

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant("grant"), hours: fc.nat(5), ...asked }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("approve"), hours: fc.nat(5), ...asked }) },
  fc.record({
    does: fc.constantFrom("edit", "by hand"),
    hours: fc.nat(5),
    add: some,
    remove: hosts,
  }),
  fc.record({ does: fc.constantFrom("revoke", "revoke all", "expire"), hours: fc.nat(5) }),
);

/** What should be open. */
interface Model {
  forGood: Set<string>;
  open: Map<string, { add: Set<string>; remove: Set<string>; untilMs: number }>;
}

function inForceOf({ forGood, open }: Model): Set<string> {
  let left = forGood;
  for (const { remove } of open.values()) left = left.difference(remove);
  for (const { add } of open.values()) left = left.union(add);
  return left;
}

/** What changes for good is no grant's any more. */
function settle(model: Model, add: Set<string>, remove: Set<string>): void {
  model.forGood = model.forGood.difference(remove).union(add);
  for (const grant of model.open.values()) {
    grant.add = grant.add.difference(remove).difference(add);
    grant.remove = grant.remove.difference(remove).difference(add);
  }
}

const hostsIn = (text: string) => new Set(text.split("\n").filter((line) => line !== ""));

const textOf = (hosts: Iterable<string>) => [...hosts].map((host) => `${host}\n`).join("");

function edited(text: string, add: readonly string[], remove: readonly string[]): string {
  const kept = [...hostsIn(text)].filter((host) => !remove.includes(host) || add.includes(host));
  return textOf(new Set([...kept, ...add]));
}

// Threat: C12
Deno.test("what is in force is what was approved for good, what was edited, and the open grants", async () => {
  // In memory, where there is such a file system: this is about sets, not about the disk.
  const memory = await Deno.stat("/dev/shm").then(() => ({ dir: "/dev/shm" }), () => ({}));
  const root = await Deno.makeTempDir(memory);
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
  let bottles = 0;
  const counts = new Map<string, number>();
  await holds(
    fc.asyncProperty(
      hosts,
      fc.array(step, { minLength: 2, maxLength: 6 }),
      async (start, steps) => {
        // In one root, because a new one makes a key.
        const bottleSlug = `b${++bottles}`;
        await Deno.mkdir(`${root}/current-config/${bottleSlug}`, { recursive: true });
        const path = `${root}/current-config/${bottleSlug}/allowlist`;
        const read = () => Deno.readTextFileSync(path);
        const recordPath = `${root}/private/grants/${bottleSlug}.${TOOL}.json`;
        Deno.writeTextFileSync(path, textOf(start));
        let model: Model = { forGood: new Set(start), open: new Map() };
        // What is changed by hand counts from the file that the program left.
        let left = { record: "", text: read(), model: structuredClone(model) };
        const before = [read()];
        let nowMs = Date.now();
        const who = { root, bottleSlug, operator: "ada@host" };
        for (const [n, one] of steps.entries()) {
          const { does } = one;
          // As a program that watches the queues does.
          keepFilesInForce(bottleSlug, root);
          nowMs += one.hours * HOUR_MS;
          const now = new Date(nowMs);
          counts.set(does, (counts.get(does) ?? 0) + 1);
          if ("from" in one) {
            const base = one.from === "before" ? before[n % before.length]! : read();
            const proposedFile = edited(base, one.add, one.remove);
            const isUnsaid = one.from === "unsaid";
            const proposalId = `p${n}`;
            await queueSample(root, {
              bottleSlug,
              id: proposalId,
              proposedFile,
              currentFileHash: isUnsaid ? "" : sha256Hex(base),
            });
            // Who does not say what they started from asks for the whole file.
            const was = isUnsaid ? model.forGood : hostsIn(base);
            const add = hostsIn(proposedFile).difference(was).difference(model.forGood);
            const remove = was.difference(hostsIn(proposedFile)).intersection(model.forGood);
            const shown = await inspectProposal({ root, bottleSlug, proposalId });
            const untilMs = nowMs + (one.hours + 1) * HOUR_MS;
            const isGrant = does === "grant";
            const request = decide({
              ...{
                ...shown,
                ...who,
                verdict: { status: "approved" },
                notes: "",
                confirmedSlug: bottleSlug,
              },
              ...(isGrant && { grant: { until: new Date(untilMs).toISOString() } }),
            });
            if (isGrant && add.size === 0) {
              const code = await request.catch((error) => (error as SuperviseError).code);
              assertEquals(code, "not_grantable");
              counts.set("refused", (counts.get("refused") ?? 0) + 1);
            } else if (isGrant) {
              await request;
              model.open.set(proposalId, { add, remove, untilMs });
            } else {
              await request;
              settle(model, add, remove);
            }
          } else if ("add" in one) {
            const was = hostsIn(read());
            const file = edited(read(), one.add, one.remove);
            if (file === read()) continue;
            if (does === "by hand") Deno.writeTextFileSync(path, file);
            else {
              const { currentSha256 } = inspectEdit({ root, bottleSlug, tool: TOOL }, file);
              const edit = { ...who, tool: TOOL, file, currentSha256, notes: "" } as const;
              await editFile({ ...edit, confirmedSlug: bottleSlug });
            }
            if (does === "by hand") model = structuredClone(left.model);
            const from = does === "by hand" ? hostsIn(left.text) : was;
            settle(model, hostsIn(file).difference(from), from.difference(hostsIn(file)));
          } else if (does === "expire") {
            const { failed } = await endOverdueGrants({ ...who, now });
            assertEquals(failed, []);
            for (const [id, { untilMs }] of model.open) if (untilMs <= nowMs) model.open.delete(id);
          } else {
            const ids = [...model.open.keys()];
            for (const id of does === "revoke" ? ids.slice(n % 3, n % 3 + 1) : ids) {
              await revokeGrant({ ...who, proposalId: id });
              model.open.delete(id);
            }
          }
          before.push(read());
          const record = await Deno.readTextFile(recordPath).catch(() => "");
          if (record === "" || record !== left.record) {
            left = { record, text: read(), model: structuredClone(model) };
          }
          assertEquals([...hostsIn(read())].toSorted(), [...inForceOf(model)].toSorted());
          const { grants } = listGrants({ root, bottleSlug, now });
          assertEquals(
            grants.map(({ proposalId, isOverdue }) => [proposalId, isOverdue]),
            [...model.open].map(([id, { untilMs }]) => [id, untilMs <= nowMs]),
          );
        }
        await endOverdueGrants({ ...who, now: new Date(nowMs + 99 * HOUR_MS) });
        assertEquals([...hostsIn(read())].toSorted(), [...model.forGood].toSorted());
        assertEquals(readOpenGrants({ root, bottleSlug }), { grants: [], unreadable: [] });
        const log = await readAuditEntries("pipelock", bottleSlug, { root }).catch(() => []);
        const granted = log.filter(({ until }) => until !== undefined);
        const ended = log.filter(({ grant }) => grant !== undefined);
        assertEquals(
          ended.map(({ grant }) => grant).toSorted(),
          granted.map(({ proposalId }) => proposalId).toSorted(),
        );
      },
    ),
    1000,
  );
  for (const [does, count] of counts) assert(count > 50, `only ${count} of ${does}`);
});
