import { checkDeno } from "../../../cli/doctor/machine.ts";
import { decide, sha256Hex, writeAuditEntry, writeResponse } from "../../../mod.ts";
import { supervise } from "../../support/command_line.ts";
import { flood } from "../../support/flood.ts";
import { queueSample } from "../../support/records.ts";
import { run } from "../../support/run.ts";
import { canMount, mountTmpfs } from "../../support/small_disk.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { treeOf } from "../../support/tree.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { asUser, ranAlone } from "../../support/user.ts";
import { join } from "@std/path";
import { generateKeyPairSync } from "node:crypto";

const HOUR_MS = 3_600_000;

const IN_FORCE = "api.example.com\n";

const FILES = {
  allowlist: IN_FORCE,
  Dockerfile: "FROM debian:13\n",
  "routes.json": '{"routes":[]}',
};

const isRoot = Deno.uid() === 0;

interface Found {
  readonly check: string;
  readonly state: string;
  readonly says: string;
  readonly says_visible: string;
  readonly todo: string | null;
}

/** A root in which all is well: one decision is made, one proposal waits. */
async function prepare(dir: TempDir): Promise<void> {
  const inForce = dir.at("current-config", "dev-1");
  await Deno.mkdir(inForce, { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries(FILES)) {
    await Deno.writeTextFile(`${inForce}/${name}`, text, { mode: 0o644 });
  }
  const { proposalSha256 } = await queueSample(dir.path, { id: "decided" });
  await decide({
    root: dir.path,
    bottleSlug: "dev-1",
    proposalId: "decided",
    proposalSha256,
    verdict: { status: "approved" },
    notes: "",
    operator: "ada@host",
  });
  await queueSample(dir.path, { id: "waits", currentFileHash: sha256Hex(IN_FORCE) });
}

async function writeIntent(dir: TempDir, intent: string): Promise<void> {
  await Deno.mkdir(dir.at("private", "intents"), { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(dir.at("private", "intents", "dev-1.json"), intent, { mode: 0o600 });
}

/** Leaves what a crash leaves between the intent to reject a proposal and its line in the log. */
async function interrupt(dir: TempDir, proposalId: string): Promise<void> {
  const line = JSON.stringify({
    timestamp: new Date().toISOString(),
    bottle_slug: "dev-1",
    component: "pipelock",
    operator_action: "rejected",
    operator_notes: "no",
    justification: "",
    diff: "",
    proposal_id: proposalId,
  }) + "\n";
  const response = JSON.stringify({
    proposal_id: proposalId,
    status: "rejected",
    notes: "no",
    final_file: null,
  });
  const intent = {
    version: 1,
    bottle_slug: "dev-1",
    proposal_id: proposalId,
    component: "pipelock",
    log_size: 0,
    line,
    response,
  };
  await writeIntent(dir, JSON.stringify(intent));
}

async function findings(root: string): Promise<{ code: number; found: readonly Found[] }> {
  const { code, out, err } = await supervise(root, ["doctor", "--json"]);
  assertEquals(err, "");
  const { version, findings } = JSON.parse(out);
  assertEquals(version, 1);
  return { code, found: findings };
}

Deno.test("doctor finds nothing wrong where nothing is, and changes nothing", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  // A removed bottle's queue is as its sidecar left it.
  await Deno.mkdir(dir.at("private", "removed", "x", "x.1"), { recursive: true, mode: 0o700 });
  await Deno.mkdir(dir.at("private", "removed", "x", "x.1", "d"), { mode: 0o700 });
  await Deno.chmod(dir.at("private", "removed", "x", "x.1", "d"), 0o777);
  // So is what was moved out of an answer's place.
  await Deno.mkdir(dir.at("private", "foreign", "x"), { recursive: true, mode: 0o700 });
  await Deno.mkdir(dir.at("private", "foreign", "x", "p.1"));
  await Deno.chmod(dir.at("private", "foreign", "x", "p.1"), 0o700);
  await Deno.writeTextFile(dir.at("private", "foreign", "x", "p.1", "f"), "");
  await Deno.chmod(dir.at("private", "foreign", "x", "p.1", "f"), 0o666);
  // So is what it archived.
  await Deno.mkdir(dir.at("queue", "dev-1", "processed"), { mode: 0o700 });
  await Deno.rename(response(dir), dir.at("queue", "dev-1", "processed", "decided.response.json"));
  await Deno.remove(dir.at("queue", "dev-1", "decided.proposal.json"));
  const before = treeOf(dir.path);
  const { code, found } = await findings(dir.path);
  assertEquals(treeOf(dir.path), before);
  assertEquals(found.filter(({ state }) => state !== "ok"), []);
  assertEquals(code, 0);
  assertEquals(found.map(({ check }) => check), [
    "permissions",
    "owner",
    "policy",
    "foreign-answers",
    "unreadable",
    "floods",
    "sidecars",
    "files-in-force",
    "drift",
    "grants",
    "intents",
    "edits",
    "logs",
    "signing-key",
    "notify",
    "clock",
    "disk",
    "deno",
  ]);
});

/** A trouble: how it comes about, and what the doctor says of it. */
interface Trouble {
  readonly what: string;
  readonly make: (dir: TempDir) => unknown;
  readonly check: string;
  readonly state: "warn" | "bad";
  readonly says: string;
  readonly todo: string;
  /** Why it cannot be made here. */
  readonly ignore?: boolean;
}

const response = (dir: TempDir) => dir.at("queue", "dev-1", "decided.response.json");

/** Plants answers in an archive. */
async function archive(dir: string, ...ids: readonly string[]): Promise<void> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  for (const proposalId of ids) {
    await writeResponse(dir, { proposalId, status: "approved", notes: "", finalFile: "x" });
  }
}

const setBack = (path: string, byMs: number) => {
  const at = new Date(Date.now() - byMs);
  return Deno.utime(path, at, at);
};

const TROUBLES: readonly Trouble[] = [
  {
    what: "a link in the place of a queue",
    make: (dir) => Deno.symlink("/etc", dir.at("queue", "evil")),
    check: "unreadable",
    state: "warn",
    says: "1 file cannot be listed: evil/. (it is a link, where a directory belongs)",
    todo: "ls -la $ROOT/queue/*/",
  },
  {
    what: "a root that others may read",
    make: (dir) => Deno.chmod(dir.path, 0o755),
    check: "permissions",
    state: "warn",
    says: "others may read the root",
    todo: "chmod go-rwx $ROOT",
  },
  {
    what: "a log that others may write",
    make: (dir) => Deno.chmod(dir.at("audit", "pipelock-dev-1.log"), 0o666),
    check: "permissions",
    state: "bad",
    says: "others may write audit/pipelock-dev-1.log",
    todo: "chmod -R go-w $ROOT/audit",
  },
  {
    what: "a queue that others may read",
    make: (dir) => Deno.chmod(dir.at("queue", "dev-1"), 0o750),
    check: "permissions",
    state: "warn",
    says: "others may read queue/dev-1",
    todo: "chmod -R go-rwx $ROOT/queue",
  },
  {
    what: "a signing key that others may read",
    make: (dir) => Deno.chmod(dir.at("private", "audit-signing-key.pem"), 0o640),
    check: "permissions",
    state: "bad",
    says: "others may read private/audit-signing-key.pem",
    todo: "chmod -R go-rwx $ROOT/private",
  },
  {
    what: "a file of another user's",
    make: (dir) => Deno.chown(dir.at("audit", "pipelock-dev-1.log"), 12345, 12345),
    check: "owner",
    state: "bad",
    says: "audit/pipelock-dev-1.log belongs to user 12345",
    todo: "sudo chown -R 0 $ROOT/audit",
    ignore: !isRoot,
  },
  {
    what: "a planted answer",
    make: (dir) => {
      const planted = {
        proposalId: "waits-for-nobody",
        status: "approved",
        notes: "",
        finalFile: "x",
      } as const;
      return writeResponse(dir.at("queue", "dev-1"), planted);
    },
    check: "foreign-answers",
    state: "bad",
    says: '1 response is unrecorded: dev-1/"waits-for-nobody"',
    todo: "supervise show waits-for-nobody --bottle dev-1; then decide it yourself with " +
      "--override-unrecorded (chmod u+w it first if it is a directory), or, if it has no proposal, " +
      "move the response out of $ROOT/queue/dev-1; and find out who else writes there",
  },
  {
    what: "planted answers in the archive",
    make: (dir) => archive(dir.at("queue", "dev-1", "processed"), "gone-1", "gone-2"),
    check: "foreign-answers",
    state: "warn",
    says: '2 archived responses are unrecorded, the newest first: dev-1/"gone-',
    todo: "ls -l $ROOT/queue/dev-1/processed/gone-",
  },
  {
    what: "a planted answer in the archive of a removed bottle",
    make: (dir) => archive(dir.at("private", "removed", "x", "x.1", "processed"), "gone-1"),
    check: "foreign-answers",
    state: "warn",
    says: '1 archived response is unrecorded, the newest first: x/"gone-1"',
    todo: "ls -l $ROOT/private/removed/x/x.1/processed/gone-1.response.json; unless an operator",
  },
  {
    what: "a link in the place of an archive",
    make: (dir) => Deno.symlink("/etc", dir.at("queue", "dev-1", "processed")),
    check: "foreign-answers",
    state: "warn",
    says: "dev-1: nobody can tell whether its archived responses are recorded: Cannot read ",
    todo: "ls -la $ROOT/queue/dev-1; ",
  },
  ...[["malformed", "{}"], ["no JSON", "port 9100"]].map(([what, text]): Trouble => ({
    what: `settings of a bottle that are ${what}`,
    make: async (dir) => {
      await Deno.mkdir(dir.at("private", "bottles"), { mode: 0o700 });
      await Deno.writeTextFile(dir.at("private", "bottles", "dev-1.json"), text!, { mode: 0o600 });
    },
    check: "sidecars",
    state: "bad",
    says: "dev-1 cannot be started, stopped or removed. Cannot read ",
    todo:
      "mv $ROOT/private/bottles/dev-1.json $ROOT/private/bottles/dev-1.json.broken && supervise ",
  })),
  {
    what: "a planted link with a hostile name",
    make: (dir) => Deno.symlink("/etc/passwd", dir.at("queue", "dev-1", "\x1b[2J.proposal.json")),
    check: "unreadable",
    state: "warn",
    says: "1 file cannot be listed: dev-1/\x1b[2J.proposal.json (its name is no proposal id)",
    todo: "ls -la $ROOT/queue/*/",
  },
  {
    what: "a flood",
    make: (dir) => flood(dir.at("queue", "dev-1"), 1_001),
    check: "floods",
    state: "bad",
    says: "somebody floods dev-1 (2 not listed)",
    todo: "stop the sidecar of dev-1",
  },
  {
    what: "an answer that nobody collected",
    make: (dir) => setBack(response(dir), 2.5 * HOUR_MS),
    check: "sidecars",
    state: "warn",
    says: "dev-1: 1 response was never collected, the oldest for 2 h",
    todo: "supervise bottle status dev-1",
  },
  {
    what: "what a sidecar left that died while it wrote",
    make: async (dir) => {
      const name = `.x.proposal.json.${crypto.randomUUID()}.tmp`;
      await Deno.writeTextFile(dir.at("queue", "dev-1", name), "{");
      await setBack(dir.at("queue", "dev-1", name), HOUR_MS);
    },
    check: "sidecars",
    state: "warn",
    says: "dev-1: its sidecar died while it wrote, 1 h ago",
    todo: "start it again",
  },
  {
    what: "a proposal that has waited for days",
    make: (dir) => {
      const arrivalTimestamp = new Date(Date.now() - 50 * HOUR_MS).toISOString();
      return queueSample(dir.path, { id: "old", arrivalTimestamp });
    },
    check: "sidecars",
    state: "warn",
    says: 'dev-1: id "old" has been pending for 2 d',
    todo: "supervise show old --bottle dev-1",
  },
  {
    what: "a bottle without files in force",
    make: (dir) => queueSample(dir.path, { id: "p1", bottleSlug: "new" }),
    check: "files-in-force",
    state: "warn",
    says: "new: no file in force",
    todo: "mkdir -p $ROOT/current-config/new && cp ",
  },
  {
    what: "an interrupted decision",
    make: (dir) => interrupt(dir, "waits"),
    check: "intents",
    state: "warn",
    says: "a decision for dev-1 was interrupted",
    todo: "supervise list --bottle dev-1",
  },
  {
    what: "an intent that is none",
    make: (dir) => writeIntent(dir, "{"),
    check: "intents",
    state: "bad",
    says: "private/intents/dev-1.json is not an intent",
    todo: "mv $ROOT/private/intents/dev-1.json $ROOT/private/intents/dev-1.json.broken",
  },
  {
    what: "an intent that no decision can be finished from",
    make: (dir) => writeIntent(dir, JSON.stringify({ version: 1, bottle_slug: "dev-1" })),
    check: "intents",
    state: "bad",
    says: "private/intents/dev-1.json is not an intent",
    todo: "mv $ROOT/private/intents/dev-1.json $ROOT/private/intents/dev-1.json.broken",
  },
  {
    what: "a FIFO where an intent belongs",
    make: async (dir) => {
      await Deno.mkdir(dir.at("private", "intents"), { recursive: true, mode: 0o700 });
      const { code } = await run("mkfifo", [dir.at("private", "intents", "dev-1.json")]);
      assertEquals(code, 0);
    },
    check: "intents",
    state: "bad",
    says: "private/intents/dev-1.json is not an intent",
    todo: "mv ",
  },
  {
    what: "an answer that was being written",
    make: (dir) =>
      Deno.writeTextFile(dir.at("private", "staging", "dev-1", ".x.tmp"), "{", { mode: 0o600 }),
    check: "intents",
    state: "warn",
    says: "dev-1: a decision was interrupted while its response was written",
    todo: "nothing: the next decision",
  },
  {
    what: "a version of the operator's",
    make: async (dir) => {
      await Deno.mkdir(dir.at("private", "edit", "ab12"), { recursive: true, mode: 0o700 });
      const file = dir.at("private", "edit", "ab12", "allowlist");
      await Deno.writeTextFile(file, "x.example\n", { mode: 0o600 });
    },
    check: "edits",
    state: "warn",
    says: "a version of yours is kept: private/edit/ab12/allowlist",
    todo: "supervise modify ID --file $ROOT/private/edit/ab12/allowlist",
  },
  {
    what: "a log that somebody edited",
    make: async (dir) => {
      const log = dir.at("audit", "pipelock-dev-1.log");
      const text = await Deno.readTextFile(log);
      await Deno.writeTextFile(log, text.replace("approved", "rejected"));
    },
    check: "logs",
    state: "bad",
    says: "pipelock-dev-1 is not sound: line 1: its signature does not fit",
    todo: "supervise audit verify --bottle dev-1",
  },
  {
    what: "a log that was removed",
    make: (dir) => Deno.remove(dir.at("audit", "pipelock-dev-1.log")),
    check: "logs",
    state: "bad",
    says: "pipelock-dev-1 is not sound: ",
    todo: "supervise audit verify --bottle dev-1",
  },
  {
    what: "a line by another writer",
    make: async (dir) => {
      const log = dir.at("audit", "pipelock-dev-1.log");
      const { timestamp, ...line } = JSON.parse(await Deno.readTextFile(log));
      for (const key of ["seq", "prev", "sig", "operator_key"]) delete line[key];
      await Deno.writeTextFile(log, JSON.stringify({ timestamp, ...line }) + "\n", {
        append: true,
      });
    },
    check: "logs",
    state: "warn",
    says: "the last lines of pipelock-dev-1 are not signed",
    todo: "supervise audit show",
  },
  {
    what: "a signing key that is gone",
    make: (dir) => Deno.remove(dir.at("private", "audit-signing-key.pem")),
    check: "signing-key",
    state: "bad",
    says: "the key that signed them is not here",
    todo: "put private/audit-signing-key.pem back",
  },
  {
    what: "somebody else's signing key",
    make: async (dir) => {
      const { privateKey } = generateKeyPairSync("ed25519");
      const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      await Deno.writeTextFile(dir.at("private", "audit-signing-key.pem"), pem);
    },
    check: "signing-key",
    state: "bad",
    says: "did not sign the last line of pipelock-dev-1; put the key back that did",
    todo: "nothing is decided until that is repaired",
  },
  {
    what: "a sidecar whose clock is ahead",
    make: (dir) => {
      const arrivalTimestamp = new Date(Date.now() + HOUR_MS).toISOString();
      return queueSample(dir.path, { id: "all-is-approved", arrivalTimestamp });
    },
    check: "clock",
    state: "warn",
    says: 'dev-1/"all-is-approved" arrived in the future',
    todo: "date; compare it",
  },
  {
    what: "a line from the future beside a log that cannot be read",
    make: async (dir) => {
      await Deno.mkdir(dir.at("audit", "cred-proxy-dev-1.log"), { recursive: true });
      for (const byMs of [HOUR_MS, 0]) {
        await writeAuditEntry({
          timestamp: new Date(Date.now() + byMs).toISOString(),
          bottleSlug: "dev-1",
          component: "pipelock",
          operatorAction: "operator-edit",
          operatorNotes: "",
          justification: "",
          diff: "",
        }, { root: dir.path });
      }
    },
    check: "clock",
    state: "warn",
    says: "pipelock-dev-1 has a line from the future",
    todo: "date; set the clock",
  },
  {
    what: "a clock that was set back",
    make: (dir) =>
      writeAuditEntry({
        timestamp: new Date(Date.now() - 24 * HOUR_MS).toISOString(),
        bottleSlug: "dev-1",
        component: "pipelock",
        operatorAction: "operator-edit",
        operatorNotes: "",
        justification: "",
        diff: "",
      }, { root: dir.path }),
    check: "clock",
    state: "warn",
    says: "is older than one before it: the clock was set back",
    todo: "supervise audit show --bottle dev-1",
  },
  {
    what: "a file that is not a signing key",
    make: async (dir) => {
      await Deno.remove(dir.at("private", "audit-signing-key.pem"));
      await Deno.writeTextFile(dir.at("private", "audit-signing-key.pem"), "no key", {
        mode: 0o600,
      });
    },
    check: "signing-key",
    state: "bad",
    says: "Cannot sign with ",
    todo: "supervise audit verify",
  },
  {
    what: "a check that fails",
    make: (dir) =>
      Deno.writeTextFile(dir.at("private", "intents.new"), "").then(async () => {
        await Deno.remove(dir.at("private", "intents"), { recursive: true });
        await Deno.rename(dir.at("private", "intents.new"), dir.at("private", "intents"));
      }),
    check: "intents",
    state: "bad",
    says: "this could not be checked: ",
    todo: "fix that",
  },
  {
    what: "a file in a directory's place",
    make: async (dir) => {
      await Deno.mkdir(dir.at("private", "foreign"), { mode: 0o700 });
      await Deno.writeTextFile(dir.at("private", "foreign", "dev-1"), "", { mode: 0o600 });
    },
    check: "permissions",
    state: "bad",
    says: "private/foreign/dev-1 is a file, where a directory belongs",
    todo: "ls -la $ROOT",
  },
  ...[
    ["a queue of mode 000", "queue/dev-1", 0o000, "000"],
    ["an archive of mode 000", "queue/dev-1/processed", 0o000, "000"],
    ["an archive that may not be written", "queue/dev-1/processed", 0o500, "500"],
    ["a staging directory of mode 000", "private/staging/dev-1", 0o000, "000"],
    ["intents that may not be written", "private/intents", 0o500, "500"],
    ["a configuration of mode 000", "current-config/dev-1", 0o000, "000"],
    ["a log that may not be written", "audit/pipelock-dev-1.log", 0o400, "400"],
    ["a signing key that may not be read", "private/audit-signing-key.pem", 0o000, "000"],
  ].map(([what, path, mode, shown]): Trouble => ({
    what: `${what}`,
    make: async (dir) => {
      const place = dir.at(`${path}`);
      if (!/\.(?:log|pem)$/.test(place)) await Deno.mkdir(place, { recursive: true, mode: 0o700 });
      await Deno.chmod(place, Number(mode));
    },
    check: "permissions",
    state: "bad",
    says: `you may not use ${path} (mode ${shown})`,
    todo: `chmod -R u+rwX $ROOT/${`${path}`.split("/")[0]}`,
  })),
  ...[
    ["a file in force", "current-config/dev-1/allowlist", 0o600],
    ["a directory of files in force", "current-config/dev-1", 0o750],
  ].map(([what, path, mode]): Trouble => ({
    what: `${what} that only its owner reads`,
    make: (dir) => Deno.chmod(dir.at(`${path}`), Number(mode)),
    check: "permissions",
    state: "warn",
    says: `an agent that is not root in its container may not read ${path}`,
    todo: "chmod -R a+rX $ROOT/current-config/*",
  })),
  {
    what: "an invalid file in force",
    make: (dir) =>
      Deno.writeTextFile(dir.at("current-config", "dev-1", "allowlist"), "a.example\nHTTP://x\n"),
    check: "files-in-force",
    state: "bad",
    says: "dev-1: the allowlist in force is invalid: line 2: found ",
    todo: "edit $ROOT/current-config/dev-1/allowlist",
  },
  {
    what: "one missing file of three",
    make: (dir) => Deno.remove(dir.at("current-config", "dev-1", "Dockerfile")),
    check: "files-in-force",
    state: "warn",
    says: "dev-1: no Dockerfile in force, so a proposed one is shown as new",
    todo: "cp Dockerfile $ROOT/current-config/dev-1",
  },
  {
    what: "a directory in the place of a file in force",
    make: async (dir) => {
      await Deno.remove(dir.at("current-config", "dev-1", "Dockerfile"));
      await Deno.mkdir(dir.at("current-config", "dev-1", "Dockerfile"));
    },
    check: "files-in-force",
    state: "bad",
    says: "dev-1: the Dockerfile in force cannot be read (",
    todo: "ls -la $ROOT/current-config/dev-1",
  },
  {
    what: "a configuration without a queue",
    make: (dir) => Deno.mkdir(dir.at("current-config", "dev-3")),
    check: "files-in-force",
    state: "warn",
    says: "dev-3: files in force, and no queue, so its agent cannot ask",
    todo: "ls $ROOT/queue",
  },
  {
    what: "a log that is a directory",
    make: (dir) => Deno.mkdir(dir.at("audit", "rebuild-dev-1.log"), { mode: 0o700 }),
    check: "logs",
    state: "bad",
    says: "rebuild-dev-1 is not sound: line 0: it could not be checked: ",
    todo: "supervise audit verify --bottle dev-1",
  },
  ...[["a mode that others may read", 0o640], ["mode 000", 0o000]].map(([what, mode]): Trouble => ({
    what: `an edited log behind a key of ${what}`,
    make: async (dir) => {
      const log = dir.at("audit", "pipelock-dev-1.log");
      const text = await Deno.readTextFile(log);
      await Deno.writeTextFile(log, text.replace("ada@host", "eve@host"));
      await Deno.chmod(dir.at("private", "audit-signing-key.pem"), Number(mode));
    },
    check: "logs",
    state: "bad",
    says: "pipelock-dev-1 is not sound: line 1: its signature does not fit",
    todo: "supervise audit verify",
  })),
];

// Threat: C2, L7
Deno.test("doctor tells of an edited log and of the key's wrong mode, both", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const log = dir.at("audit", "pipelock-dev-1.log");
  await Deno.writeTextFile(log, (await Deno.readTextFile(log)).replace("ada@", "eve@"));
  await Deno.chmod(dir.at("private", "audit-signing-key.pem"), 0o644);
  const { found } = await findings(dir.path);
  const bad = found.filter(({ state }) => state === "bad").map(({ check }) => check);
  assertEquals(bad, ["permissions", "logs", "signing-key"]);
});

