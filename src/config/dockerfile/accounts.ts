/**
 * Users of an image, as far as its Dockerfile makes them. Pure.
 *
 * @module
 */

/** What the file's own `useradd`, `adduser`, `groupadd` and `addgroup` say. */
export interface Accounts {
  readonly users: Map<string, { readonly uid: string; readonly group?: string }>;
  readonly groups: Map<string, string>;
}

/** A user as USER names it; two with equal keys are the same user. */
export interface User {
  readonly line: number;
  /** As written, with the file's values in place of variables. Empty for the base image's own user. */
  readonly name: string;
  readonly key: string;
  readonly isRoot: boolean;
  /** Whether its group alone is root's. */
  readonly hasRootGroup: boolean;
}

export const BASE_USER: User = { line: 0, name: "", key: "", isRoot: false, hasRootGroup: false };

export function newAccounts(parent?: Accounts): Accounts {
  return { users: new Map(parent?.users), groups: new Map(parent?.groups) };
}

const number = (id: string) => /^[+-]?\d+$/.test(id) ? id.replace(/^[+-]?0*(?=\d)/, "") : undefined;

/** Notes the accounts that a script makes in plain words; behind a quote, a comment or an `||` nothing is sure. */
export function noteAccounts({ users, groups }: Accounts, script: string): void {
  const sure = script.split(/["'`#]|\|\||<<|\bif\b/, 1)[0]!.replaceAll("\n", ";");
  const commands = sure.matchAll(
    /(?:^|&&|;)\s*(useradd|adduser|groupadd|addgroup)\s([^;&|<>()]*)/g,
  );
  for (const [, command, rest] of commands) {
    const words = rest!.trim().split(/\s+/);
    const name = words.at(-1)!;
    const option = (...names: string[]) => {
      const at = words.findIndex((word) => names.includes(word.split("=", 1)[0]!));
      if (at < 0) return undefined;
      const equals = words[at]!.indexOf("=");
      return equals < 0 ? words[at + 1] : words[at]!.slice(equals + 1);
    };
    if (!/^[a-z_][\w-]*$/i.test(name)) continue;
    if (command!.startsWith("group") || command === "addgroup") {
      const gid = number(option("-g", "--gid") ?? "");
      if (gid !== undefined && !groups.has(name)) groups.set(name, gid);
      continue;
    }
    const uid = number(option("-u", "--uid") ?? "");
    const group = option("-g", "--gid", "-G", "--ingroup");
    if (uid === undefined || name === "root" || users.has(name)) continue;
    users.set(name, { uid, ...(group !== undefined && { group }) });
  }
}

export function readUser(text: string, key: string, line: number, accounts: Accounts): User {
  const [name = "", group] = text.split(":", 2);
  const { users, groups } = accounts;
  const account = users.get(name);
  const uid = account?.uid ?? number(name) ?? (name === "root" ? "0" : name);
  const numbered = account ?? [...users.values()].find((user) => user.uid === uid);
  const primary = group ?? numbered?.group;
  const gid = primary === undefined
    ? `of ${uid}`
    : groups.get(primary) ?? number(primary) ?? (primary === "root" ? "0" : primary);
  const isRoot = uid === "0" || uid === "";
  return {
    ...{ line, name: text, isRoot, hasRootGroup: gid === "0" && !isRoot },
    key: text === key ? `${uid}:${gid}` : key,
  };
}
