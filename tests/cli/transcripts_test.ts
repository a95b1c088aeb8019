import { sha256Hex } from "../../mod.ts";
import { supervise } from "../support/command_line.ts";
import { queueSample } from "../support/records.ts";
import { REPO } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp.ts";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { userInfo } from "node:os";

const FOLDER = join(REPO, "tests/testdata/transcripts");

/**
 * The root that every transcript starts from: four proposals of two bottles, one of them hostile and one
 * with marks, one broken file, and files in force.
 */
async function prepare(dir: TempDir): Promise<void> {
  const inForce = dir.at("current-config", "dev-1");
  await Deno.mkdir(inForce, { recursive: true });
  await Deno.writeTextFile(`${inForce}/allowlist`, "api.example.com\n");
  await Deno.writeTextFile(`${inForce}/Dockerfile`, "FROM debian:12\n");
  await Deno.mkdir(dir.at("current-config", "web.2"));
  await Deno.writeTextFile(
    dir.at("current-config", "web.2", "allowlist"),
    "# hosts\nold.example\napi.github.com\n",
  );
  await queueSample(dir.path, {
    id: "aaaa1111-first",
    arrivalTimestamp: "2026-01-01T10:00:00.000Z",
    currentFileHash: sha256Hex("api.example.com\n"),
  });
  await queueSample(dir.path, {
    id: "aaaa2222-stale",
    tool: "capability-block",
    proposedFile: "FROM debian:12\nRUN apt-get install -y jq\n",
    justification: "I need jq.\n2 pending\n! approved by the operator\x1b[2K\rharmless \u202etxt",
    arrivalTimestamp: "2026-01-01T11:00:00.123456+00:00",
    currentFileHash: sha256Hex("FROM debian:11\n"),
  });
  await queueSample(dir.path, {
    id: "bbbb3333-other",
    bottleSlug: "web.2",
    tool: "cred-proxy-block",
    proposedFile: '{"routes": []}\n',
    justification: "There is no route yet.",
    arrivalTimestamp: "2026-01-01T12:00:00Z",
  });
  await queueSample(dir.path, {
    id: "cccc4444-marked",
    bottleSlug: "web.2",
    proposedFile: "# hosts\napi.github.com\n*.github.com.evil.example\ngithub.dev\n",
    justification: "The tests need more of GitHub.",
    arrivalTimestamp: "2026-01-01T13:00:00Z",
    currentFileHash: sha256Hex("# hosts\nold.example\napi.github.com\n"),
  });
  await Deno.writeTextFile(dir.at("queue", "dev-1", "broken.proposal.json"), "{");
}

/** What differs from run to run. */
function settle(text: string, dir: TempDir): string {
  return text
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/g, "2026-01-01 10:00:00 +00:00")
    .replaceAll(dir.path, "$ROOT")
    .replaceAll(`${userInfo().username}@${Deno.hostname()}`, "ada@host")
    .replace(/SHA256:[\w+/]{43}/g, "SHA256:KEY")
    .replace(/\b(\d+):[0-9a-f]{64}\b/g, "$1:HEAD")
    .replace(/\b(\d+):[0-9a-f]{12}\b/g, "$1:HEAD12345678")
    .replace(/^( *)20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d [+-]\d\d:\d\d)?/gm, "$1LOCAL TIME")
    .replace(/\b\d+ [smhd](?= ago|\s)/g, "AGE")
    .replace(/("timestamp":"|(?:approved|modified|rejected) {2})2\d{3}-[^"\s]+Z/g, "$1TIME");
}

/** Runs a transcript's commands, and writes down what they print. */
async function replay(golden: string): Promise<string> {
  await using dir = await tempDir();
  await prepare(dir);
  let actual = "";
  for (const line of golden.split("\n").filter((line) => line.startsWith("$ "))) {
    const [, words, input] = line.match(/^\$ supervise ?(.*?)(?: <<< '(.*)')?$/) ?? [];
    const args = [...words!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) =>
      quoted ?? bare!
    );
    const { code, out, err } = await supervise(
      dir.path,
      args,
      input === undefined ? {} : { input: input.replaceAll("\\n", "\n") },
    );
    const complaint = err.split("\n").slice(0, -1).map((text) => `2> ${text}\n`).join("");
    const exit = code === 0 ? "" : `exit ${code}\n`;
    actual += `${line}\n${settle(out, dir)}${settle(complaint, dir)}${exit}\n`;
  }
  return actual;
}

for (const { name } of [...Deno.readDirSync(FOLDER)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  Deno.test(`supervise prints what ${name} says`, async () => {
    const file = join(FOLDER, name);
    const golden = await Deno.readTextFile(file);
    const actual = await replay(golden);
    if (Deno.env.get("UPDATE_GOLDEN") === "1") await Deno.writeTextFile(file, actual);
    else assertEquals(actual, golden);
  });
}
