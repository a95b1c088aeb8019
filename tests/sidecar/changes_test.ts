import { decide, sha256Hex, type Tool } from "../../mod.ts";
import { inspectProposal, readOverview } from "../../mod.ts";
import { CLIENT_KINDS, type TestClient } from "../support/clients.ts";
import { supervise } from "../support/command_line.ts";
import { startSidecar } from "../support/sidecar.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const FILES: Readonly<Record<string, string>> = {
  "routes.json":
    '{\r\n  "routes": [\r\n    { "path": "/a/", "upstream": "https://a.example" }\r\n  ]\r\n}\r\n',
  "allowlist": "# ours\n*.example.com\nzzz.example\n",
  "Dockerfile": "FROM debian:12\nRUN a\n",
};

/** Makes a bottle as an operator does, with files in force. */
async function addBottle(dir: TempDir): Promise<string> {
  const flags = await Promise.all(
    Object.entries(FILES).map(async ([name, text]) => {
      await Deno.writeTextFile(dir.at(name), text);
      return [`--${name.replace(".json", "").toLowerCase()}`, dir.at(name)];
    }),
  );
  const { code, err } = await supervise(dir.at("root"), [
    "bottle",
    "add",
    "dev-1",
    ...flags.flat(),
  ]);
  assertEquals(code, 0, err);
  return dir.at("root", "queue", "dev-1");
}

const inForce = (dir: TempDir, name: string) => dir.at("root", "current-config", "dev-1", name);

/** Asks, without waiting for an operator. */
async function ask(client: TestClient, tool: Tool, change: Record<string, unknown>) {
  const { isError, text, structured } = await client.call(tool, {
    justification: "Why.",
    ...change,
  });
  return { isError, text, id: structured?.proposal_id as string };
}

const pendingOf = (dir: TempDir) => readOverview({ root: dir.at("root") }).pending;

const CHANGES: readonly (readonly [tool: Tool, change: Record<string, unknown>, after: string])[] =
  [
    [
      "cred-proxy-block",
      { add: [{ path: "/b/", upstream: "https://b.example" }] },
      FILES["routes.json"]!.replace(
        "\r\n  ]",
        ',\r\n    { "path": "/b/", "upstream": "https://b.example" }\r\n  ]',
      ),
    ],
    [
      "pipelock-block",
      { add: ["api.example.net"], remove: ["zzz.example"], proposed_file: "" },
      "# ours\n*.example.com\napi.example.net\n",
    ],
    [
      "capability-block",
      {
        patch:
          "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,3 @@\n FROM debian:12\n+RUN b\n RUN a\n",
      },
      "FROM debian:12\nRUN b\nRUN a\n",
    ],
  ];

for (const { name, connect } of CLIENT_KINDS) {
  Deno.test(`${name} asks by change: the operator sees a whole file, and the file it began with`, async () => {
    await using dir = await tempDir();
    const queueDir = await addBottle(dir);
    await using sidecar = await startSidecar(queueDir, "dev-1", 0, ["--hold-seconds=0"]);
    await using client = await connect(sidecar.url);
    for (const [tool, change, after] of CHANGES) {
      const { id, text } = await ask(client, tool, change);
      assertStringIncludes(text, "pending");
      const { proposal, stale } = await inspectProposal({
        root: dir.at("root"),
        bottleSlug: "dev-1",
        proposalId: id,
      });
      const [file] = Object.entries(FILES).find(([name]) => text.includes(name))!;
      assertEquals(proposal.proposedFile, after);
      assertEquals([proposal.currentFileHash, stale], [sha256Hex(FILES[file]!), false]);
      // As the Python original writes it: no key more.
      assertEquals(
        Object.keys(JSON.parse(await Deno.readTextFile(`${queueDir}/${id}.proposal.json`))),
        [
          "id",
          "bottle_slug",
          "tool",
          "proposed_file",
          "justification",
          "arrival_timestamp",
          "current_file_hash",
        ],
      );
      assertEquals((await ask(client, tool, change)).id, id, "the same change is another question");
    }
    assertEquals(pendingOf(dir).length, CHANGES.length);
  });

  Deno.test(`${name} hears at once why a change cannot be made, and nothing is queued`, async () => {
    await using dir = await tempDir();
    const queueDir = await addBottle(dir);
    await using sidecar = await startSidecar(queueDir, "dev-1", 0, ["--hold-seconds=0"]);
    await using client = await connect(sidecar.url);
    const bad: readonly (readonly [Tool, Record<string, unknown>, string])[] = [
      [
        "pipelock-block",
        { add: ["dev.example.com"] },
        "already, by *.example.com on line 2: the block has another reason",
      ],
      [
        "pipelock-block",
        { remove: ["x.example"] },
        'remove[0]: the file in force has no line "x.example"',
      ],
      ["pipelock-block", { add: ["metadata.google.internal"] }, "is below the floor"],
      ["pipelock-block", { add: ["a.de"], remove: ["a.de"] }, "in add too"],
      [
        "pipelock-block",
        {},
        "proposed_file: found nothing, expected the whole new file as proposed_file, or instead add or remove",
      ],
      ["pipelock-block", { add: [], remove: [] }, "add: found nothing, expected"],
      [
        "pipelock-block",
        { add: ["a.de"], proposed_file: "a.de\n" },
        "add: found proposed_file beside it, expected one of the two",
      ],
      [
        "pipelock-block",
        { patch: "@@ -1 +1 @@\n-a\n+b\n" },
        "patch: pipelock-block does not take it",
      ],
      ["pipelock-block", { add: ["a.de"], justification: " " }, "justification: found nothing"],
      [
        "capability-block",
        { patch: "@@ -1,0 +2,120000 @@\n" + "+RUN abcd\n".repeat(120_000) },
        "1048576",
      ],
      [
        "cred-proxy-block",
        { add: [{ path: "/a/", upstream: "https://q.example" }] },
        "found the path of $.routes[0] in force",
      ],
      ["cred-proxy-block", { add: [{ path: "/q/" }] }, "add[0].upstream: found nothing"],
      ["cred-proxy-block", { remove: ["/q/"] }, "no route with the path"],
      [
        "capability-block",
        { patch: "@@ -1 +1 @@\n-FROM x\n+FROM y\n" },
        'hunk 1 does not apply: line 1 of the file in force is "FROM debian:12"',
      ],
      [
        "capability-block",
        { patch: "@@ -1,2 +1,2 @@\n FROM debian:12\n-RUN a\n+RUN a\n" },
        "the change changes nothing",
      ],
      [
        "capability-block",
        { patch: "@@ -1 +1 @@\n-FROM debian:12\n+FRM debian:12\n" },
        "in the changed file, ",
      ],
    ];
    for (const [tool, change, word] of bad) {
      const { isError, text } = await ask(client, tool, change);
      assert(isError, text);
      assertStringIncludes(text, word);
    }
    assertEquals(pendingOf(dir), []);
  });
}

