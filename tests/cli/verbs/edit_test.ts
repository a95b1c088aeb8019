import { freeze, keptEdits } from "../../../internal_mod.ts";
import { readAuditEntries, sha256Hex } from "../../../mod.ts";
import { supervise } from "../../support/command_line.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const IN_FORCE = "api.example.com\n";

const VERSION = `${IN_FORCE}api.github.com\n`;

const allowlist = (dir: TempDir) => Deno.readTextFile(dir.at("current-config/dev-1/allowlist"));

async function prepared(): Promise<TempDir> {
  const dir = await tempDir();
  await Deno.mkdir(dir.at("current-config/dev-1"), { recursive: true });
  await Deno.writeTextFile(dir.at("current-config/dev-1/allowlist"), IN_FORCE);
  return dir;
}

const edit = (dir: TempDir, args: readonly string[], input = "", editor = "") =>
  supervise(dir.path, ["edit", ...args, "--bottle", "dev-1"], { input, env: { EDITOR: editor } });

/** An editor that adds a line. */
async function editorAdding(dir: TempDir, line: string): Promise<string> {
  const script = `#!/bin/sh\necho '${line}' >> "$1"\n`;
  await Deno.writeTextFile(dir.at("editor"), script, { mode: 0o755 });
  return dir.at("editor");
}

const log = (dir: TempDir) => readAuditEntries("pipelock", "dev-1", { root: dir.path });

Deno.test("edit --file puts a version in force, has it take effect and records it as operator-edit", async () => {
  await using dir = await prepared();
  const argv = ["/bin/sh", "-c", 'echo reloaded > "$0"', dir.at("said")];
  const apply = JSON.stringify({
    pipelock: { render: "squid", to: dir.at("allowed"), reload: { argv } },
  });
  await Deno.writeTextFile(dir.at("apply.json"), apply, { mode: 0o600 });
  const args = ["allowlist", "--file", "-", "--notes", "by hand", "--json"];
  const { code, out, err } = await edit(dir, args, VERSION);
  assertEquals(code, 0, err);
  const { tool, applied, audit_head: head } = JSON.parse(out);
  assertEquals([tool, head.startsWith("1:")], ["pipelock-block", true]);
  assertStringIncludes(applied, "/bin/sh ended with exit code 0");
  assertEquals(await allowlist(dir), VERSION);
  assertEquals(await Deno.readTextFile(dir.at("said")), "reloaded\n");
  const [entry] = await log(dir);
  assertEquals([entry?.operatorAction, entry?.operatorNotes], ["operator-edit", "by hand"]);
  assertEquals(entry?.finalSha256, sha256Hex(VERSION));
});

Deno.test("edit says that the file alone changes, if apply.json names nothing for it", async () => {
  await using dir = await prepared();
  const pipelock = { render: "squid", to: dir.at("allowed"), reload: { argv: ["/bin/false"] } };
  await Deno.writeTextFile(dir.at("apply.json"), JSON.stringify({ pipelock }), { mode: 0o600 });
  const routes = '{"routes": [{"path": "/gh/", "upstream": "https://api.github.com"}]}\n';
  const { code, out, err } = await edit(dir, ["routes", "--file", "-", "--json"], routes);
  assertEquals(code, 0, err);
  assertEquals(JSON.parse(out).applied, "the file alone: nothing reloads it");
});

Deno.test("edit opens the file in force in the editor, and says what became of it", async () => {
  await using dir = await prepared();
  const editor = await editorAdding(dir, "api.github.com");
  const { code, out, err } = await edit(dir, ["allowlist"], "", editor);
  assertEquals(code, 0, err);
  assertMatch(
    out,
    /^changed allowlist \(dev-1\)\nin force: the file alone: nothing reloads it\nrecorded in .*pipelock-dev-1\.log\n$/,
  );
  assertEquals([await allowlist(dir), keptEdits(dir.path)], [VERSION, []]);
});

