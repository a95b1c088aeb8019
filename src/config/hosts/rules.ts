/**
 * Judges hosts that a bottle could not reach before. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import { MAX_CONFIG_FILE_BYTES } from "../../records/problem.ts";
import { quote } from "../../text/quote.ts";
import { learnHosts, type Resemblance } from "./resemblance.ts";

/**
 * Services to which anybody can send data without an account, or through which others can reach a machine
 * behind a firewall. Collected by hand from reports on leaked data and from the services' documentation: a
 * service that is missing here gets no mark.
 */
// deno-fmt-ignore
const PASTE_AND_TUNNEL_SERVICES: ReadonlySet<string> = new Set([
  // Keep text under a public address.
  "0bin.net", "dpaste.com", "dpaste.org", "ghostbin.com", "hastebin.com", "ix.io", "paste.ee",
  "paste.rs", "pastebin.com", "pastes.io", "privatebin.net", "rentry.co", "sprunge.us",
  "termbin.com",
  // Keep files.
  "0x0.st", "anonfiles.com", "bashupload.com", "catbox.moe", "file.io", "gofile.io", "oshi.at",
  "temp.sh", "tmpfiles.org", "transfer.sh", "uguu.se",
  // Keep requests for the person who made the address.
  "beeceptor.com", "burpcollaborator.net", "hookbin.com", "interact.sh", "oast.fun", "oast.live",
  "oast.me", "oast.online", "oast.pro", "oast.site", "oastify.com", "pipedream.net", "postb.in",
  "requestbin.com", "requestbin.net", "requestcatcher.com", "webhook.site",
  // Tunnels.
  "bore.pub", "devtunnels.ms", "localhost.run", "localtunnel.me", "loca.lt", "lhr.life",
  "ngrok-free.app", "ngrok-free.dev", "ngrok.app", "ngrok.dev", "ngrok.io", "ngrok.com",
  "pagekite.me", "pinggy.link", "serveo.net", "telebit.io", "trycloudflare.com", "tunnelmole.net",
]);

/** A mark without a line. */
type HostMark = Pick<Mark, "severity" | "rule" | "message">;

const RESEMBLES: Readonly<Record<Resemblance["how"], readonly [HostMark["severity"], string]>> = {
  contains: ["high", "contains"],
  looks: ["high", "looks like"],
  spelling: ["high", "is one letter from"],
  ending: ["medium", "has another ending than"],
  part: ["medium", "has a part of its name from"],
};

/** How many new hosts are judged in one change. */
const MAX_JUDGED = 1000;

function isPasteOrTunnel(host: string): boolean {
  for (let at = 0; at >= 0; at = host.indexOf(".", at) + 1 || -1) {
    if (PASTE_AND_TUNNEL_SERVICES.has(host.slice(at))) return true;
  }
  return false;
}

/** Of how many characters of files in force the hosts stay learned. */
const MAX_LEARNED_CHARS = MAX_CONFIG_FILE_BYTES;

/**
 * Reads a file in force and learns its hosts, and then judges new ones. Many proposals are compared with the
 * same file, so what was read of a few files is kept. After {@linkcode MAX_JUDGED} new hosts one mark says
 * that the others are not judged. All hosts are in lower case, without wildcards.
 */
export function openJudge<Read>(
  read: (inForce: string) => Read,
  hostsOf: (before: Read) => Iterable<string>,
) {
  const learned = new Map<
    string,
    { readonly before: Read; readonly resemblanceOf: ReturnType<typeof learnHosts> }
  >();
  let chars = 0;
  return (inForce: string) => {
    let known = learned.get(inForce);
    if (known === undefined) {
      chars += inForce.length;
      if (chars > MAX_LEARNED_CHARS) {
        learned.clear();
        chars = inForce.length;
      }
      const before = read(inForce);
      known = { before, resemblanceOf: learnHosts(hostsOf(before)) };
      learned.set(inForce, known);
    }
    return { before: known.before, judge: judgeBy(known.resemblanceOf) };
  };
}

function judgeBy(
  resemblanceOf: ReturnType<typeof learnHosts>,
): (host: string) => readonly HostMark[] {
  let judged = 0;
  return (host) => {
    if (++judged > MAX_JUDGED) {
      const message =
        `more than ${MAX_JUDGED} hosts would be new: the hosts from here on are not judged`;
      return judged > MAX_JUDGED + 1 ? [] : [{ severity: "high", rule: "too-many-hosts", message }];
    }
    const marks: HostMark[] = [];
    const name = quote(host, 253);
    const resemblance = resemblanceOf(host);
    if (resemblance !== undefined) {
      const [severity, how] = RESEMBLES[resemblance.how];
      const owner = resemblance.how === "contains"
        ? `, and belongs to ${quote(resemblance.owner, 253)}`
        : "";
      const domain = quote(resemblance.domain, 253);
      const message = `${name} ${how} ${domain} of the file in force${owner}`;
      marks.push({ severity, rule: "lookalike-host", message });
    }
    if (/(?:^|\.)xn--/.test(host)) {
      const message = `${name} is punycode: on a screen it can look like another host`;
      marks.push({ severity: "high", rule: "punycode-host", message });
    }
    if (isPasteOrTunnel(host)) {
      const message = `${name} is a paste or tunnel service, which takes data from anybody`;
      marks.push({ severity: "high", rule: "paste-or-tunnel", message });
    }
    return marks;
  };
}