// Threat: C2
Deno.test("doctor of another user than root goes on behind directories of mode 000", async (t) => {
  if (await ranAlone(t)) return;
  await using dir = await tempDir();
  await prepare(dir);
  await Deno.mkdir(dir.at("queue", "dev-2"), { mode: 0o700 });
  await asUser(dir.path, async () => {
    const closed = ["queue/dev-2", "current-config/dev-1", "private/intents"].map((path) =>
      dir.at(path)
    );
    for (const path of closed) await Deno.chmod(path, 0o000);
    const { found } = await findings(dir.path);
    for (const path of closed) await Deno.chmod(path, 0o700);
    const [first] = found.filter(({ says }) => says.startsWith("you may not use "));
    assertStringIncludes(
      first!.says,
      "queue/dev-2, current-config/dev-1, private/intents (mode 000)",
    );
    const states = Object.fromEntries(found.map(({ check, state }) => [check, state]));
    assertEquals(states.sidecars, "ok");
    // What the responses in the closed queue state of its logs is not known; of the others all is.
    const logs = found.filter(({ check }) => check === "logs");
    assertEquals(logs.length, 3);
    for (const { says } of logs) {
      assertMatch(says, /-dev-2 is not sound: .*nobody can tell whether lines are gone: /);
    }
  });
});

