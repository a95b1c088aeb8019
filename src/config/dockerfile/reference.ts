/**
 * The names of images, by the grammar of `github.com/distribution/reference`. Pure.
 *
 * @module
 */

/** BuildKit refuses longer names. */
const MAX_NAME_CHARS = 255;

const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::\d+)?$/i;

const PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

const DIGEST = /^[a-z][a-z0-9]*(?:[-_+.][a-z][a-z0-9]*)*:[0-9a-f]{32,}$/i;

/** Whether a text names an image: a repository, with or without its registry, tag and digest. */
export function isReference(image: string): boolean {
  const at = image.indexOf("@");
  const tagged = at < 0 ? image : image.slice(0, at);
  if (at >= 0 && !DIGEST.test(image.slice(at + 1))) return false;
  const [, name = tagged, tag] = /^([^]*):([^/:]*)$/.exec(tagged) ?? [];
  if (name.length > MAX_NAME_CHARS || tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) {
    return false;
  }
  const parts = name.split("/");
  const [first = ""] = parts;
  const isHost = parts.length > 1 &&
    (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  return (isHost ? HOST.test(first) : PART.test(first)) &&
    parts.slice(1).every((part) => PART.test(part));
}
