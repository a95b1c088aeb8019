/**
 * The records that the golden files hold, see `README.md`.
 *
 * @module
 */

import { ACTION_OPERATOR_EDIT, type AuditEntry, type Proposal, type ProposalResponse, sha256Hex } from "../../mod.ts";

const ROUTES = JSON.stringify(
  { routes: [{ path: "/gh/", upstream: "https://api.github.com" }] },
  null,
  2,
) + "\n";

const UNICODE = "Größe ≠ 0 – “naïve” 👩‍💻 \u2028\u202e\ufeff\u00a0é";

const CONTROLS = 'say "hi" \\ / \\u0041 \0\x01\b\t\n\v\f\r\x1b[31m\x1f\x7f\x80\x9f';

const NOTES = 'Größer 🙂 \ud800 "x" \\ \r\n';

const SHORTER = "# kürzer\nexample.org\n";

function originalId(n: number): string {
  return `00000000-0000-4000-8000-00000000000${n}`;
}

function ourId(n: number): string {
  return `11111111-0000-4000-8000-00000000000${n}`;
}

/** `original/queue/*.proposal.json`, by id. */
export const ORIGINAL_PROPOSALS: readonly Proposal[] = [
  {
    id: originalId(1),
    bottleSlug: "dev-1",
    tool: "cred-proxy-block",
    proposedFile: ROUTES,
    justification: "The release script posts to api.github.com.",
    arrivalTimestamp: "2026-11-22T10:49:36.924880+00:00",
    currentFileHash: sha256Hex("{}\n"),
  },
  {
    id: originalId(2),
    bottleSlug: "dev-1",
    tool: "pipelock-block",
    proposedFile: "# für später: 日本語 🙂\nexample.org\n",
    justification: UNICODE,
    arrivalTimestamp: "2026-11-22T10:49:36+00:00",
    currentFileHash: "",
  },
  {
    id: originalId(3),
    bottleSlug: "dev-1",
    tool: "capability-block",
    proposedFile: "FROM debian:12\r\nRUN echo \"a\\b\" \\\r\n  && echo 'c'\r\n",
    justification: CONTROLS,
    arrivalTimestamp: "2026-11-22T16:19:36.100000+05:30",
    currentFileHash: sha256Hex("FROM debian:11\n"),
  },
  {
    id: originalId(4),
    bottleSlug: "dev-1",
    tool: "pipelock-block",
    proposedFile: "a\ud800b\n",
    justification: "\udc00\ud83d",
    arrivalTimestamp: "2026-11-22T10:49:36.924000+00:00",
    currentFileHash: "",
  },
  {
    id: originalId(5),
    bottleSlug: "dev-1",
    tool: "pipelock-block",
    proposedFile: "",
    justification: "",
    arrivalTimestamp: "2026-11-22T10:49:37.000005+00:00",
    currentFileHash: "",
  },
  {
    id: originalId(6),
    bottleSlug: "dev-1",
    tool: "pipelock-block",
    proposedFile: "example.org",
    justification: "A clock without a zone.",
    arrivalTimestamp: "2026-11-22T10:49:36.500000",
    currentFileHash: "",
  },
];

/** `original/queue/*.response.json`, by id. */
export const ORIGINAL_RESPONSES: readonly ProposalResponse[] = [
  { proposalId: originalId(1), status: "approved", notes: "", finalFile: ROUTES },
  { proposalId: originalId(2), status: "modified", notes: NOTES, finalFile: SHORTER },
  {
    proposalId: originalId(3),
    status: "rejected",
    notes: "Use the mirror.\tNot this.\0",
    finalFile: null,
  },
];

/** `ours/queue/*.proposal.json`, by id. */
export const OUR_PROPOSALS: readonly Proposal[] = [
  {
    id: ourId(1),
    bottleSlug: "dev-1",
    tool: "pipelock-block",
    proposedFile: SHORTER,
    justification: UNICODE,
    arrivalTimestamp: "2026-11-22T10:49:36.924Z",
    currentFileHash: "",
  },
  {
    id: ourId(2),
    bottleSlug: "dev-1",
    tool: "cred-proxy-block",
    proposedFile: ROUTES,
    justification: CONTROLS,
    arrivalTimestamp: "2026-11-22T10:49:36.925Z",
    currentFileHash: sha256Hex("{}\n"),
  },
  {
    id: ourId(3),
    bottleSlug: "dev-1",
    tool: "capability-block",
    proposedFile: "FROM debian:12\n",
    justification: "\ud800",
    arrivalTimestamp: "2026-11-22T10:49:36.000Z",
    currentFileHash: "",
  },
];

/** `ours/queue/*.response.json`, by id. */
export const OUR_RESPONSES: readonly ProposalResponse[] = [
  { proposalId: ourId(1), status: "modified", notes: NOTES, finalFile: "" },
  { proposalId: ourId(2), status: "rejected", notes: UNICODE, finalFile: null },
];

