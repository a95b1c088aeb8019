import { listPendingProposals, readAuditEntries } from "../../../mod.ts";
import { type CallResult, CLIENT_KINDS } from "../../support/clients.ts";
import { queueOf } from "../../support/operator.ts";
import { queueSample } from "../../support/records.ts";
import { NO_TMUX, openReview, SIZES } from "../../support/review.ts";
import { type Sidecar, startSidecar } from "../../support/sidecar.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const ignore = NO_TMUX;

/** A call that an agent makes, and that stays open. */
async function ask(
  sidecar: Sidecar,
  host: string,
): Promise<{ readonly answer: Promise<CallResult> }> {
  const client = await CLIENT_KINDS[2]!.connect(sidecar.url);
  const before = sidecar.events.filter(({ event }) => event === "proposed").length;
  const answer = client.call("pipelock-block", {
    proposed_file: `api.example.com\n${host}\n`,
    justification: `I need ${host}.`,
  }).finally(() => client[Symbol.asyncDispose]());
  while (sidecar.events.filter(({ event }) => event === "proposed").length === before) {
    const early = answer.then(() => Promise.reject(new Error("The call ended and asked nothing")));
    await Promise.race([sidecar.next(), early]);
  }
  return { answer };
}

async function putInForce(dir: TempDir): Promise<void> {
  for (const slug of ["dev-1", "dev-2", "dev-3"]) {
    await Deno.mkdir(dir.at("current-config", slug), { recursive: true });
    await Deno.writeTextFile(dir.at("current-config", slug, "allowlist"), "api.example.com\n");
  }
}

for (const size of SIZES) {
  const leaves = size !== SIZES[0];
  Deno.test(
    `at ${size.join("x")}, agents get what the operator decides: approved, modified, rejected`,
    { ignore },
    async () => {
      await using dir = await tempDir();
      await putInForce(dir);
      await Deno.writeTextFile(dir.at("editor"), '#!/bin/sh\necho mine.example > "$1"\n', {
        mode: 0o755,
      });
      // Three bottles: a version of one's own is for the file that was shown, which an approval changes.
      await using sidecar = await startSidecar(await queueOf(dir));
      await using other = await startSidecar(await queueOf(dir, "dev-2"), "dev-2");
      await using another = await startSidecar(await queueOf(dir, "dev-3"), "dev-3");
      const first = await ask(sidecar, "one.example");
      await using review = await openReview(dir, { size, env: { EDITOR: dir.at("editor") } });
      await review.shows(/^│ I need one/m);
      const second = await ask(other, "*.two.example");
      const third = await ask(another, "three.example");
      await review.shows(/^ supervise {2}3 pending/m);

      // Approve: the key in the list shows it first.
      await review.decide("a", /Look first, then a approves it/);
      await review.shows(/^\+ *\d+ one\.example$/m);
      await review.decide("a", /u to undo/);

      // Modify: what the editor left is looked at, then answered.
      await review.still(400);
      await review.type("Enter");
      await review.shows(/^! high/m);
      await review.decide("m", /^\+ *\d+ mine\.example$/m);
      await review.decide("a", /Notes for the agent/);
      await review.answer("Mine is enough.");
      await review.shows(/u to undo/);

      // Reject, with a note.
      await review.still(400);
      await review.type("Enter");
      await review.shows(/^\+ *\d+ three\.example$/m);
      await review.decide("r", /Why\? The agent reads it:/);
      await review.answer("No, thanks.");
      await review.shows(/u to undo/);
      // What can still be undone is written when its time is up, or when the operator leaves.
      if (leaves) {
        const asked = await review.decide("q", /not recorded yet|^ended 0$/m);
        if (!/^ended 0$/m.test(asked)) await review.decide("q", /^ended 0$/m);
      }

      const [approved, modified, rejected] = await Promise.all([
        first.answer,
        second.answer,
        third.answer,
      ]);
      assertEquals(approved.structured?.status, "approved");
      assertEquals(
        [modified.structured?.status, modified.structured?.notes, modified.structured?.final_file],
        ["modified", "Mine is enough.", "mine.example\n"],
      );
      assertEquals(
        [rejected.structured?.status, rejected.structured?.notes, rejected.structured?.final_file],
        ["rejected", "No, thanks.", undefined],
      );
      const logs = ["dev-1", "dev-2", "dev-3"].map((slug) =>
        readAuditEntries("pipelock", slug, { root: dir.path })
      );
      assertEquals(
        (await Promise.all(logs)).flat().map(({ operatorAction }) => operatorAction).toSorted(),
        ["approved", "modified", "rejected"],
      );
      if (!leaves) {
        await review.shows(/! rejected/);
        await review.type("q");
      }
      const told = await review.shows(/^ended 0/m);
      for (const word of ["approved ", "modified ", "rejected "]) {
        assertStringIncludes(told, `\n${word}`);
      }
      assertEquals(await review.state(), { alternate: false, cursor: true });
    },
  );
}

