/**
 * Makes the image that stands in for the official one.
 *
 * @module
 */

import { run } from "../support/run.ts";
import type { TempDir } from "../support/temp.ts";
import type { Engine } from "./engine.ts";
import { dirname, fromFileUrl } from "@std/path";

/** Users and groups like the official image's. */
const PASSWD = "root:x:0:0:root:/:/sbin/nologin\ndeno:x:1993:1993:deno:/:/sbin/nologin\n";

const GROUP = "root:x:0:\ndeno:x:1993:\n";

/** What an engine mounts over, and would else leave behind in what is built on top. */
const MOUNT_POINTS = {
  dirs: ["dev", "proc", "run", "sys"],
  files: ["hostname", "hosts", "resolv.conf"],
};

/**
 * Builds an image with this machine's Deno.
 *
 * @param engine Where to build it.
 * @param place Where to put its parts: `base/rootfs` is what the image has at `/`.
 * @returns Its name.
 */
export async function buildBase(engine: Engine, place: TempDir): Promise<string> {
  const rootfs = place.at("base", "rootfs");
  const certificates = Deno.env.get("SSL_CERT_FILE") ?? "/etc/ssl/certs/ca-certificates.crt";
  await copyProgram(Deno.execPath(), rootfs, "/usr/bin/deno");
  await copy(certificates, `${rootfs}/etc/ssl/certs/ca-certificates.crt`);
  await Deno.writeTextFile(`${rootfs}/etc/passwd`, PASSWD);
  await Deno.writeTextFile(`${rootfs}/etc/group`, GROUP);
  for (const name of MOUNT_POINTS.files) await Deno.writeTextFile(`${rootfs}/etc/${name}`, "");
  for (const name of MOUNT_POINTS.dirs) await Deno.mkdir(`${rootfs}/${name}`);
  await Deno.mkdir(`${rootfs}/tmp`);
  await Deno.chmod(`${rootfs}/tmp`, 0o1777);

  const containerfile = fromFileUrl(new URL("base.Containerfile", import.meta.url));
  return await engine.build("localhost/supervise-base", containerfile, place.at("base"));
}

/** Copies a program of this machine into what an image has at `/`, with the libraries that it links to. */
export async function copyProgram(program: string, rootfs: string, to = program): Promise<void> {
  await copy(program, `${rootfs}${to}`);
  for (const library of await librariesOf(program)) await copy(library, `${rootfs}${library}`);
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(from, to);
}

/** The shared libraries of a program, and the loader, which are all named by their whole path. */
async function librariesOf(program: string): Promise<string[]> {
  const { code, out, err } = await run("ldd", [program]);
  if (code !== 0) throw new Error(`Cannot list the libraries of ${program}: ${err}`);
  return [...out.matchAll(/(?:^|\s)(\/\S+)/gm)].map(([, path]) => path!)
    .filter((path) => path !== program && !path.endsWith(":"));
}
