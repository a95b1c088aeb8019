/**
 * A place for everything that the test makes: files, images, containers. It goes away however the
 * test ends.
 *
 * @module
 */

import type { TempDir } from "../support/temp.ts";
import { join } from "@std/path";

/**
 * Where podman and buildah keep images and containers, so that none of the machine's is seen or
 * touched. The driver works on every file system.
 *
 * @param place The place.
 * @returns Flags for both.
 */
export function storeFlags(place: string): string[] {
  return [
    `--root=${join(place, "storage")}`,
    `--runroot=${join(place, "run")}`,
    "--storage-driver=vfs",
  ];
}

/**
 * What both read instead of the machine's settings.
 *
 * @param place The place.
 * @returns The environment.
 */
export function storeEnvironment(place: string): Record<string, string> {
  return {
    CONTAINERS_CONF: join(place, "containers.conf"),
    // The same store as storeFlags(), for a podman that is started without them.
    CONTAINERS_STORAGE_CONF: join(place, "storage.conf"),
    // What a build needs where no namespaces can be made.
    BUILDAH_ISOLATION: "chroot",
    TMPDIR: join(place, "tmp"),
    // The test runs the health check; a timer of the machine's would not find the container.
    DISABLE_HC_SYSTEMD: "true",
  };
}

/**
 * podman asks for more processes than a machine without CAP_SYS_RESOURCE may have, unless a flag says how
 * many. Before a container is made, this hook lowers what podman asks for.
 */
const FEWER_PROCESSES = {
  version: "1.0.0",
  hook: {
    path: "/usr/bin/sed",
    args: [
      "sed",
      "-E",
      's/("RLIMIT_NPROC","hard":)[0-9]+(,"soft":)[0-9]+/\\11024\\21024/',
    ],
  },
  when: { always: true },
  stages: ["precreate"],
};

/**
 * Started at the beginning: it waits for a line, or for the end of its standard input, which comes
 * even if the test is killed, and then removes the containers and the place. Without a line it first
 * gives the podman that the test left behind the time to end, because that writes as it ends.
 */
const CARETAKER = `
read -r line || sleep 3
place=$0
for attempt in 1 2 3; do
  podman "$@" rm --all --force --time 0 && break
  sleep 1
done
exec rm -rf -- "$place"
`;

/**
 * Makes a place that every user can enter.
 *
 * @returns The place, for `await using`.
 */
export async function openWorkplace(): Promise<TempDir> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "supervise-container-" }));
  const at = (...parts: string[]) => join(path, ...parts);
  await Deno.chmod(path, 0o755);
  await Deno.mkdir(at("tmp"));
  const settings = [
    "[engine]",
    'cgroup_manager = "cgroupfs"',
    'events_logger = "none"',
    'lock_type = "file"',
    'runtime = "runc"',
    `tmp_dir = "${at("libpod")}"`,
    `hooks_dir = ["${at("hooks")}"]`,
    "[network]",
    `network_config_dir = "${at("networks")}"`,
    "[containers]",
    'log_driver = "k8s-file"',
  ];
  await Deno.writeTextFile(at("containers.conf"), settings.join("\n"));
  const store = [
    "[storage]",
    'driver = "vfs"',
    `graphroot = "${at("storage")}"`,
    `runroot = "${at("run")}"`,
  ];
  await Deno.writeTextFile(at("storage.conf"), store.join("\n"));
  await Deno.mkdir(at("hooks"));
  await Deno.writeTextFile(at("hooks", "nproc.json"), JSON.stringify(FEWER_PROCESSES));

  // Set apart, where an interrupt from the terminal does not reach it.
  const caretaker = new Deno.Command("setsid", {
    args: ["--wait", "sh", "-c", CARETAKER, path, ...storeFlags(path)],
    cwd: "/",
    env: storeEnvironment(path),
    stdin: "piped",
    stdout: "null",
  }).spawn();
  return {
    path,
    at,
    async [Symbol.asyncDispose]() {
      const line = caretaker.stdin.getWriter();
      await line.write(new TextEncoder().encode("done\n"));
      await line.close();
      const { code } = await caretaker.status;
      if (code !== 0) throw new Error(`Cannot remove ${path}: something in it is still in use`);
    },
  };
}