/** What both audit logs `pipelock-dev-1.log` hold, the diffs and our own fields left out. */
export const PIPELOCK_ENTRIES: readonly Omit<AuditEntry, "diff">[] = [
  {
    timestamp: "2026-11-22T10:50:01.000120+00:00",
    bottleSlug: "dev-1",
    component: "pipelock",
    operatorAction: "modified",
    operatorNotes: NOTES,
    justification: UNICODE,
  },
  {
    timestamp: "2026-11-22T10:50:02+00:00",
    bottleSlug: "dev-1",
    component: "pipelock",
    operatorAction: "rejected",
    operatorNotes: "No.",
    justification: CONTROLS,
  },
  {
    timestamp: "2026-11-22T10:50:03.924880+00:00",
    bottleSlug: "dev-1",
    component: "pipelock",
    operatorAction: ACTION_OPERATOR_EDIT,
    operatorNotes: "",
    justification: "",
  },
];

const PIPELOCK_DIFFS: readonly string[] = [
  "@@ -0,0 +1,2 @@\n+# kürzer\n+example.org\n",
  "@@ -1,2 +1 @@\n-# kürzer\n-example.org\n+example.org\n\\ No newline at end of file\n",
  "@@ -1,2 +1 @@\n-# kürzer\n example.org\n",
].map((hunk) => `--- allowlist (current)\n+++ allowlist (proposed)\n${hunk}`);

/** What `original/audit/pipelock-dev-1.log` holds. */
export const ORIGINAL_ENTRIES: readonly AuditEntry[] = PIPELOCK_ENTRIES.map((entry, n) => ({
  ...entry,
  diff: PIPELOCK_DIFFS[n]!.replace("\\ No newline at end of file\n", "").replace(/\n$/, ""),
}));

/** What `original/audit/cred-proxy-dev-1.log` holds. */
export const ORIGINAL_CRED_PROXY_ENTRIES: readonly AuditEntry[] = [{
  timestamp: "2026-11-22T10:50:04+00:00",
  bottleSlug: "dev-1",
  component: "cred-proxy",
  operatorAction: "approved",
  operatorNotes: "",
  justification: "The release script posts to api.github.com.",
  diff: "--- routes.json (current)\n+++ routes.json (proposed)\n@@ -1 +1,8 @@\n-{}\n+" +
    ROUTES.trimEnd().replaceAll("\n", "\n+"),
}];

/** What `ours/audit/pipelock-dev-1.log` holds. */
export const OUR_ENTRIES: readonly AuditEntry[] = PIPELOCK_ENTRIES.map((entry, n) => ({
  ...entry,
  diff: PIPELOCK_DIFFS[n]!,
  operator: "ada@host",
  ...(n < 2 && {
    proposalId: ourId(1),
    proposalSha256: sha256Hex("the bytes that were shown"),
    finalSha256: n === 0 ? sha256Hex(SHORTER) : "",
  }),
}));

/** `unusual/queue/*.proposal.json`. */
export const UNUSUAL_PROPOSALS: readonly Proposal[] = [
  { id: "compact" },
  { id: "escapes", justification: "Why/not. 🙂" },
  { id: "extra-keys" },
  { id: "raw-utf8", justification: "Größe 🙂 \u2028" },
  { id: "repeated-key" },
  { id: "spaced" },
  { id: "timestamp-free", arrivalTimestamp: "yesterday" },
].map((difference) => ({
  bottleSlug: "dev-1",
  tool: "pipelock-block",
  proposedFile: "example.org\n",
  justification: "Why not.",
  arrivalTimestamp: "2026-11-22T10:49:36.924880+00:00",
  currentFileHash: "",
  ...difference,
}));

const APPROVED = { status: "approved", notes: "", finalFile: "example.org\n" } as const;

/** `unusual/queue/*.response.json`. */
export const UNUSUAL_RESPONSES: readonly ProposalResponse[] = [
  { ...APPROVED, proposalId: "r-extra-keys" },
  { ...APPROVED, proposalId: "r-final-empty", status: "modified", finalFile: "" },
  {
    proposalId: "r-final-missing",
    status: "rejected",
    notes: "No.",
    finalFile: null,
  },
  { ...APPROVED, proposalId: "r-final-though-rejected", status: "rejected" },
  { ...APPROVED, proposalId: "r-null-though-approved", finalFile: null },
];

/** The Python original's constants; its poll interval is half a second. */
export const ORIGINAL_CONSTANTS: Readonly<Record<string, unknown>> = {
  TOOLS: ["cred-proxy-block", "pipelock-block", "capability-block"],
  TOOL_CRED_PROXY_BLOCK: "cred-proxy-block",
  TOOL_PIPELOCK_BLOCK: "pipelock-block",
  TOOL_CAPABILITY_BLOCK: "capability-block",
  COMPONENT_FOR_TOOL: { "cred-proxy-block": "cred-proxy", "pipelock-block": "pipelock" },
  STATUSES: ["approved", "modified", "rejected"],
  STATUS_APPROVED: "approved",
  STATUS_MODIFIED: "modified",
  STATUS_REJECTED: "rejected",
  ACTION_OPERATOR_EDIT: "operator-edit",
  SUPERVISE_HOSTNAME: "supervise",
  SUPERVISE_PORT: 9100,
  QUEUE_DIR_IN_CONTAINER: "/run/supervise/queue",
  CURRENT_CONFIG_DIR_IN_AGENT: "/etc/claude-bottle/current-config",
  DEFAULT_POLL_INTERVAL_MS: 500,
};
