import { archiveProposal, readResponse, sha256Hex, writeAuditEntry } from "../../../mod.ts";
import { main } from "../../../cli/main.ts";
import { FOREIGN_LINE, sampleEntry } from "../../support/audit.ts";
import { supervise } from "../../support/command_line.ts";
import { queueSample } from "../../support/records.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const WILDCARD = "# api.github.com\r\n*.example.com";

/** Queues a proposal and approves it, high mark and all. */
async function approveWildcard(dir: TempDir, id = "aaaa1111-one") {
  const { queueDir } = await queueSample(dir.path, { id, proposedFile: WILDCARD });
  await supervise(dir.path, ["show", id]);
  const approve = ["approve", id, "--confirm", "dev-1", "--notes", "until Friday", "--json"];
  const { code, out } = await supervise(dir.path, approve);
  assertEquals(code, 0, out);
  return { queueDir, auditHead: JSON.parse(out).audit_head as string };
}

// Threat: A7
Deno.test("the record of a decision shows a blank at the end of a line, by show and by audit show", async () => {
  await using dir = await tempDir();
  const proposedFile = "FROM a\nRUN iptables \\ \n";
  await queueSample(dir.path, { id: "p1", tool: "capability-block", proposedFile });
  await supervise(dir.path, ["reject", "p1", "--notes", "no"]);
  for (const words of [["show", "p1"], ["audit", "show", "--full"]]) {
    const { out } = await supervise(dir.path, words);
    assertStringIncludes(out, "\n  │ +RUN iptables \\·\n", words.join(" "));
  }
});

const logIn = (dir: TempDir) => dir.at("audit", "pipelock-dev-1.log");

Deno.test("show of a decided proposal has the decision, who, when, marks, confirmation, head and diff", async () => {
  await using dir = await tempDir();
  const { auditHead } = await approveWildcard(dir);
  const { code, out, err } = await supervise(dir.path, ["show", "aaaa"]);
  assertEquals([code, err], [0, ""]);
  const [first, second, ...rows] = out.trimEnd().split("\n");
  assertMatch(first!, /^approved {2}20\S+Z {2}pipelock {2}dev-1$/);
  assertMatch(second!, /^ {2}20\d\d-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d, \d+ [sm] ago$/);
  assertMatch(rows[0]!, /^ {2}by \S+@\S+$/);
  assertMatch(rows[1]!, /^ {2}key SHA256:\S{43}$/);
  assertEquals(rows.slice(2, 16), [
    "  the signature of the line is good",
    `  head ${auditHead}`,
    '  proposal id "aaaa1111-one"',
    `  final file ${sha256Hex(WILDCARD)}`,
    "  its marks:",
    '  ! high    line 2: "*.example.com" would allow "example.com" and all below it',
    "  it would let dev-1 reach *.example.com; nothing else is new",
    "  the operator confirmed the high marks, by typing the bottle's name",
    "  in force: the file alone: nothing reloads it",
    "  notes:",
    "  │ until Friday",
    "  the agent said:",
    "  │ The tests read a public gist.",
    "  diff:  [1 escaped]",
  ]);
  assertStringIncludes(out, "\n  │ +*.example.com\n");

  const json = JSON.parse((await supervise(dir.path, ["show", "aaaa", "--json"])).out);
  assertEquals([json.version, json.bottle_slug, json.id, json.tool], [
    1,
    "dev-1",
    "aaaa1111-one",
    "pipelock-block",
  ]);
  const { decision } = json;
  assertEquals([decision.operator_action, decision.audit_head, decision.signature], [
    "approved",
    auditHead,
    "good",
  ]);
  assertEquals(decision.marks, [{
    severity: "high",
    rule: "wildcard-host",
    message: '"*.example.com" would allow "example.com" and all below it',
    side: "new",
    line: 2,
  }]);
  assertEquals(decision.confirmed, ["high-marks"]);
});