// Threat: C2
Deno.test("doctor leaves a queue to its sidecar's own user, where root decides", {
  ignore: !isRoot,
}, async () => {
  await using dir = await tempDir();
  await prepare(dir);
  await Deno.chown(dir.at("queue", "dev-1"), 1001, 1001);
  const { found } = await findings(dir.path);
  assertEquals(found.filter(({ check }) => check === "owner").map(({ state }) => state), ["ok"]);
});

Deno.test("doctor changes nothing of a directory that this program did not make", async () => {
  await using dir = await tempDir();
  await Deno.chmod(dir.path, 0o777);
  await Deno.mkdir(dir.at("private"));
  const { found } = await findings(dir.path);
  const about = found.filter(({ check }) => /^(?:permissions|owner)$/.test(check));
  assertEquals(about.map(({ state, says }) => [state, says]), [
    ["warn", `nothing in ${dir.path} was made by this program`],
  ]);
});

for (const { what, make, check, state, says, todo, ignore = false } of TROUBLES) {
  Deno.test({
    name: `doctor finds ${what}, and says what to do`,
    ignore,
    fn: async () => {
      await using dir = await tempDir();
      await prepare(dir);
      await make(dir);
      const before = treeOf(dir.path);
      const { code, found } = await findings(dir.path);
      assertEquals(treeOf(dir.path), before);
      const about = found.filter((one) => one.check === check && one.says.includes(says));
      assertEquals(about.map((one) => one.state), [state], JSON.stringify(found, null, 1));
      assertStringIncludes(about[0]!.todo ?? "", todo.replaceAll("$ROOT", dir.path));
      assertEquals(code, found.some((one) => one.state === "bad") ? 1 : 0);
      // Whatever it is, all else was looked at too.
      assert(found.some((one) => one.check === "deno"));
    },
  });
}

