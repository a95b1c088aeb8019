/**
 * Stand-in for the part of `jsr:@std/path` in use here, over `node:path`. POSIX paths only.
 *
 * @module
 */
import { posix } from "node:path";

/** Stand-in for `isAbsolute` of `@std/path`. */
export function isAbsolute(path: string): boolean {
  return posix.isAbsolute(path);
}

/** Stand-in for `join` of `@std/path`: normalized, and "." when there is nothing to join. */
export function join(path: string | URL, ...paths: string[]): string {
  return posix.join(toPath(path), ...paths);
}

/** Stand-in for `resolve` of `@std/path`: absolute, against the working directory. */
export function resolve(...pathSegments: string[]): string {
  return posix.resolve(...pathSegments);
}

/** Stand-in for `relative` of `@std/path`. */
export function relative(from: string, to: string): string {
  return posix.relative(from, to);
}

/** Stand-in for `dirname` of `@std/path`; unlike Node's it ends in no slash but the root's. */
export function dirname(path: string | URL): string {
  const parent = posix.dirname(toPath(path));
  return /^\/+$/.test(parent) ? "/" : parent.replace(/\/+$/, "");
}

/** Stand-in for `basename` of `@std/path`; unlike Node's it says "/" for the root. */
export function basename(path: string | URL, suffix = ""): string {
  const whole = toPath(path);
  if (/^\/+$/.test(whole)) return "/";
  const name = posix.basename(whole);
  return name !== suffix && name.endsWith(suffix)
    ? name.slice(0, name.length - suffix.length)
    : name;
}

/**
 * Stand-in for `fromFileUrl` of `@std/path`. Node's `fileURLToPath` refuses hosts and encoded
 * slashes; the real one, and so this one, does not.
 */
export function fromFileUrl(url: URL | string): string {
  const { protocol, pathname } = url instanceof URL ? url : new URL(url);
  if (protocol !== "file:") {
    throw new TypeError(`URL must be a file URL: received "${protocol}"`);
  }
  return decodeURIComponent(pathname.replace(/%(?![0-9a-f]{2})/gi, "%25"));
}

/** Stand-in for `toFileUrl` of `@std/path`. */
export function toFileUrl(path: string): URL {
  if (!isAbsolute(path)) {
    throw new TypeError(`Path must be absolute: received "${path}"`);
  }
  const url = new URL("file:///");
  // The setter encodes the rest, but reads "%" as an escape, "\" as a slash, and drops tabs and LF.
  url.pathname = path.replace(/^\/+/, "/").replace(
    /[%\\\s]/g,
    encodeURIComponent,
  );
  return url;
}

function toPath(path: string | URL): string {
  return path instanceof URL ? fromFileUrl(path) : path;
}