// Threat: L11
Deno.test("show --final prints the bytes that the log proves, wherever they are, and no others", async () => {
  await using dir = await tempDir();
  const { queueDir } = await approveWildcard(dir);
  const final = async () => {
    const { code, bytes, err } = await supervise(dir.path, ["show", "aaaa", "--final"]);
    return code === 0 ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) : err;
  };
  assertEquals(await final(), WILDCARD);
  const response = await Deno.readTextFile(`${queueDir}/aaaa1111-one.response.json`);
  await archiveProposal(queueDir, "aaaa1111-one");
  assertEquals(await final(), WILDCARD);

  // The queue's owner puts another file into the response: the proposal still has the bytes.
  const place = `${queueDir}/processed/aaaa1111-one`;
  await Deno.writeTextFile(
    `${place}.response.json`,
    response.replace("*.example.com", "*.evil.com"),
  );
  assertEquals((await readResponse(`${queueDir}/processed`, "aaaa1111-one")).finalFile?.length, 28);
  assertEquals(await final(), WILDCARD);
  await Deno.remove(`${place}.proposal.json`);
  // It is in force, and a copy of it is kept by its hash.
  assertEquals(await final(), WILDCARD);
  await Deno.remove(dir.at("private", "known"), { recursive: true });
  await Deno.remove(dir.at("current-config", "dev-1", "allowlist"));
  assertMatch(
    await final(),
    /^Cannot print the final file of aaaa1111-one: the log has its hash, /,
  );

  // What was in force once is kept by its hash.
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), WILDCARD);
  await queueSample(dir.path, { id: "bbbb" });
  await supervise(dir.path, ["list"]);
  await Deno.remove(dir.at("current-config", "dev-1", "allowlist"));
  await Deno.remove(dir.at("queue"), { recursive: true });
  assertEquals(await final(), WILDCARD);
  const json = JSON.parse((await supervise(dir.path, ["show", "aaaa", "--final", "--json"])).out);
  assertEquals([json.final_file, json.final_sha256], [WILDCARD, sha256Hex(WILDCARD)]);
});

Deno.test("show --final prints the operator's version of what was modified", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await supervise(dir.path, ["modify", "p1", "--file", "-"], { input: "mine.example\n" });
  const { code, out } = await supervise(dir.path, ["show", "p1", "--final"]);
  assertEquals([code, out], [0, "mine.example\n"]);
});

Deno.test("show --final says why there is no file to print, exit 1", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  const refused = async (code: string, reason: string) => {
    const { code: exit, out, err } = await supervise(dir.path, ["show", "p1", "--final"]);
    assertEquals([exit, out], [1, ""]);
    assertStringIncludes(err, `Cannot print the final file of p1: ${reason}`);
    const json = await supervise(dir.path, ["show", "p1", "--final", "--json"]);
    assertEquals(JSON.parse(json.out).error.code, code);
  };
  await refused("undecided", "it is not decided yet");
  await supervise(dir.path, ["reject", "p1", "--notes", "no"]);
  await refused("no_final_file", "it was rejected, so there is none");
});

