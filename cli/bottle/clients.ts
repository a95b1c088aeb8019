/**
 * What each MCP client needs to reach a sidecar: the file, its text, and how long the sidecar may hold a
 * call. `docs/clients.md` shows the same texts, and a test compares.
 *
 * @module
 */

import type { ClientName } from "../command/flags.ts";

export interface Client {
  /** Its name, as its makers write it. */
  readonly title: string;
  /** Where it looks for its configuration; `~` is the agent's home, else it is in the agent's project. */
  readonly file: string;
  /** What to write there, for a sidecar at this address. */
  readonly text: (url: string) => string;
  /** For a client that gives up at a fixed time: how long the sidecar holds a call, in seconds. */
  readonly holdSeconds?: number;
}

const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;

/** Gemini CLI and Qwen Code read the same keys. `trust`: it does not ask before it calls a tool. */
const geminiText = (url: string) =>
  json({ mcpServers: { supervise: { httpUrl: url, trust: true } } });

export const CLIENTS: Readonly<Record<ClientName, Client>> = {
  "claude-code": {
    title: "Claude Code",
    file: ".mcp.json",
    text: (url) => json({ mcpServers: { supervise: { type: "http", url } } }),
  },
  "codex": {
    title: "Codex CLI",
    file: "~/.codex/config.toml",
    text: (url) =>
      `[mcp_servers.supervise]\nurl = "${url}"\ndefault_tools_approval_mode = "approve"\n`,
    holdSeconds: 240,
  },
  "gemini": {
    title: "Gemini CLI",
    file: ".gemini/settings.json",
    text: geminiText,
    holdSeconds: 540,
  },
  "qwen": {
    title: "Qwen Code",
    file: ".qwen/settings.json",
    text: geminiText,
    holdSeconds: 240,
  },
  "opencode": {
    title: "opencode",
    file: "opencode.json",
    text: (url) => json({ mcp: { supervise: { type: "remote", url, oauth: false } } }),
    holdSeconds: 240,
  },
  "vscode": {
    title: "VS Code",
    file: ".vscode/mcp.json",
    text: (url) => json({ servers: { supervise: { type: "http", url } } }),
  },
  "cursor": {
    title: "Cursor",
    file: ".cursor/mcp.json",
    text: (url) => json({ mcpServers: { supervise: { url } } }),
    holdSeconds: 240,
  },
};
