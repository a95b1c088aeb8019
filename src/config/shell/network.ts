/**
 * Judges what scripts fetch from the network and send to it, and what they compare with a digest. Pure.
 *
 * @module
 */

import lists from "./commands.json" with { type: "json" };
import { operandsOf, optionOf, use, writeFile } from "./places.ts";
import type { Call } from "./read.ts";
import {
  addDownload,
  directory,
  findFile,
  note,
  noteCall,
  noteGuard,
  noteUnknown,
  resolvePath,
  type Shell,
  show,
} from "./shell.ts";
import { NOTHING, unknown, type Value } from "./value.ts";

/** Addresses that answer with the credentials of a machine. */
const METADATA =
  /(?:^|[/@:=\s"'])(?:\[?(?:::ffff:)?(?:169\.254\.\d+\.\d+|fd00:ec2::254|fe80:)|100\.100\.100\.200|192\.0\.0\.192|metadata(?:\.google(?:\.internal)?|\.goog)?(?=[/:]|$)|instance-data(?=[/:.]|$)|2852039166|0xa9fea9fe|0251\.0376)/i;

const LOCAL = /^(?:\w+:\/\/)?(?:localhost|127(?:\.\d+){3}|\[?::1\]?|0\.0\.0\.0)(?=[/:?#\s]|$)/i;

/** Networks that nobody outside can reach. */
const INNER =
  /^(?:\w+:\/\/)?(?:[^/@]*@)?(?:10\.\d|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|host\.docker\.internal|gateway\.docker\.internal|kubernetes\.default)/i;

/** What may stand in an address without telling anybody a secret. */
const TAME =
  /^(?:uname|dpkg --print-architecture|arch|nproc|lsb_release|rpm -E|apk --print-arch|getconf|cut|tr|sed|awk|grep|head|tail|basename|echo|printf|jq|git rev-parse|\. \/etc\/os-release|curl|wget)\b/;

const FETCHERS: Readonly<Record<string, string>> = lists.fetchers;

/** No server takes a longer address. */
const MAX_URL_CHARS = 2048;

export function isFetcher(name: string): boolean {
  return Object.hasOwn(FETCHERS, name) || name === "git";
}

/** Notes words that name the address of a machine's credentials. */
export function noteMetadata(call: Call): void {
  if (!call.words.some((word) => METADATA.test(word.text))) return;
  noteCall(call, "high", "metadata-access", "would ask the machine for its credentials");
}

/** Downloads a file to where it is kept. */
function keep(call: Call, url: string, path: string): Value {
  writeFile(call, path, unknown(`<${url}`, { network: url }), false);
  const at = resolvePath(call.shell, path);
  if (/(?:^|\/)s?bin\/[^/]*$/.test(at)) use(findFile(call.shell, at)?.download, `put at ${at}`);
  return NOTHING;
}

/** Judges a command that talks to a network. */
export function fetchFrom(call: Call): Value {
  const { shell, line, words, name, text } = call;
  const program = name.text;
  if (program === "git") return useGit(call);
  if (/^(?:nc|ncat|netcat|socat|ssh|telnet|websocat|wscat)$/.test(program)) connect(call);
  if (program === "openssl" && !words.some((word) => /^s_client$/.test(word.text))) {
    return useOpenssl(call);
  }
  const urls = operandsOf(words, FETCHERS[program]).filter(({ text }) =>
    !/^[+@]|^(?:GET|POST|PUT|s_client|s3|s3api|cp|sync|api|release|download|storage|TXT|A|AAAA|MX|get|copy|pull|\d+)$/
      .test(text)
  );
  const named = optionOf(words, "--url");
  const all = named === undefined ? urls : [...urls, named];
  const address = all.find(({ text }) => /[.:]/.test(text)) ?? all[0] ?? unknown("");
  const target = outputOf(call, address.text, all);
  const isSafe = all.length > 0 && all.every((url) => LOCAL.test(url.text));
  if (isSafe && target === undefined) return unknown(text);
  noteSending(call, all);
  if (all.some((url) => INNER.test(url.text))) {
    noteCall(call, "medium", "inner-address", "would reach into the inner network");
  }
  const files = program === "curl" ? ["-K", "--config"] : ["-i", "--input-file", "-e", "--execute"];
  if (/^(?:curl|wget)$/.test(program) && optionOf(words, ...files) !== undefined) {
    noteUnknown(shell, line, text, "a file or an option says what it fetches");
  }
  if (/^(?:curl|wget)$/.test(program) && all.length > 1) {
    noteCall(call, "medium", "data-download", "fetches from several addresses");
  }
  if (target === undefined) {
    const message = () => `${show(address.text)} would be fetched`;
    note(shell, line, {
      kind: "download",
      value: address.text,
      key: text,
      severity: "low",
      rule: "data-download",
      message,
    });
    return unknown(`<${text}`, { network: address.text });
  }
  return keep(call, address.text, target);
}

/** Code that downloads a file: an address, and the path behind it. */
export function fetchedByCode(
  call: Call,
  addresses: readonly string[],
  strings: readonly string[],
): boolean {
  const [url] = addresses;
  const path = strings[strings.findIndex((string) => string === url) + 1];
  if (
    url === undefined || path === undefined || path.length > MAX_URL_CHARS ||
    !/^[\w~./-]*[/.][\w.-]*$/.test(path)
  ) return false;
  keep(call, url, path);
  return true;
}

/** Where a command keeps what it fetches; `undefined` if it prints it. */
function outputOf({ name, words }: Call, url: string, all: readonly Value[]): string | undefined {
  const last = url.slice(0, MAX_URL_CHARS).replace(/[?#][^]*$/, "").replace(/\/+$/, "").replace(
    /^.*\//,
    "",
  );
  const program = name.text;
  if (program === "curl") {
    const output = optionOf(words, "-o", "--output")?.text;
    if (output !== undefined) return output === "-" ? undefined : output;
    const folder = optionOf(words, "--output-dir")?.text ?? ".";
    const isNamed = words.some(({ text }) => /^-[a-zA-Z]*O|^--remote-name/.test(text));
    return isNamed ? `${folder}/${last}` : undefined;
  }
  if (program === "wget") {
    const output = optionOf(words, "-O", "--output-document")?.text;
    if (output !== undefined) return output === "-" ? undefined : output;
    const prefix = optionOf(words, "-P", "--directory-prefix")?.text;
    if (words.some(({ text }) => /^--spider$|^-\w*O-/.test(text))) return undefined;
    return prefix === undefined ? last : `${prefix}/${last}`;
  }
  if (/^(?:http|https|xh|xhs|fetch|aria2c|axel|yt-dlp)$/.test(program)) {
    const output = optionOf(words, "-o", "--output", "--out")?.text;
    return output ?? (/^(?:aria2c|axel|yt-dlp)$/.test(program) ? last : undefined);
  }
  if (/^(?:rsync|scp|aws|gsutil|rclone|mc|s3cmd)$/.test(program)) {
    const to = all.at(-1)?.text;
    return to === undefined || to === "-" || /:/.test(to) || all.length < 2 ? undefined : to;
  }
  return undefined;
}

/** Notes what is sent to somebody: data, a file, or what another command prints, in the address. */
function noteSending(call: Call, urls: readonly Value[]): void {
  const { words, name, input } = call;
  const sent = /^(?:curl|wget|http|https|xh)$/.test(name.text)
    ? optionOf(
      words,
      "-d",
      "--data",
      "--data-raw",
      "--data-binary",
      "--data-urlencode",
      "-F",
      "--form",
      "-T",
      "--upload-file",
      "--json",
      "--post-data",
      "--post-file",
      "--body-data",
      "--body-file",
    )
    : undefined;
  const inUrl = urls.filter(({ isKnown, text }) => !isKnown && isTelling(text));
  const isUpload = /^(?:scp|rsync|aws|gsutil|rclone|s3cmd|mc|gh)$/.test(name.text) &&
    /(?:^\w*:\/\/|:)/.test(urls.at(-1)?.text ?? "") && urls.length > 1;
  const isFed = input !== undefined && input.text !== "" &&
    /^(?:nc|ncat|netcat|socat|ssh|telnet|lftp)$/.test(name.text);
  const headers = words.filter(({ text, isKnown }) =>
    /^[\w-]+:\s/.test(text) && !isKnown && isTelling(text)
  );
  if (sent === undefined && inUrl.length === 0 && !isUpload && !isFed && headers.length === 0) {
    return;
  }
  const isFile = /post-file|upload-file|body-file|(?:^|=)@|^\/|\$/.test(`${sent?.text ?? ""}`) ||
    !sent?.isKnown;
  const severity = isFile ? "high" : "medium";
  noteCall(call, severity, "exfiltration", "would send something to the network");
}

/** Whether an address has what commands print that may print anything. */
function isTelling(text: string): boolean {
  if (text.length > MAX_URL_CHARS) return true;
  const inner = [...text.matchAll(/\$\(([^)]*)\)/g)].flatMap(([, ran = ""]) =>
    ran.split(/; | \| /)
  );
  return inner.some((command) => !TAME.test(command.trim()));
}

/** Programs that open a connection in both directions. */
function connect(call: Call): void {
  const { words, name } = call;
  const opens = words.some((word) =>
    /^-\w*[elc]|^--(?:exec|listen|sh-exec|keep-open)|exec:|system:|listen:|^-\w*R/i.test(word.text)
  );
  const severity = opens ? "high" : "medium";
  const what = opens ? "would let somebody in" : "would open a connection";
  if (name.text === "ssh" && !opens && words.every((word) => word.text.startsWith("-"))) return;
  noteCall(call, severity, "back-door", what);
}

function useOpenssl(call: Call): Value {
  const { words, input, text } = call;
  if (words.some((word) => word.text === "-verify") && words.some((word) => word.text === "dgst")) {
    confirm(call, operandsOf(words, "-verify -signature").map((word) => word.text), "a signature");
  }
  const verb = words[0]?.text ?? "";
  if (/^s_/.test(verb)) noteCall(call, "medium", "back-door", "would open a connection");
  const isDecoding = words.some((word) => /^-d$|^-base64$/.test(word.text));
  const from = optionOf(words, "-in");
  const source = from === undefined ? input : findFile(call.shell, from.text)?.value;
  const value = unknown(`<${text}`, { network: source?.network, isDecoded: isDecoding });
  const to = optionOf(words, "-out");
  if (to === undefined) return value;
  writeFile(call, to.text, value, false);
  return NOTHING;
}

function useGit(call: Call): Value {
  const { shell, line, words, text } = call;
  const operands = operandsOf(
    words,
    "-C -c --branch -b --depth -o -j --jobs --origin --reference --filter --git-dir --work-tree --remote --config",
  );
  const [verb, first, second] = operands.map((word) => word.text);
  const place = optionOf(words, "-C")?.text ?? ".";
  if (verb === "clone" || (verb === "submodule" && first === "add")) {
    const url = verb === "clone" ? first : second;
    if (url === undefined) return NOTHING;
    const named = verb === "clone" ? second : operands[3]?.text;
    const path = named ??
      url.slice(0, MAX_URL_CHARS).replace(/\/+$/, "").replace(/\.git$/, "").replace(/^.*[/:]/, "");
    if (/^(?:\/|~|\.\.?\/)/.test(url)) return NOTHING;
    const tag = optionOf(words, "-b", "--branch")?.text ?? "";
    addDownload(shell, line, url, resolvePath(shell, `${place}/${path}`), tag);
    return NOTHING;
  }
  if (/^(?:checkout|reset|switch)$/.test(verb ?? "")) {
    const commit = operands.findLast((word) => /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(word.text));
    const download = findFile(shell, place)?.download;
    if (download?.isRepository && commit !== undefined && call.isDecisive) {
      download.checked = commit.text;
    } else if (download !== undefined) download.uses.delete("");
    return NOTHING;
  }
  if (/^(?:archive|fetch|pull|ls-remote|remote|push|submodule|lfs)$/.test(verb ?? "")) {
    const remote = optionOf(words, "--remote")?.text ??
      operands.slice(1).find((word) => /:/.test(word.text))?.text;
    const severity = verb === "push" ? "high" : "low";
    const rule = verb === "push" ? "exfiltration" : "data-download";
    const message = () => `${show(text)} would talk to a remote repository`;
    note(shell, line, { kind: "download", value: text, severity, rule, message });
    return unknown(`<${text}`, { network: remote ?? "git" });
  }
  return unknown(`<${text}`);
}

/** Takes files as compared with a digest, if the script goes no further without it. */
function confirm({ shell, isDecisive }: Call, paths: readonly string[], digest: string): void {
  if (!isDecisive) return;
  for (const path of paths) {
    const file = shell.files.get(resolvePath(shell, path));
    if (file?.download !== undefined) file.download.checked = digest;
  }
}

/** The words with which `sha256sum` and its like fail where a digest differs. */
const CHECKS =
  /^(?:-[acw]|--(?:check|status|strict|quiet|warn|ignore-missing|algorithm)|-|[^-].*)$/;

/** Judges `sha256sum -c` and its like: digests that are written in the script count. */
export function checkDigests(call: Call): Value {
  const { shell, words, input, text } = call;
  if (!words.some((word) => /^-c$|^--check$/.test(word.text))) return unknown(`<${text}`);
  const [operand] = operandsOf(words, "-a --algorithm");
  const list = operand === undefined || /^(?:-|\/dev\/stdin)$/.test(operand.text)
    ? input
    : findFile(shell, operand.text)?.value;
  const isPlain = words.every(({ text }) => CHECKS.test(text));
  if (list === undefined || list.network !== undefined || !isPlain) return NOTHING;
  // A version in a name may be unknown; the digest must be there in full.
  for (const entry of list.text.split("\n")) {
    const [, digest, path] = /^\s*([0-9a-f]{64,128})\s+\*?(\S.*?)\s*$/i.exec(entry) ?? [];
    if (path !== undefined) confirm(call, [path], digest!.toLowerCase());
  }
  return NOTHING;
}

/** Judges a program that verifies a signature. */
export function checkSignature(call: Call): Value {
  const isCheck = call.words.some(({ text }) =>
    /^(?:--verify|verify|verify-blob|-V|-Vm)$/.test(text)
  );
  const files = operandsOf(call.words).map(({ text }) => text);
  if (isCheck) {
    confirm(
      call,
      files.filter((file) => !/\.(?:asc|sig|minisig)$/.test(file)),
      "a signature",
    );
  }
  if (isCheck) return NOTHING;
  const { words, input, text } = call;
  const to = optionOf(words, "-o", "--output");
  const value = unknown(`<${text}`, input ?? NOTHING);
  if (to !== undefined) {
    writeFile(call, to.text, value, false);
    return NOTHING;
  }
  return { ...value, isDecoded: words.some((word) => /^-d$|^--decrypt/.test(word.text)) };
}

/** Marks what was downloaded, when it is known what became of it. */
export function noteDownloads(shell: Shell): void {
  for (const { url, line, path, checked, uses, guard, isRepository, tag } of shell.downloads) {
    const key = JSON.stringify([guard, path, [...uses].sort(), tag]);
    const place = { kind: "download", key } as const;
    if (uses.size > 0) {
      const message = () =>
        `${show(url)} would be downloaded and ${
          [...uses].map((how) => show(how).slice(1, -1)).slice(0, 3).join(", ")
        }, compared with nothing`;
      note(shell, line, {
        ...place,
        value: url,
        severity: "high",
        rule: "download-then-run",
        message,
      });
    } else if (checked !== "") {
      const message = () => `${show(url)} would be downloaded, and compared with a digest`;
      note(shell, line, {
        ...place,
        value: `${url} ${checked}`,
        severity: "low",
        rule: "verified-download",
        message,
      });
    } else if (isRepository) {
      const severity = tag === "" || /^(?:main|master|dev|develop|trunk|HEAD)$/.test(tag)
        ? "medium"
        : "low";
      const message = () =>
        `${show(url)} would be cloned, ${
          severity === "low" ? `at ${show(tag)}` : "as it is at that time"
        }`;
      note(shell, line, { ...place, value: `${url} ${tag}`, severity, rule: "git-clone", message });
    } else {
      const message = () => `${show(url)} would be downloaded, and compared with nothing`;
      note(shell, line, { ...place, value: url, severity: "low", rule: "data-download", message });
    }
    if (checked === "") continue;
    const message = () => `${show(url)} would be compared with nothing any more`;
    const mark = { severity: "high", rule: "checksum-dropped", message } as const;
    noteGuard(shell, {
      kind: "protection",
      value: `digest of ${url}`,
      line,
      mark,
      protects: path,
    });
  }
}

/** A command in a directory that came from the network runs what is there. */
export function useDirectory(call: Call): void {
  const here = directory(call.shell);
  if (here === "") return;
  use(findFile(call.shell, here)?.download, "used to build");
}
