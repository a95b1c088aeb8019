/**
 * Looks from outside whether a change is in force: the exit code of a reload proves nothing. A proxy may have
 * swallowed it, read another file, or kept its old list; one of its workers may still answer the old way.
 *
 * @module
 */

import type { ProbeSettings } from "./config.ts";
import { patternsOf } from "./render_hosts.ts";
import { type PlainRoute, routesOf } from "./render_routes.ts";
import { coversOf, hostOf, isWildcard, quote } from "../internal_mod.ts";
import { ApplyError } from "../mod.ts";

/** How many hosts or routes of one kind are probed. */
const MAX_PROBED = 10;

/** After how long a wrong answer, or none, is asked for again. */
const AGAIN_MS = 50;

/** The most that is read of an answer: its first line says all. */
const MAX_ANSWER_BYTES = 512;

const NO_ANSWER = "nothing answered";

/** One thing to be seen. */
interface Expectation {
  /** What is asked for, in words. */
  readonly what: string;
  /** The bytes that ask for it. */
  readonly request: string;
  readonly isAllowed: boolean;
  /**
   * Whether the change left it as it was, and no setting names it. Its owner may be an agent's: that it answers no
   * more is no reason to take a change back.
   */
  readonly isKept: boolean;
}

/** What a probe is to see, and what it leaves out. */
export interface Plan {
  readonly address: string;
  /** The status that means denied. Any other means allowed, also that the host could not be reached. */
  readonly deniedStatus: number;
  readonly expectations: readonly Expectation[];
  /** Whether the change lets in nothing, and a status that means denied can be an upstream's own. */
  readonly mayBeUpstreams: boolean;
  /** What cannot be seen, or was too much, in words. */
  readonly unseen: readonly string[];
}

/** The first few, and a word on the others. */
function someOf<T>(all: readonly T[], what: string, unseen: string[]): readonly T[] {
  if (all.length > MAX_PROBED) unseen.push(`${MAX_PROBED} of ${all.length} ${what} were probed`);
  return all.slice(0, MAX_PROBED);
}

/** Names the first three, and counts the others. */
function named(names: readonly string[]): string {
  const more = names.length > 3 ? `, and ${names.length - 3} more` : "";
  return names.slice(0, 3).join(", ") + more;
}

/** Names paths, which agents chose. */
const namedPaths = (paths: readonly string[]) => named(paths.map((path) => quote(path)));

/** Whether a name is short enough for a host: a longer one some proxies refuse in their own way. */
function isHost(name: string): boolean {
  return name.length <= 253 && name.split(".").every((label) => label.length <= 63);
}

/** What the proxy must answer after a change of the allowlist. */
export function planForHosts(
  before: string | null,
  after: string | null,
  { proxy, denied, allowed }: ProbeSettings,
): Plan {
  const [were, are] = [before, after].map((text) => new Set(text === null ? [] : patternsOf(text)));
  const isCovered = (host: string) => coversOf(host).some((cover) => are!.has(cover));
  const unseen: string[] = [];
  const added = someOf([...are!].filter((one) => !were!.has(one)), "added hosts", unseen);
  const removed = someOf([...were!].filter((one) => !are!.has(one)), "removed hosts", unseen);
  const kept = allowed ?? [...are!].find((one) => were!.has(one));
  /** A host that a pattern covers, and of a wildcard one that it alone can cover. */
  const below = (pattern: string) => isWildcard(pattern) ? `probe.${hostOf(pattern)}` : pattern;
  const neighbours = added.flatMap((pattern) => [
    `x${hostOf(pattern)}`,
    ...(isWildcard(pattern) ? [] : [`sub.${pattern}`]),
  ]);
  const expected = new Map<string, boolean>();
  for (
    const host of [denied, ...removed.flatMap((one) => [below(one), hostOf(one)]), ...neighbours]
  ) {
    if (host === denied || isHost(host) && !isCovered(host)) expected.set(host, false);
  }
  for (const pattern of [...added, ...(kept === undefined ? [] : [kept])]) {
    if (isHost(below(pattern))) expected.set(below(pattern), true);
  }
  return {
    address: proxy!,
    deniedStatus: 403,
    unseen,
    mayBeUpstreams: false,
    expectations: [...expected].map(([host, isAllowed]) => ({
      what: host,
      request: `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`,
      isAllowed,
      isKept: allowed === undefined && kept !== undefined && host === below(kept),
    })),
  };
}

