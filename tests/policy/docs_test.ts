import { parsePolicy } from "../../src/policy/parse.ts";
import { REPO } from "../support/run.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

Deno.test("every policy in docs/policy.md can be used, and its examples hold", async () => {
  const page = await Deno.readTextFile(join(REPO, "docs/policy.md"));
  const policies = [...page.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, text]) =>
    parsePolicy(text!)
  );
  assertEquals(policies.map(({ rules }) => rules.map(({ name }) => name)), [
    [],
    ["registries", "no-pastes"],
  ]);
  assertEquals(policies[0]?.floor.hosts, ["*.corp.example", "10.1.2.3"]);
});