Deno.test(
  "several are decided in a table, one is undone, the agents hear each",
  { ignore },
  async () => {
    await using dir = await tempDir();
    await putInForce(dir);
    const queueDir = await queueOf(dir);
    await using sidecar = await startSidecar(queueDir);
    const calls = [
      await ask(sidecar, "one.example"),
      await ask(sidecar, "*.two.example"),
      await ask(sidecar, "three.example"),
    ];
    await using review = await openReview(dir, { size: [120, 40] });
    await review.shows(/^ supervise {2}3 pending/m);
    await review.type("x");
    await review.shows(/1 selected/);
    await review.type("x");
    await review.shows(/2 selected/);
    await review.decide("a", /^── 1 of 2 ─/m);
    await review.still(100); // What is left at once was not seen.
    await review.type("Space");
    await review.shows(/^ Enter will approve 2:\n\n will be approved {2}│ .*\n will be/m);
    await review.decide("Enter", /Type dev-1 \(the bottle's name\) to/);
    await review.answer("dev-1");
    await review.shows(/^ Results:\n\n u to undo \(\d s\): approving {2}│/m);
    await review.type("u");
    await review.shows(/Taken back, nothing was written\./);
    assertEquals((await listPendingProposals(queueDir)).length, 3);

    // The same again, to the end; and the third alone.
    await review.type("q");
    await review.shows(/^ +MARKS/m);
    await review.still(200);
    for (const count of [1, 2]) {
      await review.type("x");
      await review.shows(new RegExp(`${count} selected`));
    }
    await review.decide("a", /^ Enter will approve 2:/m);
    await review.decide("Enter", /Type dev-1/);
    await review.answer("dev-1");
    await review.shows(/^ approved {2}│/m);
    assertEquals((await calls[0]!.answer).structured?.status, "approved");
    // Its change is made in the file that the first one put in force.
    assertEquals((await calls[1]!.answer).structured?.status, "modified");
    await review.shows(/^ (approved|done, and off the list) .*\n (modified|done)/m);
    assertEquals((await listPendingProposals(queueDir)).length, 1);
    await review.type("q");
    await review.shows(/^ +MARKS/m);
    await review.type("G");
    await review.decide("r", /Look first/);
    await review.decide("r", /Why\?/);
    await review.answer("No.");
    assertEquals((await calls[2]!.answer).structured?.notes, "No.");
  },
);

// Threat: C9
Deno.test(
  "on a terminal, Enter and G that come at once have not shown the first page",
  { ignore },
  async () => {
    await using dir = await tempDir();
    const proposedFile = Array.from({ length: 24 }, (_, n) => `g${n}.example\n`).join("");
    await queueSample(dir.path, { id: "p1", proposedFile });
    await using review = await openReview(dir);
    await review.type("Enter", "G");
    const screen = await review.shows(/^\+ *24 g23\.example$/m);
    assertEquals(screen.match(/\+ *1 g0\.example|24 of 24/), null);
    await review.decide("a", /Not decided: this part was not on the screen yet/);
    await review.shows(/^\+ *1 g0\.example$/m);
  },
);
