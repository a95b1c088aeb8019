import { CancelledError } from "../../../cli/command/exit.ts";
import { readAnswer } from "../../../internal_mod.ts";
import { writeProposal } from "../../../mod.ts";
import { openTestApp } from "../../support/app.ts";
import { queueSample } from "../../support/records.ts";
import { tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const KEPT = "Your version is kept; to go on: supervise modify p1 --file /kept";

const edit = { finalFile: "mine.example\n", discard: () => Promise.resolve(), kept: KEPT };

for (
  const [what, keys] of [
    ["is left", ["q"]],
    ["is taken back", ["a", "return", "u"]],
    ["is on the screen at the end", []],
    ["is behind the help at the end", ["?"]],
  ] as const
) {
  Deno.test(`the terminal says in the end where a version is that ${what}`, async () => {
    await using dir = await tempDir();
    await queueSample(dir.path, { id: "p1" });
    const attack = await openTestApp(dir, { ports: { edit: () => Promise.resolve(edit) } });
    await attack.keys("return", "m", ...keys);
    assertEquals(attack.app.end().filter((line) => line === KEPT).length, 1);
  });
}

Deno.test("the terminal says where a version is whose proposal changed in the undo window", async () => {
  await using dir = await tempDir();
  const { queueDir, proposal } = await queueSample(dir.path, { id: "p1" });
  const { app, look, keys, wait } = await openTestApp(dir, {
    ports: { edit: () => Promise.resolve(edit) },
  });
  await keys("return", "m", "a", "return");
  await writeProposal(queueDir, { ...proposal, justification: "Other words." });
  await look();
  await wait(10_000);
  assertEquals(await readAnswer(queueDir, "p1"), undefined);
  assert(app.end().includes(KEPT));
});

Deno.test("the terminal says where a version is that breaks the rules", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const error = new CancelledError(`Cancelled: line 1: no host. ${KEPT}`, { isKept: true });
  const { app, keys } = await openTestApp(dir, { ports: { edit: () => Promise.reject(error) } });
  await keys("return", "m");
  assertStringIncludes(app.end().join("\n"), KEPT);
});

// Threat: C9
Deno.test("a key that was meant for an editor that ended decides nothing", async () => {
  await using dir = await tempDir();
  const { queueDir } = await queueSample(dir.path, { id: "p1" });
  const editor = Promise.withResolvers<never>();
  const { app, keys, wait } = await openTestApp(dir, { ports: { edit: () => editor.promise } });
  await keys("return", "m");
  editor.reject(new CancelledError("Cancelled: the file was left unchanged"));
  await wait(100);
  app.press("a");
  await wait(10_000);
  assertEquals(await readAnswer(queueDir, "p1"), undefined);
});

for (const what of ["proposal", "file in force"]) {
  // Threat: B6
  Deno.test(`what was edited is kept, and not offered, if the ${what} changed meanwhile`, async () => {
    await using dir = await tempDir();
    const { queueDir, path } = await queueSample(dir.path, { id: "p1" });
    const inForce = dir.at("current-config", "dev-1");
    await Deno.mkdir(inForce, { recursive: true });
    const before = await Deno.readTextFile(path);
    const [file, text] = what === "proposal"
      ? [path, before.replace("api.github.com", "other.example")]
      : [`${inForce}/allowlist`, "other.example\n"];
    const ports = {
      edit: () => {
        Deno.writeTextFileSync(file, text);
        return Promise.resolve(edit);
      },
    };
    const { app, screen, keys, wait } = await openTestApp(dir, { ports });
    await keys("return", "m");
    assertStringIncludes(screen(), "changed while you edited.");
    await keys("a", "return");
    await wait(10_000);
    assert((await readAnswer(queueDir, "p1"))?.status !== "modified");
    assertEquals(app.end().filter((line) => line === KEPT).length, 1);
  });
}