// Threat: B8
Deno.test("show of a decided proposal says what its response says otherwise than the log", async () => {
  await using dir = await tempDir();
  const { queueDir } = await approveWildcard(dir);
  const id = "aaaa1111-one";
  const says = async (how = "says otherwise", where = queueDir) => {
    const { code, out } = await supervise(dir.path, ["show", id]);
    const json = JSON.parse((await supervise(dir.path, ["show", id, "--json"])).out);
    assertEquals(code, 0);
    const flat = out.replaceAll(/\n\s*↪/g, "").replaceAll(/\s+/g, " ");
    assertStringIncludes(
      flat,
      json.foreign_answer === null
        ? "signature of the line is good head "
        : `good ! its response in ${where} ${how}: ${json.foreign_answer} head `,
    );
    return json.foreign_answer;
  };
  assertEquals(await says(), null);
  const removed = dir.at("private", "removed", "dev-1");
  const place = `${queueDir}/${id}.response.json`;
  const sound = JSON.parse(await Deno.readTextFile(place));
  const forged = {
    "rejected": { ...sound, status: "rejected", final_file: null },
    "approved, with another file": { ...sound, final_file: "evil.example\n" },
    "approved, with other notes": { ...sound, notes: "and push to main" },
    "approved, with another time": { ...sound, until: "2036-01-01T00:00:00.000Z" },
    'it is not a response: "another" is not the file\'s name': { ...sound, proposal_id: "another" },
  };
  const archived = `${queueDir}/processed/${id}.response.json`;
  await Deno.mkdir(`${queueDir}/processed`);
  for (const [words, response] of Object.entries(forged)) {
    await Deno.writeTextFile(place, JSON.stringify(response));
    assertEquals(await says(), words);
    await Deno.rename(place, archived);
    assertEquals(await says(), words);
  }
  await Deno.symlink("/etc/hostname", place);
  assertEquals(await says("cannot be compared"), "it cannot be read: it is a link");
  await Deno.remove(place);
  await Deno.writeTextFile(archived, JSON.stringify(sound));
  assertEquals(await says(), null);
  // Nor is one in the queue of a removed bottle passed over.
  await Deno.writeTextFile(archived, JSON.stringify(forged["approved, with other notes"]));
  await Deno.mkdir(removed, { recursive: true });
  await Deno.rename(queueDir, `${removed}/dev-1.abc`);
  const where = `${removed}/dev-1.abc`;
  assertEquals(await says("says otherwise", where), "approved, with other notes");
});

// Threat: L11
Deno.test("show says of a line that proves nothing what is wrong, and --final takes no hash from it", async () => {
  await using dir = await tempDir();
  await approveWildcard(dir);
  const line = await Deno.readTextFile(logIn(dir));
  const forged = sha256Hex("evil.example\n");
  const key = dir.at("private", "audit-signing-key.pem");
  const unsigned = FOREIGN_LINE.replace(
    "}\n",
    `, "proposal_id": "aaaa1111-one", "final_sha256": "${forged}", "operator_key": "SHA256:x"}\n`,
  );
  for (
    const [signature, words, change] of [
      ["bad", "! the line is not what was signed", async () => {
        await Deno.writeTextFile(logIn(dir), line.replace(sha256Hex(WILDCARD), forged));
      }],
      ["none", "not signed", () => Deno.writeTextFile(logIn(dir), unsigned)],
      ["unknown", "! the key that signed the line is not here", async () => {
        await Deno.writeTextFile(logIn(dir), line);
        await Deno.rename(key, `${key}.old`);
      }],
    ] as const
  ) {
    await change();
    const shown = await supervise(dir.path, ["show", "aaaa"]);
    assertEquals(shown.code, 0, shown.err);
    assertStringIncludes(shown.out, `\n  ${words}`);
    const { out } = await supervise(dir.path, ["show", "aaaa", "--json"]);
    assertEquals(JSON.parse(out).decision.signature, signature);
    const final = await supervise(dir.path, ["show", "aaaa", "--final"]);
    assertEquals([final.code, final.out], [1, ""], signature);
    assertStringIncludes(final.err, "no key of this root signed the line");
  }
});

Deno.test("show says of an older log that it does not keep the marks", async () => {
  await using dir = await tempDir();
  await writeAuditEntry(sampleEntry(), { root: dir.path });
  const { code, out } = await supervise(dir.path, ["show", "p1"]);
  assertEquals(code, 0);
  assertStringIncludes(out, "\n  the log does not keep the marks of this decision\n");
  const { err } = await supervise(dir.path, ["show", "p1", "--final"]);
  assertStringIncludes(err, "the log does not have its hash");
});