const { connect } = CLIENT_KINDS[1]!;

// Threat: B7
Deno.test("a change on a copy that somebody changed is stale on the host, and cannot be approved unawares", async () => {
  await using dir = await tempDir();
  const queueDir = await addBottle(dir);
  await using sidecar = await startSidecar(queueDir, "dev-1", 0, ["--hold-seconds=0"]);
  await using client = await connect(sidecar.url);
  await Deno.writeTextFile(`${queueDir}/current.allowlist`, "# ours\nevil.example\n");
  const { id } = await ask(client, "pipelock-block", { add: ["api.example.net"] });
  const ref = { root: dir.at("root"), bottleSlug: "dev-1", proposalId: id };
  const { proposal, stale, diff } = await inspectProposal(ref);
  assertEquals(proposal.proposedFile, "# ours\nevil.example\napi.example.net\n");
  assert(stale);
  assertStringIncludes(diff, "evil.example");
  const shown = await supervise(dir.at("root"), ["show", id]);
  assertStringIncludes(shown.out, "! The agent did not start from the allowlist in force.");
  assertEquals((await supervise(dir.at("root"), ["approve", id])).code, 5);
  // The operator's commands have put the copy right.
  assertEquals(await Deno.readTextFile(`${queueDir}/current.allowlist`), FILES.allowlist);
});

Deno.test("a change without a copy is refused in words, and the whole file still works", async () => {
  await using dir = await tempDir();
  const queueDir = await addBottle(dir);
  await using sidecar = await startSidecar(queueDir, "dev-1", 0, ["--hold-seconds=0"]);
  await using client = await connect(sidecar.url);
  const copy = `${queueDir}/current.allowlist`;
  const states: readonly (readonly [() => unknown, string])[] = [
    [() => Deno.remove(copy), "it is not there"],
    [() => Deno.writeFile(copy, new Uint8Array([0xff])), "it is not UTF-8"],
    [() => Deno.truncate(copy, 2 ** 21), "it cannot be read"],
    [
      () => Deno.remove(copy).then(() => Deno.symlink(inForce(dir, "allowlist"), copy)),
      "it cannot be read",
    ],
  ];
  for (const [make, why] of states) {
    await make();
    const { isError, text } = await ask(client, "pipelock-block", { add: ["a.de"] });
    assertEquals(
      [isError, text.split("\n- ")[1]],
      [
        true,
        `the sidecar's copy of allowlist, on which a change is made, cannot be used (${why}): send the ` +
        "whole new file as proposed_file",
      ],
    );
  }
  const { text } = await ask(client, "pipelock-block", { proposed_file: "a.de\n" });
  assertStringIncludes(text, "pending");
});

Deno.test("a change that is asked again gets its answer, also once the file in force has it", async () => {
  await using dir = await tempDir();
  const queueDir = await addBottle(dir);
  await using sidecar = await startSidecar(queueDir, "dev-1", 0, ["--hold-seconds=0"]);
  await using client = await connect(sidecar.url);
  const change = { add: ["api.example.net"] };
  const { id } = await ask(client, "pipelock-block", change);
  const [{ proposal, proposalSha256 } = assert(false)!] = pendingOf(dir);
  await decide({
    root: dir.at("root"),
    bottleSlug: "dev-1",
    proposalId: id,
    proposalSha256,
    verdict: { status: "approved" },
    notes: "so be it",
    operator: "ada@host",
  });
  await Deno.writeTextFile(inForce(dir, "allowlist"), proposal.proposedFile);
  assertEquals((await supervise(dir.at("root"), ["list"])).code, 0);
  for (let turn = 0; turn < 2; turn++) {
    const again = await ask(client, "pipelock-block", change);
    assertEquals([again.isError, again.id], [false, id]);
    assertStringIncludes(again.text, "so be it");
  }
  // With another reason it is another question, and the copy is the new file.
  const other = await ask(client, "pipelock-block", { ...change, justification: "Another." });
  assertStringIncludes(
    other.text,
    "already, by api.example.net on line 3: the block has another reason",
  );
});
