/**
 * Keeps imports pointing one way, without circles, and packages where they belong.
 *
 * @module
 */

import { wayBack } from "./circles.ts";
import { covers, isFenced, isHomeless, objection } from "./floors.ts";
import { linted, literalText, pathInRepository } from "./syntax.ts";

/** The names under which this package can import itself. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  "@claude-bottle/supervise": "mod.ts",
  "@claude-bottle/supervise/sidecar": "sidecar/main.ts",
  "@claude-bottle/supervise/cli": "cli/main.ts",
};

interface PackageRule {
  readonly name: RegExp;
  /** The fenced files that may import it. */
  readonly only: readonly string[];
  readonly wayOut: string;
}

/** Which files may import which package; the last rule refuses what no other names. */
const PACKAGES: readonly PackageRule[] = [
  { name: /^@std\/path$/, only: ["src/", "cli/", "bench/", "demo/"], wayOut: "pass paths in" },
  { name: /^@std\/cli$/, only: ["cli/command/", "sidecar/settings.ts"], wayOut: "pass flags in" },
  {
    name: /^(node:)?fs(\/|$)/,
    only: ["src/disk/", "bench/"],
    wayOut: "read and write through src/disk/",
  },
  {
    name: /^(jsr:\/?)?@std\/fs(@|\/|$)/,
    only: ["src/disk/", "bench/", "demo/"],
    wayOut: "make directories through src/disk/write.ts",
  },
  {
    name: /^node:(buffer|crypto|timers)$/,
    only: ["src/", "cli/", "sidecar/", "bench/"],
    wayOut: "pass plain values",
  },
  { name: /^node:os$/, only: ["cli/command/context.ts"], wayOut: "use what context.ts read" },
  {
    name: /^node:http$/,
    only: ["sidecar/health.ts", "sidecar/listen.ts"],
    wayOut: "use fetch or Deno.serve",
  },
  { name: /^node:stream$/, only: ["sidecar/connections.ts"], wayOut: "use web streams" },
  {
    name: /^node:process$/,
    only: ["cli/review/terminal.ts", "bench/apply_sides.ts"],
    wayOut: "use Deno",
  },
  { name: /^zod$/, only: ["sidecar/"], wayOut: "parse records through src/records/" },
  { name: /^diff$/, only: ["src/text/diff.ts", "bench/diff.ts"], wayOut: "use renderDiff" },
  {
    name: /^tldts(\/|$)/,
    only: ["src/config/hosts/"],
    wayOut: "judge hosts in src/config/hosts/",
  },
  {
    name: /^unbash(\/|$)/,
    only: ["src/config/shell/read.ts"],
    wayOut: "read shell scripts through src/config/shell/read.ts",
  },
  {
    name: /^(npm:\/?)?@modelcontextprotocol\//,
    only: ["sidecar/server.ts", "demo/", "bench/"],
    wayOut: "keep MCP in sidecar/server.ts and pass plain values",
  },
  {
    name: /^/,
    only: [],
    wayOut: "list the package under PACKAGES in tools/lint/imports.ts, and say in an ADR why",
  },
];

/** The file that an import names, from the root; `undefined` if it is a package. */
function target(specifier: string, file: URL): string | undefined {
  const own = OWN_NAMES[specifier];
  if (own !== undefined) return own;
  if (!/^(\.{1,2}\/|\/|file:)/.test(specifier)) return undefined;
  return pathInRepository(new URL(specifier, file));
}

function packageObjection(from: string, specifier: string): string | undefined {
  if (!isFenced(from)) return undefined;
  const rule = PACKAGES.find(({ name }) => name.test(specifier))!;
  if (rule.only.some((entry) => covers(entry, from))) return undefined;
  return `only ${rule.only.join(", ") || "listed packages"} may; ${rule.wayOut}`;
}

function circleObjection(from: string, to: string): string | undefined {
  const way = wayBack(from, to);
  return way && `that closes a circle: ${[from, ...way].join(" -> ")}; ` +
      "move what both need to a file of its own";
}

/** Refuses imports that the tables do not allow. */
export const importDirection: Deno.lint.Rule = {
  create(context) {
    const { url, path } = linted(context);
    if (path === undefined) return {};
    const check = (node: Deno.lint.Node, source: Deno.lint.Node | null | undefined) => {
      const specifier = literalText(source);
      if (specifier === undefined) return;
      const to = target(specifier, url);
      const reason = to === undefined
        ? packageObjection(path, specifier)
        : objection(path, to) ?? circleObjection(path, to);
      if (reason === undefined) return;
      context.report({ node, message: `Cannot import ${to ?? specifier} from ${path}: ${reason}` });
    };
    return {
      Program(node) {
        if (!isHomeless(path)) return;
        const message = `Cannot place ${path}: it is on no floor; ` +
          "add it to FLOORS in tools/lint/floors.ts";
        context.report({ node, message });
      },
      ImportDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ImportExpression(node) {
        check(node, node.source);
        if (!isFenced(path) || literalText(node.source) !== undefined) return;
        const message = `Cannot import a computed name from ${path}: ` +
          "no rule can be checked for it; write the name out";
        context.report({ node, message });
      },
      TSImportType: (node) => check(node, node.argument),
    };
  },
};
