/**
 * The names of images: read by the grammar of `github.com/distribution/reference`, and in one spelling. Pure.
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
  /** Images with equal keys are the same one, or are read from the same variables with the same values. */
  readonly key: string;
  readonly hasDigest: boolean;
  /** Whether every build gets the same image, or at least one of the same version. */
  readonly isPinned: boolean;
  /** Whether a variable in it gets its value from the person who builds. */
  readonly isUnknown: boolean;
}

/** BuildKit refuses longer names. */
const MAX_NAME_CHARS = 255;

const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::\d+)?$/i;

const PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

const DIGEST = /^[a-z][a-z0-9]*(?:[-_+.][a-z][a-z0-9]*)*:[0-9a-f]{32,}$/i;

const isPlainHost = (host: string) => /[.:]/.test(host) || host === "localhost";

/** The parts of a name. A first part in upper case is a registry, too. */
function splitName(written: string) {
  const at = written.indexOf("@");
  const tagged = at < 0 ? written : written.slice(0, at);
  const digest = at < 0 ? undefined : written.slice(at + 1);
  const [, name = tagged, tag] = /^([^]*):([^/:]*)$/.exec(tagged) ?? [];
  const [first = "", ...others] = name.split("/");
  const isHost = others.length > 0 && (isPlainHost(first) || first !== first.toLowerCase());
  return {
    name,
    tag,
    digest,
    host: isHost ? first : undefined,
    path: name.split("/").slice(+isHost),
  };
}

/** Whether a text names an image: a repository, with or without its registry, tag and digest. */
export function isReference(image: string): boolean {
  const { name, tag, digest, host, path } = splitName(image);
  return name.length <= MAX_NAME_CHARS && (tag === undefined || /^\w[\w.-]{0,127}$/.test(tag)) &&
    (digest === undefined || DIGEST.test(digest)) && (host === undefined || HOST.test(host)) &&
    path.every((part) => PART.test(part));
}

/**
 * Reads the name of an image. A registry's own name is `docker.io`, its official images are in `library/`, and a
 * digest makes a tag idle.
 *
 * @param key The key of a name with a variable whose value is not known.
 */
export function readImage(written: string, line: number, key = written): Image {
  const isUnknown = written.includes("$");
  const isScratch = written === "scratch" || written === "";
  const { tag, digest } = splitName(written);
  const common = { line, isUnknown, hasDigest: digest !== undefined };
  const isPinned = common.hasDigest || isScratch || isUnknown ||
    tag !== undefined && tag !== "latest";
  // With a variable in the version alone the repository is known.
  const named = isUnknown ? /^([^$]*)[:@][^/:@$]*\$/.exec(written)?.[1] : written;
  const repository = named === undefined || isScratch ? written : repositoryOf(named);
  if (isUnknown || isScratch) return { ...common, isPinned, repository, image: written, key };
  const image = repository + (digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`);
  return { ...common, isPinned, repository, image, key: image };
}

function repositoryOf(written: string): string {
  const { host = "docker.io", path } = splitName(written);
  const folded = host.toLowerCase();
  const registry = /^(?:index|registry-1)\.docker\.io$/.test(folded)
    ? "docker.io"
    : isPlainHost(folded)
    ? folded
    : host;
  const isOfficial = registry === "docker.io" && path.length === 1;
  return [registry, ...isOfficial ? ["library"] : [], ...path].join("/");
}