Deno.test("doctor prints a row for each finding, the way out below it, and no agent's tricks", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  await Deno.symlink("/etc/passwd", dir.at("queue", "dev-1", "\x1b[2J.proposal.json"));
  const { code, out } = await supervise(dir.path, ["doctor"]);
  assertEquals(code, 0);
  assertStringIncludes(out, "ok    permissions      nobody else may read or write it");
  assertStringIncludes(
    out,
    "warn  unreadable       1 file cannot be listed: dev-1/⟨U+001B⟩[2J.prop",
  );
  assertStringIncludes(out, `                       -> ls -la ${join(dir.path, "queue")}/*/`);
  assert(out.endsWith("0 bad, 1 to look at\n"));
});

Deno.test("doctor leaves an interrupted decision to the next verb, and then it is done", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  const { queueDir } = await queueSample(dir.path, { id: "p1" });
  await interrupt(dir, "p1");
  const state = async () =>
    (await findings(dir.path)).found.find(({ check }) => check === "intents")!.state;
  assertEquals([await state(), await state()], ["warn", "warn"]);
  const { err } = await supervise(dir.path, ["list", "--bottle", "dev-1"]);
  assertStringIncludes(err, "! an interrupted decision on p1 (dev-1) was not recorded");
  assertEquals(await state(), "ok");
  // What the verbs hand over of the files in force is there too.
  const names = [...Deno.readDirSync(queueDir)].filter(({ name }) => !name.startsWith("current."));
  assertEquals(names.length, 4);
});

