import { listPendingProposals } from "../../mod.ts";
import { CLIENT_KINDS } from "../support/clients.ts";
import { decideNext, queueOf } from "../support/operator.ts";
import { startSidecar } from "../support/sidecar.ts";
import { tempDir } from "../support/temp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

// Threat: A15
Deno.test("the sidecar answers instance metadata at once, and asks the operator about loopback", async () => {
  await using dir = await tempDir();
  const queueDir = await queueOf(dir);
  await using sidecar = await startSidecar(queueDir);
  await using client = await CLIENT_KINDS[0]!.connect(sidecar.url);
  const call = (proposed_file: string) =>
    client.call("pipelock-block", { proposed_file, justification: "Because." });

  const refused = await call("api.example.com\nmetadata.google.internal\n");
  assertEquals(refused.isError, true);
  assertStringIncludes(refused.text, '- "metadata.google.internal" is below the floor');
  assertEquals(await listPendingProposals(queueDir), []);

  const asking = call("api.example.com\nlocalhost\n");
  const { proposal } = await decideNext(dir, { status: "rejected" }, "No loopback.");
  assertEquals(proposal.proposedFile, "api.example.com\nlocalhost\n");
  assertStringIncludes(JSON.stringify(await asking), "No loopback.");
});
