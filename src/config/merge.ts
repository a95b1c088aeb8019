/**
 * Carries a change of a config file over onto another version of the file, by the tool that proposes it. Pure.
 *
 * @module
 */

import { type ConfigProblem, failedCheck, findUnfitText } from "../records/problem.ts";
import {
  type Tool,
  TOOL_CAPABILITY_BLOCK,
  TOOL_CRED_PROXY_BLOCK,
  TOOL_PIPELOCK_BLOCK,
} from "../records/proposal.ts";
import { mergeLines } from "../text/merge.ts";
import { quote } from "../text/quote.ts";
import { editHosts, hostsOf } from "./allowlist/change.ts";
import { validateConfigFile } from "./check.ts";
import { validateRoutes } from "./routes/check.ts";
import { editRoutes } from "./routes/change.ts";
import { sortedJson } from "./routes/read.ts";

/** The merged file, or why there is none, as the end of a sentence. It may quote an agent's text. */
export type Merged = { readonly merged: string } | { readonly conflict: string };

type Merge = (base: string, current: string, proposed: string) => Merged;

const MERGE: Readonly<Record<Tool, Merge>> = {
  [TOOL_CRED_PROXY_BLOCK]: mergeRoutes,
  [TOOL_PIPELOCK_BLOCK]: mergeAllowlist,
  [TOOL_CAPABILITY_BLOCK]: mergeDockerfile,
};

/**
 * Makes in `current` the change that leads from `base` to `proposed`: of an allowlist by its hosts, of routes by
 * their paths, of a Dockerfile by its lines. Of the rest of `current` every byte stays. Never throws.
 *
 * @param tool The tool that proposes the file.
 * @param base The file that the change was made in.
 * @param current The file to make it in.
 * @param proposed The changed base.
 */
export function mergeChange(tool: Tool, base: string, current: string, proposed: string): Merged {
  try {
    const problem = findUnfitText(base) ?? findUnfitText(current) ??
      validateConfigFile(tool, proposed)[0];
    if (problem !== undefined) return conflictFor(problem);
    const result = MERGE[tool](base, current, proposed);
    const [invalid] = "merged" in result ? validateConfigFile(tool, result.merged) : [];
    return invalid === undefined ? result : conflictFor(invalid);
  } catch (error) {
    return { conflict: failedCheck("merge", error).message };
  }
}

function conflictFor({ where, message }: ConfigProblem): Merged {
  return { conflict: `a file is invalid (${where}: ${message})` };
}

function mergeDockerfile(base: string, current: string, proposed: string): Merged {
  const result = mergeLines(base, current, proposed);
  if ("merged" in result) return result;
  const line = `line ${result.conflictLine} of the file that it started from, or one beside it`;
  return { conflict: `${line}, changed in the file in force too` };
}

/**
 * Merges hosts as sets. Where a merge of the lines comes to the same set, it is taken: it has the agent's
 * comments too, and each host where its side put it. Else hosts are added and removed one by one, and the agent's
 * comments are left out.
 */
function mergeAllowlist(base: string, current: string, proposed: string): Merged {
  const [was, is, asked] = [base, current, proposed].map((text) => new Set(hostsOf(text))) as [
    Set<string>,
    Set<string>,
    Set<string>,
  ];
  const [added, removed] = [asked.difference(was), was.difference(asked)];
  const wanted = is.difference(removed).union(added);
  const lines = mergeLines(base, current, proposed);
  if ("merged" in lines) {
    const hosts = hostsOf(lines.merged);
    if (hosts.length === wanted.size && hosts.every((host) => wanted.has(host))) return lines;
  }
  if (added.size + removed.size === 0) {
    return {
      conflict: "it changes comments or the order alone, where the file in force changed too",
    };
  }
  return { merged: editHosts(current, [...added.difference(is)], removed) };
}

/** What a valid `routes.json` has: its routes by their paths, and its other keys. */
type Parts = ReadonlyMap<string, unknown>;

/** What the names of parts begin with. */
const [ROUTE, KEY] = ["the route ", "the key "];

function partsOf(text: string): Parts {
  const { routes, ...others } = JSON.parse(text) as {
    readonly routes: { readonly path: string }[];
  };
  return new Map<string, unknown>([
    ...routes.map((route) => [ROUTE + route.path, route] as const),
    ...Object.entries(others).map(([key, value]) => [KEY + key, value] as const),
  ]);
}

const isEqual = (one: unknown, other: unknown) => sortedJson(one) === sortedJson(other);

/** Merges routes by their paths, in the text as it is: see {@linkcode mergeAllowlist}. */
function mergeRoutes(base: string, current: string, proposed: string): Merged {
  const [problem] = [...validateRoutes(base), ...validateRoutes(current)];
  if (problem !== undefined) return conflictFor(problem);
  const [was, is, asked] = [base, current, proposed].map(partsOf) as [Parts, Parts, Parts];
  const wanted = new Map(is);
  for (const name of new Set([...was.keys(), ...asked.keys()])) {
    const [before, now, after] = [was.get(name), is.get(name), asked.get(name)];
    if (isEqual(before, after)) continue;
    if (!isEqual(before, now) && !isEqual(now, after)) {
      const [kind, own] = name.startsWith(ROUTE)
        ? [ROUTE, name.slice(ROUTE.length)]
        : [KEY, name.slice(KEY.length)];
      return { conflict: `${kind}${quote(own)} changed in the file in force too` };
    }
    if (after === undefined) wanted.delete(name);
    else wanted.set(name, after);
  }
  const lines = mergeLines(base, current, proposed);
  if ("merged" in lines && validateRoutes(lines.merged).length === 0) {
    const found = partsOf(lines.merged);
    const isWanted = found.size === wanted.size &&
      found.entries().every(([name, part]) => isEqual(part, wanted.get(name)));
    if (isWanted) return lines;
  }
  const edit = {
    add: [] as unknown[],
    removed: new Set<string>(),
    replaced: new Map<string, unknown>(),
  };
  for (const name of new Set([...is.keys(), ...wanted.keys()])) {
    const [now, then, path] = [is.get(name), wanted.get(name), name.slice(ROUTE.length)];
    if (isEqual(now, then)) continue;
    if (!name.startsWith(ROUTE)) return { conflict: "it changes keys of the whole file" };
    if (then === undefined) edit.removed.add(path);
    else if (now === undefined) edit.add.push(then);
    else edit.replaced.set(path, then);
  }
  return { merged: editRoutes(current, edit) };
}
