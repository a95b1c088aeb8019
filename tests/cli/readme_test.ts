import { REPO } from "../support/run.ts";
import { isMissing } from "../support/skip.ts";
import { openTerminal, type Terminal } from "../support/tmux.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

const ignore = isMissing("tmux", "-V");

/** A screen's rows without what differs from run to run. The agent's questions arrive in any order. */
function settle(screen: string): string[] {
  return screen
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID")
    .replace(/[0-9a-f]{64}/g, "SHA256")
    .replace(/arrived [\d :+-]+ \(\d+ s ago\)/, "arrived THEN")
    .replace(/ \d+ s +(?=routes|allowlist|Dockerfile)/g, " AGE ")
    .split("\n").map((row) => row.trimEnd()).filter((row) => row !== "").toSorted();
}

/** Goes down the list until a proposal for this file is the current one. */
async function goTo(terminal: Terminal, file: string): Promise<void> {
  for (const key of ["g", "j", "j"]) {
    await terminal.type(key);
    // A key that leads nowhere paints nothing, so there is nothing else to wait for.
    if (new RegExp(`^>.*${file}`, "m").test(await terminal.still(300))) return;
  }
  throw new Error(`There is no ${file} in the list`);
}

Deno.test("the README shows the screens that the demo shows", { ignore }, async () => {
  const readme = await Deno.readTextFile(join(REPO, "README.md"));
  const [list = "", proposal = ""] = [...readme.matchAll(/^```text\n([^]*?)^```$/gm)]
    .map(([, block]) => block!.replace(/^\$ supervise review\n/, ""));
  await using terminal = await openTerminal(
    "deno run --no-prompt --allow-read --allow-write --allow-run=deno,sh --allow-net=127.0.0.1 demo/main.ts; echo ended $?",
    { NO_COLOR: "1" },
    [92, 24],
  );
  await terminal.sees(/Press Enter to see what it asks/);
  await terminal.type("Enter");
  await terminal.sees(/3 pending[^]*\? help/);
  await goTo(terminal, "routes.json");
  // Marks come late; until then a row has a question mark.
  await terminal.shows(/^(?![^]*\n[ >] {2}\? )[^]*\n! medium {2}line 12/);
  assertEquals(settle((await terminal.screen()).join("\n")), settle(list));
  await goTo(terminal, "allowlist");
  await terminal.type("Enter");
  // A line counts as seen only after it stood on the screen.
  await terminal.shows(/^(?=[^]* 1 of 1 changed line seen)[^]*arrived/);
  assertEquals(settle((await terminal.screen()).join("\n")), settle(proposal));
  await terminal.type("q");
  await terminal.sees(/3 pending[^]*\? help/);
  await terminal.type("q");
  await terminal.sees(/ended 0/);
});
