/**
 * Judges programs that change firewalls, services and settings of the system. Pure.
 *
 * @module
 */

import type { Mark } from "../../records/mark.ts";
import { operandsOf, optionOf, use } from "./places.ts";
import type { Call } from "./read.ts";
import { noteConfiguration } from "./settings.ts";
import { findFile, noteCall, noteGuard, show } from "./shell.ts";
import { known, NOTHING, unknown, type Value } from "./value.ts";

/** No rule of a firewall is longer. */
const MAX_RULE_CHARS = 2048;

type Handler = (call: Call) => Value | undefined;

function told(call: Call, severity: Mark["severity"], rule: string, what: string): Value {
  noteCall(call, severity, rule, what);
  return NOTHING;
}

function always(severity: Mark["severity"], rule: string, what: string): Handler {
  return (call) => told(call, severity, rule, what);
}

function firewall(call: Call): Value {
  const texts = call.words.map(({ text }) => text);
  const all = texts.join(" ").slice(0, MAX_RULE_CHARS);
  if (/\b(?:REDIRECT|DNAT|SNAT|MASQUERADE|TPROXY|nat)\b/.test(all)) {
    return told(call, "high", "traffic-redirect", "would send traffic somewhere else");
  }
  if (
    /(?:^|\s)(?:-A|-I|--append|--insert|add|-P|default|reject|deny)\b.*\b(?:DROP|REJECT|drop|reject|deny)\b|^enable\b/
      .test(all)
  ) {
    const message = () => `${show(call.text)} protects, and would not be run any more`;
    const mark = { severity: "high", rule: "firewall-removed", message } as const;
    noteGuard(call.shell, { kind: "protection", value: call.text, line: call.line, mark });
    return NOTHING;
  }
  if (/^(?:-[LSnvC]+|list|status|--list)/.test(all)) return unknown("");
  return told(call, "high", "firewall-removed", "would open the firewall");
}

function service(call: Call): Value {
  const all = call.words.map(({ text }) => text).join(" ");
  const isWayIn = /\b(?:ssh|sshd|dropbear|cron|crond|atd|telnet\w*|vsftpd|xrdp|vnc\w*|tor|docker)\b/
    .test(all);
  const isStopping = /\b(?:stop|disable|mask|remove|del)\b/.test(all);
  if (isStopping && /firewall|iptables|nft|ufw|fail2ban|apparmor|auditd/.test(all)) {
    return told(call, "medium", "firewall-removed", "would change what is started");
  }
  return isWayIn && !isStopping
    ? told(call, "high", "back-door", "would let somebody in")
    : NOTHING;
}

function configureGit(call: Call): Value | undefined {
  const [verb, name, value] = operandsOf(call.words, "-C -c --file -f").map(({ text }) => text);
  const inline = optionOf(call.words, "-c")?.text;
  if (inline !== undefined && inline.includes("=")) {
    const equals = inline.indexOf("=");
    noteConfiguration(call, inline.slice(0, equals), known(inline.slice(equals + 1)));
  }
  if (verb !== "config") return undefined;
  const isReading = value === undefined ||
    call.words.some(({ text }) => /^--(?:get|list|unset)/.test(text));
  if (!isReading) noteConfiguration(call, name ?? "", known(value));
  return NOTHING;
}

function addKey(call: Call): Value {
  return told(call, "high", "verification-off", "would trust a key for all packages");
}

function scanKeys(call: Call): Value {
  told(call, "low", "trust-on-first-use", "would trust whatever key a server shows");
  return unknown(`<${call.text}`);
}

function installFile(call: Call): Value {
  const files = operandsOf(call.words).map(({ text }) => text);
  for (const path of files) {
    const file = findFile(call.shell, path);
    if (file?.download === undefined) continue;
    use(file.download, "installed");
  }
  const isRemote = files.some((path) => /:\/\//.test(path));
  return isRemote ? told(call, "high", "package-from-url", "would install a file") : NOTHING;
}

function addRepository(call: Call): Value {
  return told(call, "high", "registry-redirect", "would have packages come from somewhere else");
}

const open: Handler = always("high", "back-door", "would open a way in");

/** The commands that change the system. */
export const SYSTEM_HANDLERS: Readonly<Record<string, Handler>> = {
  ...Object.fromEntries(
    [
      "iptables",
      "ip6tables",
      "nft",
      "ufw",
      "ipset",
      "firewall-cmd",
      "iptables-restore",
      "iptables-legacy",
      "ebtables",
      "pfctl",
    ]
      .map((name) => [name, firewall] as const),
  ),
  ...Object.fromEntries(
    [
      "sshd",
      "dropbear",
      "ngrok",
      "cloudflared",
      "frpc",
      "frps",
      "tailscale",
      "tailscaled",
      "chisel",
      "tmate",
      "ttyd",
      "gotty",
      "telnetd",
      "inetd",
      "bore",
      "localtunnel",
      "lt",
      "zrok",
      "rathole",
      "tor",
      "gost",
      "crontab",
      "at",
      "batch",
      "wg",
      "wg-quick",
      "openvpn",
      "code-server",
      "vncserver",
      "x11vnc",
      "msfvenom",
    ]
      .map((name) => [name, open] as const),
  ),
  ...Object.fromEntries(
    [
      "docker",
      "podman",
      "nerdctl",
      "buildah",
      "ctr",
      "nsenter",
      "insmod",
      "modprobe",
      "kexec",
      "mount",
      "umount",
      "pivot_root",
      "capsh",
      "kubectl",
    ]
      .map((name) =>
        [name, always("high", "privilege-escalation", "would reach out of the bottle")] as const
      ),
  ),
  ...Object.fromEntries(
    [
      "ip",
      "route",
      "sysctl",
      "resolvectl",
      "resolvconf",
      "nmcli",
      "ifconfig",
      "hostnamectl",
      "brctl",
      "tc",
    ]
      .map((name) =>
        [name, always("medium", "traffic-redirect", "may change where traffic goes")] as const
      ),
  ),
  ...Object.fromEntries(
    [
      "service",
      "systemctl",
      "rc-service",
      "rc-update",
      "update-rc.d",
      "invoke-rc.d",
      "initctl",
      "supervisorctl",
      "chkconfig",
    ]
      .map((name) => [name, service] as const),
  ),
  alias: always("medium", "hijack", "would have another command run under a name"),
  "update-ca-certificates": always(
    "medium",
    "trust-anchor",
    "would trust the certificates that were added",
  ),
  "update-ca-trust": always(
    "medium",
    "trust-anchor",
    "would trust the certificates that were added",
  ),
  "trust": always("medium", "trust-anchor", "would trust a certificate"),
  "apt-key": addKey,
  "rpmkeys": addKey,
  "ssh-keyscan": scanKeys,
  "add-apt-repository": addRepository,
  "apt-add-repository": addRepository,
  "dpkg": installFile,
  "rpm": installFile,
  "installer": installFile,
  "dpkg-divert": always("medium", "hijack", "would replace a file of a package"),
  "git": configureGit,
};
