/**
 * Keeps file calls in `src/disk/`. What is not known to touch no file is refused, so that a new file
 * call of Deno's is refused too. The rule reads what is written plainly: it stops mistakes, not an author
 * who hides a call.
 *
 * @module
 */

import { covers, isFenced } from "./floors.ts";
import { linted, literalText, memberName } from "./syntax.ts";

/** The files that write to disk: whole files, and under a lock. */
const WRITERS = ["src/disk/write.ts", "src/disk/write_together.ts", "src/disk/lock.ts"];

/** Members of `Deno` that touch no file. */
const PLAIN: ReadonlySet<string> = new Set([
  "addSignalListener",
  "args",
  "consoleSize",
  "env",
  "errors",
  "exit",
  "permissions",
  "pid",
  "removeSignalListener",
  "stderr",
  "stdin",
  "stdout",
  "uid",
  "unrefTimer",
  "version",
]);

/** Members of `Deno` that read what is on disk; each means its `…Sync` twin too. */
const READS: ReadonlySet<string> = new Set([
  "lstat",
  "readDir",
  "readFile",
  "readLink",
  "readTextFile",
  "realPath",
  "stat",
  "watchFs",
]);

/** Members of `Deno`, and globals, that single files may use besides; each with its reason. */
const EXCEPTIONS: readonly {
  readonly names: readonly string[];
  readonly only: readonly string[];
}[] = [
  // The one port of a sidecar.
  { names: ["serve", "listen"], only: ["sidecar/main.ts"] },
  // The operator's editor; the shell that a stopped screen gives the terminal to.
  { names: ["Command"], only: ["cli/operate/editor.ts", "cli/review/run.ts"] },
  // The operator's pager.
  { names: ["Command"], only: ["cli/operate/pager.ts"] },
  // podman, docker and systemctl, which the launcher grants to some verbs of `bottle`.
  { names: ["Command"], only: ["cli/bottle/bottle.ts"] },
  // The path of `deno` itself, for a command that starts it.
  { names: ["execPath"], only: ["cli/bottle/unit.ts"] },
  // `fetch` reads `file:` addresses too; `parseReceiverUrl` lets through http and https alone.
  { names: ["fetch"], only: ["cli/notify/receivers.ts"] },
  // The launcher runs it before every start that may notify: it must load nothing else.
  { names: ["statSync", "readFileSync"], only: ["cli/notify/config.ts"] },
  // So does it this one, before every start that may apply.
  { names: ["statSync", "readFileSync", "cwd", "Command"], only: ["appliers/config.ts"] },
  // The programs of apply.json, which the launcher grants to the verbs that apply; to end them.
  { names: ["Command", "kill"], only: ["appliers/run.ts"] },
  // The proxies that apply.json names.
  { names: ["connect"], only: ["appliers/probe.ts"] },
  // Keys: Deno's standard input cannot be left to an editor in the middle of a read.
  { names: ["process"], only: ["cli/review/terminal.ts"] },
];

/** Programs that handle throw-away folders of their own: what they show needs bare file calls. */
const OPEN: readonly string[] = ["bench/", "demo/"];

/** Globals that touch no file. What else Deno puts in the global scope is refused. */
const PLAIN_GLOBALS: ReadonlySet<string> = new Set([
  "AbortController",
  "AbortSignal",
  "AggregateError",
  "Array",
  "AsyncDisposableStack",
  "Atomics",
  "BigInt",
  "BigInt64Array",
  "BigUint64Array",
  "Blob",
  "Boolean",
  "Buffer",
  "DOMException",
  "DataView",
  "Date",
  "DisposableStack",
  "Error",
  "ErrorEvent",
  "Event",
  "EventTarget",
  "Float64Array",
  "Headers",
  "Infinity",
  "Int32Array",
  "Intl",
  "Iterator",
  "JSON",
  "Map",
  "Math",
  "NaN",
  "Number",
  "Object",
  "Promise",
  "PromiseRejectionEvent",
  "RangeError",
  "ReadableStream",
  "RegExp",
  "Request",
  "Response",
  "Set",
  "SharedArrayBuffer",
  "String",
  "SuppressedError",
  "Symbol",
  "SyntaxError",
  "TextDecoder",
  "TextEncoder",
  "TransformStream",
  "TypeError",
  "URL",
  "URLPattern",
  "URLSearchParams",
  "Uint16Array",
  "Uint32Array",
  "Uint8Array",
  "WeakMap",
  "WeakSet",
  "WritableStream",
  "addEventListener",
  "atob",
  "btoa",
  "clearImmediate",
  "clearInterval",
  "clearTimeout",
  "close",
  "closed",
  "confirm",
  "console",
  "crypto",
  "decodeURIComponent",
  "encodeURIComponent",
  "escape",
  "isFinite",
  "isNaN",
  "name",
  "parseFloat",
  "parseInt",
  "performance",
  "prompt",
  "queueMicrotask",
  "removeEventListener",
  "reportError",
  "setImmediate",
  "setInterval",
  "setTimeout",
  "structuredClone",
  "undefined",
]);