Deno.test("doctor says that there is no root, and refuses --bottle", async () => {
  await using dir = await tempDir();
  const { code, found } = await findings(dir.at("nowhere"));
  assertEquals([code, found.length, found[0]!.check], [1, 1, "root"]);
  const refused = await supervise(dir.path, ["doctor", "--bottle", "dev-1"]);
  assertEquals([refused.code, refused.err], [2, "Cannot use --bottle with doctor\nSee --help\n"]);
});

for (const [version, state] of [["2.9.0", "ok"], ["2.8.9", "warn"], ["3.0.0", "warn"]] as const) {
  Deno.test(`checkDeno() says ${state} of Deno ${version}`, () => {
    assertEquals(checkDeno(version).map((finding) => finding.state), [state]);
  });
}

for (
  const [options, state, says] of [
    ["size=16m", "bad", "16 MiB are free"],
    ["size=128m", "warn", "128 MiB are free"],
    ["size=512m,nr_inodes=50", "bad", "more files is left"],
  ] as const
) {
  Deno.test({
    name: `doctor says ${state} of a disk with ${options}`,
    ignore: !canMount,
    fn: async () => {
      await using dir = await tempDir();
      await using _ = await mountTmpfs(dir.path, options);
      const { found } = await findings(dir.path);
      const disk = found.find(({ check }) => check === "disk")!;
      assertEquals(disk.state, state);
      assertStringIncludes(disk.says, says);
    },
  });
}

Deno.test("doctor finds a queue on another file system than the rest", {
  ignore: !canMount,
}, async () => {
  await using dir = await tempDir();
  await prepare(dir);
  await using _ = await mountTmpfs(dir.at("queue", "dev-1"), "mode=700");
  const { found } = await findings(dir.path);
  const [first] = found.filter(({ check }) => check === "permissions");
  assertEquals(first?.state, "bad");
  assertStringIncludes(first!.says, "is on another file system than");
});

Deno.test("doctor says of a root with more files than it looks at that it did not see them all", async () => {
  await using dir = await tempDir();
  await prepare(dir);
  await Deno.mkdir(dir.at("private", "shown", "x"), { recursive: true, mode: 0o700 });
  const file = dir.at("private", "shown", "x", "0");
  await Deno.writeTextFile(file, "", { mode: 0o600 });
  for (let n = 1; n < 20_000; n++) await Deno.link(file, dir.at("private", "shown", "x", `${n}`));
  const { found } = await findings(dir.path);
  const says = found.filter(({ check }) => check === "permissions").map((
    { state, says },
  ) => [state, says]);
  assertEquals(says.at(-1), ["warn", "only the first 20000 files and directories were looked at"]);
});
