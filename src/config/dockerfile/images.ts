/**
 * Images in one spelling. Pure.
 *
 * @module
 */

/** An image, with the file's own values in the place of variables. */
export interface Image {
  /** The line that names it: of the instruction, or of the ARG that holds the name. */
  readonly line: number;
  /** With its registry, its repository, and its digest or else its tag. */
  readonly image: string;
  /** With its registry, and without tag and digest. */
  readonly repository: string;
  readonly hasDigest: boolean;
  /** Whether every build gets the same image, or at least one of the same version. */
  readonly isPinned: boolean;
  /** Whether a variable in it gets its value from the person who builds. */
  readonly isUnknown: boolean;
}

/** A registry's own name is `docker.io`, its official images are in `library/`, and a digest makes a tag idle. */
export function readImage(written: string, line: number): Image {
  const [named = "", digest] = written.split("@", 2);
  const [, short = named, tag] = /^(.*):([^/:]*)$/.exec(named) ?? [];
  const parts = short.split("/");
  const [first = ""] = parts;
  const isHost = parts.length > 1 && (/[.:]/.test(first) || first === "localhost");
  const [host, ...path] = isHost ? parts : ["docker.io", ...parts];
  const registry = /^(?:index|registry-1)\.docker\.io$/i.test(host!)
    ? "docker.io"
    : host!.toLowerCase();
  if (registry === "docker.io" && path.length === 1) path.unshift("library");
  const isScratch = written === "scratch" || written === "";
  const repository = isScratch ? written : [registry, ...path].join("/");
  const behind = digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`;
  const isUnknown = written.includes("$");
  return {
    ...{ line, repository, isUnknown, hasDigest: digest !== undefined },
    image: isScratch ? written : isUnknown ? written : repository + behind,
    isPinned: digest !== undefined || isScratch || isUnknown ||
      tag !== undefined && tag !== "latest",
  };
}