/** What the credential proxy must answer after a change of the routes. */
export function planForRoutes(
  before: string | null,
  after: string | null,
  { url, denied, allowed }: ProbeSettings,
): Plan {
  const [were, are] = [before, after].map((text) =>
    new Map<string, PlainRoute>((text === null ? [] : routesOf(text)).map((one) => [one.path, one]))
  );
  const unseen: string[] = [];
  const isTaken = (path: string) => [...are!.keys()].some((other) => path.startsWith(other));
  const added = someOf([...are!.keys()].filter((one) => !were!.has(one)), "new paths", unseen);
  const removed = [...were!.keys()].filter((one) => !are!.has(one) && !isTaken(one));
  const gone = someOf(removed, "removed paths", unseen);
  const kept = allowed ?? [...are!.keys()].find((one) => were!.has(one));
  const changed = [...are!].filter(([path, route]) =>
    were!.has(path) && JSON.stringify(were!.get(path)) !== JSON.stringify(route)
  );
  if (changed.length > 0) {
    const paths = namedPaths(changed.map(([path]) => path));
    unseen.push(`where ${paths} leads, and with which token, cannot be seen from outside`);
  }
  const under = (paths: Iterable<string>, others: Map<string, PlainRoute>) =>
    [...paths].filter((path) =>
      others.keys().some((other) => other !== path && path.startsWith(other))
    );
  // The route above answers too.
  const hidden = [
    ...under([...were!.keys()].filter((path) => !are!.has(path)), are!),
    ...under([...are!.keys()].filter((path) => !were!.has(path)), were!),
  ];
  if (hidden.length > 0) {
    unseen.push(`which route answers for ${namedPaths(hidden)} cannot be seen from outside`);
  }
  if (added.some((path) => are!.get(path)!.auth_scheme !== undefined)) {
    unseen.push("which token was sent upstream cannot be seen from outside");
  }
  const address = url!.slice("http://".length);
  const expected = new Map<string, boolean>();
  for (const path of [denied, ...gone]) expected.set(path, false);
  for (const path of [...added, ...(kept === undefined ? [] : [kept])]) expected.set(path, true);
  return {
    address,
    deniedStatus: 404,
    unseen,
    mayBeUpstreams: added.length + changed.length === 0,
    expectations: [...expected].map(([path, isAllowed]) => ({
      what: quote(path),
      request: `GET ${path} HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`,
      isAllowed,
      isKept: allowed === undefined && path === kept,
    })),
  };
}

/**
 * Sends bytes over a connection of its own, and gives the status of the answer; `undefined` if nothing was
 * answered: the proxy may be about to listen again.
 */
async function ask(address: string, request: string, signal: AbortSignal) {
  const [, hostname, port] = /^(.*):(\d+)$/.exec(address)!;
  let connection: Deno.TcpConn | undefined;
  const close = () => {
    try {
      connection?.close();
    } catch {
      // It is closed.
    }
  };
  signal.addEventListener("abort", close);
  try {
    connection = await Deno.connect({
      hostname: hostname!.replace(/^\[|\]$/g, ""),
      port: Number(port),
    });
    if (signal.aborted) return undefined;
    await connection.write(new TextEncoder().encode(request));
    const bytes = new Uint8Array(MAX_ANSWER_BYTES);
    let length = 0;
    while (length < MAX_ANSWER_BYTES) {
      const read = await connection.read(bytes.subarray(length));
      if (read === null) break;
      length += read;
      const status = /^HTTP\/1\.\d (\d{3})/.exec(
        new TextDecoder().decode(bytes.subarray(0, length)),
      );
      if (status !== null) return Number(status[1]);
    }
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/** Asks until enough answers in a row are right; gives the last wrong one if the time is over before. */
async function see(
  { address, deniedStatus }: Plan,
  { request, isAllowed }: Expectation,
  inARow: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  let last = NO_ANSWER;
  for (let right = 0; right < inARow;) {
    const status = await ask(address, request, signal);
    if (signal.aborted) return last;
    if (status !== undefined && (status !== deniedStatus) === isAllowed) {
      right++;
      continue;
    }
    right = 0;
    last = status === undefined ? NO_ANSWER : `answered ${status}`;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  return undefined;
}

/**
 * Sees that a plan holds: every answer right, so many times in a row, each over a connection of its own.
 *
 * @returns What was seen, in words.
 * @throws {ApplyError} If something else was seen until the time was over.
 */
export async function probe(plan: Plan, { inARow, withinMs }: ProbeSettings): Promise<string> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), withinMs);
  let wrong: { readonly words: string; readonly last: string; readonly isNoReason: boolean }[];
  try {
    const seen = await Promise.all(plan.expectations.map(async (expectation) => {
      const last = await see(plan, expectation, inARow, over.signal);
      if (last === undefined) return [];
      const words = `${expectation.what} is not ${expectation.isAllowed ? "allowed" : "denied"}`;
      // A proxy that has ended is seen by the other expectations.
      const isNoReason = expectation.isKept && (plan.mayBeUpstreams || last === NO_ANSWER);
      return [{ words: `${words} (${last})`, last, isNoReason }];
    }));
    wrong = seen.flat();
  } catch (cause) {
    const reason = `this verb may not reach ${plan.address}; use cli/supervise.sh`;
    throw new ApplyError("probe", reason, { cause });
  } finally {
    clearTimeout(timer);
    over.abort();
  }
  const within = `within ${withinMs / 1_000} s`;
  const failed = wrong.filter(({ isNoReason }) => !isNoReason);
  if (failed.length > 0 && wrong.every(({ last }) => last === NO_ANSWER)) {
    throw new ApplyError("probe", `${NO_ANSWER} at ${plan.address} ${within}: it may have ended`);
  }
  if (failed.length > 0) {
    throw new ApplyError(
      "probe",
      `${within} ${plan.address} did not do what the file says: ${
        named(failed.map(({ words }) => words))
      }`,
    );
  }
  const count = (isAllowed: boolean) =>
    plan.expectations.filter((one) => one.isAllowed === isAllowed).length;
  const allowed = count(true) - wrong.length;
  return [
    `${plan.address} allowed ${allowed} and denied ${count(false)}, ${inARow} times in a row`,
    ...wrong.map(({ words }) => `${words}, as it was before perhaps`),
    ...plan.unseen,
  ].join("; ");
}