Deno.test("edit keeps the version that is not put in force, and says how to go on", async () => {
  await using dir = await prepared();
  for (
    const [line, code, says] of [["*.evil.example", 2, "--confirm dev-1"], [
      "no host",
      1,
      "Cancelled: line 2",
    ]] as const
  ) {
    const made = await edit(dir, ["allowlist"], "", await editorAdding(dir, line));
    assertEquals(made.code, code, made.err);
    assertStringIncludes(made.err, says);
    const [, file = ""] = /edit allowlist --bottle dev-1 --file (\S+)/.exec(made.err) ?? [];
    assertEquals(await Deno.readTextFile(file), `${IN_FORCE}${line}\n`);
    assertEquals(await allowlist(dir), IN_FORCE);
  }
  assertEquals(await log(dir), []);
  const confirmed = ["allowlist", "--file", "-", "--confirm", "dev-1"];
  assertEquals((await edit(dir, confirmed, `${IN_FORCE}*.evil.example\n`)).code, 0);
  assertEquals((await log(dir)).length, 1);
});

Deno.test("edit --file takes away nothing unseen that came into force since the file was made", async () => {
  await using dir = await prepared();
  const base = sha256Hex(IN_FORCE);
  const mine = "mine.example.com\n";
  await Deno.writeTextFile(dir.at("current-config/dev-1/allowlist"), VERSION); // Approved since.
  for (
    const [more, code, says] of [
      [
        [],
        2,
        'Cannot take "api.example.com" and 1 more out of the allowlist of dev-1 without',
      ],
      [["--json"], 2, "name the file in force that your version is made from with --sha256"],
      [
        ["--sha256", base],
        5,
        "another file is in force than the one that your version is made from",
      ],
      [["--sha256", base.slice(0, 32)], 2, "expected 64 lower-case hex digits"],
    ] as const
  ) {
    const made = await edit(dir, ["allowlist", "--file", "-", ...more], mine);
    assertEquals(made.code, code, made.err);
    assertStringIncludes(made.err, says);
  }
  assertEquals([await allowlist(dir), await log(dir)], [VERSION, []]);
  const seen = ["allowlist", "--file", "-", "--sha256", sha256Hex(VERSION)];
  assertEquals((await edit(dir, seen, mine)).code, 0);
  assertEquals(await allowlist(dir), mine);
});

Deno.test("edit takes away nothing that came into force while the editor was open", async () => {
  await using dir = await prepared();
  const path = dir.at("current-config/dev-1/allowlist");
  const script = `#!/bin/sh\necho mine.example.com >> "$1"\nprintf '%s' '${VERSION}' > '${path}'\n`;
  await Deno.writeTextFile(dir.at("editor"), script, { mode: 0o755 });
  const { code, err } = await edit(dir, ["allowlist"], "", dir.at("editor"));
  assertEquals([code, await allowlist(dir)], [5, VERSION]);
  assertStringIncludes(err, "look at it again");
  assertStringIncludes(err, "edit allowlist --bottle dev-1 --file ");
});

Deno.test("edit changes nothing where nothing is to be changed, or nothing may be", async () => {
  await using dir = await prepared();
  for (
    const [args, input, code, says] of [
      [["allowlist", "--file", "-"], IN_FORCE, 1, "that version is in force already"],
      [["allowlist", "--file", "-"], " \n", 1, "Cancelled: - is empty"],
      [["allowlist", "--file", "-"], `${IN_FORCE}no host\n`, 1, "invalid allowlist"],
      [["hosts"], "", 2, "write one of routes, allowlist, dockerfile"],
      [[], "", 2, "write one of routes, allowlist, dockerfile"],
    ] as const
  ) {
    const { err, ...made } = await edit(dir, args, input);
    assertEquals(made.code, code, err);
    assertStringIncludes(err, says);
  }
  const unchanged = await edit(dir, ["allowlist"], "", "/bin/true");
  assertStringIncludes(unchanged.err, "Cancelled: /bin/true ended and saved nothing");
  freeze(dir.path, "dev-1", new Date(Date.now() + 3_600_000).toISOString());
  for (const args of [["allowlist"], ["allowlist", "--file", "-"]]) {
    const { code, err } = await edit(dir, args, VERSION, await editorAdding(dir, "a.example"));
    assertEquals(code, 1);
    assertStringIncludes(err, "its files are frozen until ");
  }
  assertEquals([await allowlist(dir), await log(dir)], [IN_FORCE, []]);
});
