/**
 * Two changes of one file in force, for each tool.
 *
 * @module
 */

import { keepFilesInForce } from "../../internal_mod.ts";
import type { Tool } from "../../mod.ts";
import { type TempDir, tempDir } from "./temp.ts";

/** The text of a `routes.json`, a route a line. */
export const routes = (...names: string[]): string => {
  const lines = names.map((name) =>
    `    {"path":"/${name}/","upstream":"https://${name}.example.com"}`
  );
  return `{\n  "routes": [\n${lines.join(",\n")}\n  ]\n}\n`;
};

/** A file in force, two changes of it, and both of them in it, in either order. */
export interface TwoChanges {
  readonly tool: Tool;
  readonly file: string;
  readonly log: string;
  readonly base: string;
  readonly one: string;
  readonly other: string;
  readonly both: readonly [oneFirst: string, otherFirst: string];
}

export const DOCKERFILE =
  "FROM debian:13\n# tools\nRUN apt-get install -y curl\n\n# user\nUSER agent\nWORKDIR /src\n";

export const TWO_CHANGES: readonly TwoChanges[] = [
  {
    tool: "pipelock-block",
    file: "allowlist",
    log: "pipelock",
    base: "# ours\nm.example\nc.example\n",
    one: "# ours\nm.example\nc.example\na.example\n",
    other: "# ours\nc.example\nb.example\n",
    both: [
      "# ours\nc.example\na.example\nb.example\n",
      "# ours\nc.example\nb.example\na.example\n",
    ],
  },
  {
    tool: "cred-proxy-block",
    file: "routes.json",
    log: "cred-proxy",
    base: routes("m", "c"),
    one: routes("m", "c", "a"),
    other: routes("c", "b"),
    both: [routes("c", "a", "b"), routes("c", "b", "a")],
  },
  {
    tool: "capability-block",
    file: "Dockerfile",
    log: "rebuild",
    base: DOCKERFILE,
    one: DOCKERFILE.replace("curl\n", "curl=8.14\n"),
    other: DOCKERFILE + "ENV A=1\n",
    both: [
      DOCKERFILE.replace("curl\n", "curl=8.14\n") + "ENV A=1\n",
      DOCKERFILE.replace("curl\n", "curl=8.14\n") + "ENV A=1\n",
    ],
  },
];

/** A root in which a file is in force, and an operator's program saw it. */
export async function rootWith(file: string, text: string): Promise<TempDir> {
  const dir = await tempDir();
  await Deno.mkdir(dir.at("current-config", "dev-1"), { recursive: true });
  await Deno.mkdir(dir.at("queue", "dev-1"), { recursive: true });
  await put(dir, file, text);
  keepFilesInForce("dev-1", dir.path);
  return dir;
}

/** Puts a file in force. */
export const put = (dir: TempDir, file: string, text: string) =>
  Deno.writeTextFile(dir.at("current-config", "dev-1", file), text);
