/**
 * Reach: what a config file lets a bottle do, and what a change of the file adds to it. Pure.
 *
 * @module
 */

import { quote } from "../text/quote.ts";
import type { Mark } from "./mark.ts";

/**
 * One thing that a config file lets a bottle do or have, read as the program that enforces the file reads
 * it. Two items with the same kind and value are the same reach, however they are spelt and wherever they
 * are in the file.
 */
export interface ReachItem {
  /** What sort of thing it is. */
  readonly kind: ReachKind;
  /**
   * What it is, in one spelling: `*.example.com` of a `host`, `https://api.example.com:8443` of an
   * `upstream`, `npm:left-pad@1.3.0` of a `package`. Bytes of an agent: quote it before you show it.
   */
  readonly value: string;
  /** The line in its file, counted from 1. */
  readonly line: number;
}

/** The kinds of reach. An allowlist has hosts; routes have the next five; a Dockerfile has the others. */
export type ReachKind =
  | "host"
  | "route"
  | "upstream"
  | "token"
  | "role"
  | "key"
  | "image"
  | "frontend"
  | "package"
  | "download"
  | "command"
  | "variable"
  | "user"
  | "start"
  | "file"
  | "mount"
  | "privilege"
  | "protection";

/**
 * What a change adds to the reach of a file. `no-new-reach` is a proof: the file in force covers each thing that
 * the proposed file allows; of a Dockerfile, the instructions are the same. `new-reach`: something is new, or it
 * is not proven that nothing is. `unknown`: it could not be worked out.
 */
export type Reach = "no-new-reach" | "new-reach" | "unknown";

/** All of {@linkcode Reach}. */
export const REACHES: readonly Reach[] = ["no-new-reach", "new-reach", "unknown"];

/** What an item is, wherever it is. */
type Item = Omit<ReachItem, "line">;

/** Two config files compared by their reach. */
export interface Comparison {
  /** Whether anything is new, and whether that is known. */
  readonly reach: Reach;
  /**
   * Whether `added` is proven to have all that is new. If not, instructions of a Dockerfile differ; what they do is
   * judged, and that may miss something.
   */
  readonly isWhole: boolean;
  /** What the proposed file would add, in the order of that file. */
  readonly added: readonly ReachItem[];
  /**
   * The packages that scripts of the proposed file name, and none of the file in force: other versions, too, which
   * are not new reach. For rules that reject or ask; not shown, as what is written like a secret is not hidden.
   */
  readonly named?: readonly ReachItem[];
  /** What would go, in the order of the file in force. */
  readonly removed: readonly ReachItem[];
  /** What a reviewer should notice, the most severe first: at least one mark for each added item. */
  readonly marks: readonly Mark[];
}

/** What one format finds in a change. Marks are in no order. */
export interface Findings extends Omit<Comparison, "reach"> {
  /** Whether something could not be read. */
  readonly isUnknown: boolean;
  /** What is new and needs no mark. */
  readonly tame: readonly ReachItem[];
}

/** How much of a value is quoted, and how many values of one kind are named. */
const [MAX_VALUE_CHARS, MAX_NAMED] = [160, 3];

/** What a bottle could do with an item: `[what it does, what it is called, what many are called]`. */
const WORDS: Readonly<Record<ReachKind, readonly [does: string, one: string, many: string]>> = {
  host: ["reach", "", "hosts"],
  route: ["use", "the route ", "routes"],
  upstream: ["be forwarded to", "", "upstreams"],
  token: ["use", "the token ", "tokens"],
  role: ["use", "the role ", "roles"],
  key: ["have", "the key ", "keys"],
  image: ["use", "the image ", "images"],
  frontend: ["be built by", "the frontend ", "frontends"],
  package: ["install", "the package ", "packages"],
  download: ["download", "", "files"],
  command: ["run", "", "commands"],
  variable: ["have", "the variable ", "variables"],
  user: ["run as", "", "users"],
  start: ["start with", "", "programs"],
  file: ["have", "the file ", "files"],
  mount: ["mount", "", "mounts"],
  privilege: ["have", "the privilege ", "privileges"],
  protection: ["have", "the protection ", "protections"],
};

/** All of {@linkcode ReachKind}. */
export const REACH_KINDS = Object.keys(WORDS) as readonly ReachKind[];

/** An item as a message names it. What is no plain name is in quotes. */
export function nameItem({ kind, value }: Item): string {
  const name = /^(?:\*\.)?[a-z0-9.-]{1,253}$/.test(value) ? value : quote(value, MAX_VALUE_CHARS);
  return WORDS[kind][1] + name;
}

/** The kinds of some items, each with what is named of it, in the order in which they first occur. */
function nameItems(items: readonly Item[], withVerb: boolean): readonly string[] {
  return [...Map.groupBy(items, ({ kind }) => kind)].map(([kind, same]) => {
    const [does, , many] = WORDS[kind];
    const names = [...new Set(same.map(nameItem))];
    const rest = names.length - MAX_NAMED;
    const named = names.slice(0, MAX_NAMED);
    if (rest > 0) named.push(`${rest} more ${many}`);
    return (withVerb ? `${does} ` : "") + inWords(named);
  });
}

/** `a`, `a and b`, `a, b and c`. */
function inWords(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/**
 * Says in one sentence, without a full stop and in printable ASCII, what a change lets a bottle do:
 * `would let dev-1 reach files.example.net; nothing else is new`. Names a few items of each kind and counts
 * the others.
 */
export function describeReach(
  { reach, isWhole, added, removed }:
    & Pick<Comparison, "reach" | "isWhole">
    & Record<"added" | "removed", readonly Omit<ReachItem, "line">[]>,
  bottleSlug: string,
): string {
  const gone = removed.length === 0 ? "" : `; ${inWords(nameItems(removed, false))} would go`;
  const may = inWords(nameItems(added, true));
  switch (reach) {
    case "no-new-reach":
      return `would let ${bottleSlug} do nothing that it cannot do now${gone}`;
    case "new-reach": {
      if (isWhole) return `would let ${bottleSlug} ${may}; nothing else is new${gone}`;
      const known = may === "" ? "" : ` ${may}, and`;
      return `would let ${bottleSlug}${known} build by other instructions, which may do more${gone}`;
    }
    case "unknown": {
      const known = may === "" ? "" : `; it would at least let it ${may}`;
      return `would let ${bottleSlug} do more than could be worked out${known}${gone}`;
    }
  }
}