function mayUse(path: string, name: string): boolean {
  return EXCEPTIONS.some(({ names, only }) =>
    names.includes(name) && only.some((entry) => covers(entry, path))
  );
}

/** Why a file may not use a member of `Deno`; `undefined` if it may. */
function objection(path: string, name: string): string | undefined {
  if (PLAIN.has(name) || mayUse(path, name)) return undefined;
  if (!path.startsWith("src/disk/")) {
    return "file calls are in src/disk/; call one of its functions, or add one there";
  }
  if (READS.has(name.replace(/Sync$/, ""))) return undefined;
  return `only ${WRITERS.join(", ")} write to disk; call one of its functions, or add one there`;
}

/** What a name is part of that is a type, and gone when the program runs. */
const TYPES: ReadonlySet<Deno.lint.Node["type"]> = new Set<Deno.lint.Node["type"]>([
  "TSTypeReference",
  "TSQualifiedName",
  "TSTypeQuery",
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
  "TSTypeParameter",
  "TSPropertySignature",
  "TSMethodSignature",
  "TSFunctionType",
  "TSIndexSignature",
  "TSNamedTupleMember",
]);

/** Whether a name refers to a value: not a key, a member, a type or a name of something else. */
function isValue(node: Deno.lint.Identifier): boolean {
  const parent = node.parent as Deno.lint.Node;
  switch (parent.type) {
    case "MemberExpression":
      return parent.object === node || parent.computed;
    case "Property":
      return parent.value === node || parent.computed;
    case "MethodDefinition":
    case "PropertyDefinition":
      return parent.key !== node || parent.computed;
    case "ImportSpecifier":
      return parent.local === node;
    case "ExportSpecifier":
      return parent.local === node && parent.parent.source === null;
    default:
      return !TYPES.has(parent.type);
  }
}

/** Refuses file calls outside of `src/disk/`. */
export const fileCallsInDisk: Deno.lint.Rule = {
  create(context) {
    const { path } = linted(context);
    if (path === undefined || !isFenced(path) || OPEN.some((entry) => covers(entry, path))) {
      return {};
    }
    if (WRITERS.includes(path)) return {};
    const refuse = (node: Deno.lint.Node, name: string, reason: string) =>
      context.report({ node, message: `Cannot use ${name} in ${path}: ${reason}` });
    const checkMember = (node: Deno.lint.Node, name: string | undefined) => {
      if (name === undefined) {
        return refuse(node, "Deno", "its members have to be named; write out which one is meant");
      }
      const reason = objection(path, name);
      if (reason !== undefined) refuse(node, `Deno.${name}`, reason);
    };
    const checkDeno = (node: Deno.lint.Identifier) => {
      const parent = node.parent as Deno.lint.Node;
      if (parent.type === "MemberExpression" && parent.object === node) {
        return checkMember(parent, memberName(parent));
      }
      const isDestructured = parent.type === "VariableDeclarator" && parent.init === node &&
        parent.id.type === "ObjectPattern";
      if (!isDestructured) return checkMember(node, undefined);
      for (const property of (parent.id as Deno.lint.ObjectPattern).properties) {
        if (property.type !== "Property") checkMember(property, undefined);
        else {
          const { key, computed } = property;
          checkMember(
            property,
            !computed && key.type === "Identifier" ? key.name : literalText(key),
          );
        }
      }
    };
    return {
      Identifier(node) {
        if (!isValue(node) || !(node.name in globalThis)) return;
        if (node.name === "Deno") return checkDeno(node);
        if (PLAIN_GLOBALS.has(node.name) || mayUse(path, node.name)) return;
        const parent = node.parent as Deno.lint.Node;
        if (node.name === "globalThis" && parent.type === "MemberExpression") {
          const name = memberName(parent);
          if (name !== undefined && PLAIN_GLOBALS.has(name)) return;
        }
        refuse(
          node,
          node.name,
          "it may reach files; use src/disk/, or another name if it is a variable, or list it under " +
            "PLAIN_GLOBALS in tools/lint/file_calls.ts",
        );
      },
    };
  },
};