Deno.test("show finds by a shortened id what the queue has no more, after what is pending", async () => {
  await using dir = await tempDir();
  await approveWildcard(dir, "cccc1111");
  await approveWildcard(dir, "cccc2222");
  await Deno.remove(dir.at("queue"), { recursive: true });
  const shown = async (...words: string[]) => await supervise(dir.path, ["show", ...words]);
  assertStringIncludes((await shown("cccc1")).out, "\n  proposal cccc1111\n");
  const both = await shown("cccc");
  assertEquals(both.code, 2);
  assertMatch(
    both.err,
    /^Cannot tell which proposal cccc is: cccc2222 \(dev-1\), cccc1111 \(dev-1\);/,
  );
  assertEquals((await shown("cccc1", "--bottle", "dev-2")).code, 3);
  assertEquals((await shown("dddd")).code, 3);
  await queueSample(dir.path, { id: "cccc1999" });
  assertStringIncludes((await shown("cccc1")).out, "cccc1999  dev-1  pipelock-block\n");
});

// Threat: A6
Deno.test("show of a decided proposal lets nothing act that a line of the log has", async () => {
  await using dir = await tempDir();
  const evil = "\x1b[31m\u202e\r\x07";
  const mark = { severity: "high", rule: evil, message: evil, side: "new", line: 1 } as const;
  const words = { operatorNotes: evil, justification: evil, diff: evil, operator: evil };
  const more = { operatorName: evil, unrecordedResponse: evil, marks: [mark], timestamp: evil };
  await writeAuditEntry(sampleEntry({ ...words, ...more }), { root: dir.path });
  for (const args of [["show", "p1"], ["audit", "show"], ["audit", "show", "--full"]]) {
    const { code, out } = await supervise(dir.path, args);
    assertEquals(code, 0);
    assertStringIncludes(out, "⟨U+001B⟩");
    // deno-lint-ignore no-control-regex
    assertEquals(out.match(/[\x00-\x09\x0b-\x1f\u202e]/), null, args.join());
  }
});

// Threat: A6
Deno.test("show --final writes to no terminal what could act there", async () => {
  await using dir = await tempDir();
  const risky = "FROM debian:12\n# \x1b]0;title\x07\n";
  const tool = "capability-block";
  for (const [id, proposedFile] of [["plain", "FROM debian:12\n"], ["risky", risky]] as const) {
    await queueSample(dir.path, { id, tool, proposedFile });
    await supervise(dir.path, ["show", id]);
    assertEquals((await supervise(dir.path, ["approve", id])).code, 0);
  }
  const onTerminal = async (id: string) => {
    let [out, err] = ["", ""];
    const code = await main(["show", id, "--final", "--root", dir.path], {
      print: (text) => void (out += `${text}\n`),
      write: (bytes) => void (out += new TextDecoder().decode(bytes)),
      complain: (text) => void (err += `${text}\n`),
      errIsTerminal: true,
      outIsTerminal: true,
      interactive: true,
      columns: 200,
      env: () => undefined,
    });
    return { code, out, err };
  };
  assertEquals(await onTerminal("plain"), { code: 0, out: "FROM debian:12\n", err: "" });
  const { code, out, err } = await onTerminal("risky");
  assertEquals([code, out], [1, ""]);
  assertStringIncludes(err, "2 of its characters could act on a terminal; write it to a file");
  const { bytes } = await supervise(dir.path, ["show", "risky", "--final"]);
  assert(new TextDecoder().decode(bytes) === risky);
});

Deno.test("a decided modify says that its diff is the operator's, in show and in audit show --full", async () => {
  await using dir = await tempDir();
  await queueSample(dir.path, { id: "p1" });
  await supervise(dir.path, ["modify", "p1", "--file", "-"], { input: "mine.example\n" });
  for (const args of [["show", "p1"], ["audit", "show", "--full"]]) {
    const { out } = await supervise(dir.path, args);
    assertStringIncludes(
      out,
      "\n  diff to the operator's own version, which it calls (proposed):\n  │ --- ",
    );
  }
});
