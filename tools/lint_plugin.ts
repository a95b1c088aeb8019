/**
 * Keeps the imports pointing one way, and the writing of files in one file. The tables come first: a
 * new file in `src/` is added to {@linkcode LAYERS}, everything else stays as it is.
 *
 * @module
 */

/**
 * The floors of `src/`, lowest first: a file imports only from floors below its own. A name with a
 * slash at its end is a folder, whose files may also import each other.
 */
const LAYERS: readonly (readonly string[])[] = [
  // Pure: text and bytes in, text and bytes out.
  ["text/"],
  // What is kept and sent, and how it stands in files.
  ["records/"],
  // What a config file may say; the only file I/O.
  ["config/", "disk/"],
  // One bottle's queue; what the host keeps for itself.
  ["queue/", "host/"],
  ["log/"],
  ["decision/"],
  ["queue.ts", "audit.ts", "diff.ts"],
];

/** Imports within one floor that are meant: the importing file, then what it may import. */
const SAME_FLOOR: Readonly<Record<string, readonly string[]>> = {};

/** Folders with a program or a library of their own: they see the public API and themselves. */
const PROGRAMS: readonly string[] = ["sidecar/", "cli/", "appliers/", "bench/"];

/** What re-exports `src/`: the public API, what the operator's programs need, what a sidecar may name. */
const MODS: readonly string[] = ["mod.ts", "internal_mod.ts", "sidecar_mod.ts"];

/** What a program may import besides its own folder. Its `main.ts` may import other programs too. */
const OPEN_TO_PROGRAMS: readonly string[] = ["mod.ts", "internal_mod.ts", "deno.json"];

/**
 * Files of programs that may see below the public API, and what: to measure one part, the bench needs
 * that part alone.
 */
const BELOW_THE_API: Readonly<Record<string, readonly string[]>> = {
  "bench/reads.ts": ["src/disk/read_untrusted.ts"],
};

/** The names under which this package can import itself. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  "@claude-bottle/supervise": "mod.ts",
  "@claude-bottle/supervise/sidecar": "sidecar/main.ts",
  "@claude-bottle/supervise/cli": "cli/main.ts",
};

/** Packages that only some places may import: `only` holds for the files under `within`. */
const PACKAGES: readonly PackageRule[] = [
  {
    name: /^(node:)?fs(\/|$)/,
    within: "src/",
    only: ["src/disk/"],
    wayOut: "read and write through src/disk/",
  },
  {
    name: /^(jsr:\/?)?@std\/fs(@|\/|$)/,
    within: "src/",
    only: ["src/disk/"],
    wayOut: "make directories through src/disk/write.ts",
  },
  {
    name: /^(npm:\/?)?@modelcontextprotocol\//,
    within: "",
    only: ["sidecar/server.ts", "tests/", "demo/", "bench/"],
    wayOut: "keep MCP in sidecar/server.ts and pass plain values",
  },
  {
    name: /^(npm:\/?)?(ink|react)(@|\/|$)/,
    within: "",
    only: ["cli/review/", "tests/", "bench/"],
    wayOut: "keep Ink in cli/review/terminal.ts: no other verb should wait for it",
  },
];

/** The files in `src/` that write to disk: whole files, and under a lock. */
const WRITERS = ["src/disk/write.ts", "src/disk/lock.ts"];

/** Members of `Deno` that change what is on disk; each stands for its `…Sync` twin as well. */
const WRITES: ReadonlySet<string> = new Set([
  "chmod",
  "chown",
  "copyFile",
  "create",
  "link",
  "makeTempDir",
  "makeTempFile",
  "mkdir",
  "open",
  "remove",
  "rename",
  "symlink",
  "truncate",
  "umask",
  "utime",
  "writeFile",
  "writeTextFile",
]);

interface PackageRule {
  readonly name: RegExp;
  readonly within: string;
  readonly only: readonly string[];
  readonly wayOut: string;
}

const ROOT = new URL("../", import.meta.url);

/** A file's path from the repository's root, or `undefined` if it lies elsewhere. */
function pathInRepository(url: URL): string | undefined {
  return url.href.startsWith(ROOT.href)
    ? decodeURIComponent(url.pathname.slice(ROOT.pathname.length))
    : undefined;
}

/** The file that an import names, from the root; `undefined` if it is a package. */
function target(specifier: string, file: URL): string | undefined {
  const own = OWN_NAMES[specifier];
  if (own !== undefined) return own;
  if (!/^(\.{1,2}\/|\/|file:)/.test(specifier)) return undefined;
  return pathInRepository(new URL(specifier, file));
}

function covers(entry: string, file: string): boolean {
  return entry.endsWith("/") ? file.startsWith(entry) : entry === file;
}

/** Where a source file stands: its floor, and the folder it shares that floor with. */
function placeOf(file: string): { readonly floor: number; readonly folder?: string } | undefined {
  const name = file.slice("src/".length);
  const floor = LAYERS.findIndex((entries) => entries.includes(name));
  if (floor >= 0) return { floor };
  const shared = LAYERS.findIndex((entries) => entries.some((entry) => covers(entry, name)));
  const folder = LAYERS[shared]?.find((entry) => covers(entry, name));
  return folder === undefined ? undefined : { floor: shared, folder };
}

/** Why one file may not import another, and what to do instead; `undefined` if it may. */
function objection(from: string, to: string): string | undefined {
  if (to.startsWith("links/") && !from.startsWith("links/")) {
    return "links/ stands in for packages; import the package by its name, as in @std/path";
  }
  if (from.startsWith("src/")) return objectionInSource(from, to);
  if (MODS.includes(from)) {
    return to.startsWith("src/")
      ? undefined
      : `${from} re-exports src/ alone; export it from there`;
  }
  const home = PROGRAMS.find((folder) => from.startsWith(folder));
  if (home === undefined || to.startsWith(home)) return undefined;
  const open = home === "sidecar/" ? ["sidecar_mod.ts", "deno.json"] : OPEN_TO_PROGRAMS;
  if (open.includes(to)) return undefined;
  if (BELOW_THE_API[from]?.includes(to)) return undefined;
  if (to.startsWith("src/") || MODS.includes(to)) {
    return `${home} sees ${open.filter((name) => MODS.includes(name)).join(" and ")} only`;
  }
  if (!PROGRAMS.some((folder) => to.startsWith(folder))) {
    return `${home} imports mod.ts and its own folder; move the file into it`;
  }
  if (from === `${home}main.ts`) return undefined;
  return `only a main.ts wires across; have ${home}main.ts import it and pass it in`;
}

function objectionInSource(from: string, to: string): string | undefined {
  if (!to.startsWith("src/")) {
    return "src/ imports nothing above it; pass it in as an argument";
  }
  const [mine, theirs] = [placeOf(from), placeOf(to)];
  // A file on no floor is reported where it stands, once.
  if (mine === undefined || theirs === undefined || theirs.floor < mine.floor) return undefined;
  if (theirs.floor > mine.floor) {
    return "it is on a higher floor; move what both need to a lower one, or pass it in";
  }
  const meant = mine.folder !== undefined && mine.folder === theirs.folder ||
    SAME_FLOOR[from.slice("src/".length)]?.includes(to.slice("src/".length));
  return meant ? undefined : "it is on the same floor; move what both need to a lower one, " +
    "or list the pair under SAME_FLOOR in tools/lint_plugin.ts";
}

function packageObjection(from: string, specifier: string): string | undefined {
  const rule = PACKAGES.find(({ name, within, only }) =>
    name.test(specifier) && from.startsWith(within) && !only.some((entry) => covers(entry, from))
  );
  return rule && `only ${rule.only.join(", ")} may; ${rule.wayOut}`;
}

/** The file being linted, as a path from the root; editors and tests may give a relative one. */
function linted(context: Deno.lint.RuleContext): { readonly url: URL; readonly path?: string } {
  const url = new URL(encodeURI(context.filename).replace(/[?#]/g, encodeURIComponent), ROOT);
  const inside = pathInRepository(url);
  return inside === undefined ? { url } : { url, path: inside };
}

/** The text of an expression that is a plain string. */
function literalText(node: Deno.lint.Node | null | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TSLiteralType") return literalText(node.literal);
  if (node?.type === "TemplateLiteral" && node.expressions.length === 0) {
    return node.quasis[0]?.cooked;
  }
  return undefined;
}

const importDirection: Deno.lint.Rule = {
  create(context) {
    const { url, path } = linted(context);
    if (path === undefined) return {};
    const check = (node: Deno.lint.Node, source: Deno.lint.Node | null | undefined) => {
      const specifier = literalText(source);
      if (specifier === undefined) return;
      const to = target(specifier, url);
      const reason = to === undefined ? packageObjection(path, specifier) : objection(path, to);
      if (reason === undefined) return;
      context.report({ node, message: `Cannot import ${to ?? specifier} from ${path}: ${reason}` });
    };
    return {
      Program(node) {
        if (!path.startsWith("src/") || placeOf(path) !== undefined) return;
        const message = `Cannot place ${path}: it is on no floor; ` +
          "add it to LAYERS in tools/lint_plugin.ts";
        context.report({ node, message });
      },
      ImportDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      TSImportType: (node) => check(node, node.argument),
    };
  },
};

/** Whether an expression is the `Deno` namespace, or `globalThis.Deno`. */
function isDeno(node: Deno.lint.Node | null | undefined): boolean {
  if (node?.type === "Identifier") return node.name === "Deno";
  return node?.type === "MemberExpression" && memberName(node) === "Deno";
}

function memberName(node: Deno.lint.MemberExpression): string | undefined {
  if (node.computed) return literalText(node.property);
  return node.property.type === "Identifier" ? node.property.name : undefined;
}

const onlyDurableWrites: Deno.lint.Rule = {
  create(context) {
    const { path } = linted(context);
    if (!path?.startsWith("src/") || WRITERS.includes(path)) return {};
    const check = (node: Deno.lint.Node, name: string | undefined) => {
      if (name === undefined || !WRITES.has(name.replace(/Sync$/, ""))) return;
      const wayOut = `only ${
        WRITERS.join(" and ")
      } write to disk; call one of its functions, or add one there`;
      context.report({ node, message: `Cannot use Deno.${name} in ${path}: ${wayOut}` });
    };
    return {
      MemberExpression(node) {
        if (isDeno(node.object)) check(node, memberName(node));
      },
      VariableDeclarator(node) {
        if (!isDeno(node.init) || node.id.type !== "ObjectPattern") return;
        for (const property of node.id.properties) {
          if (property.type !== "Property") continue;
          const { key } = property;
          check(property, key.type === "Identifier" ? key.name : literalText(key));
        }
      },
    };
  },
};

/** The repository's own lint rules. */
const plugin: Deno.lint.Plugin = {
  name: "supervise",
  rules: { "import-direction": importDirection, "only-durable-writes": onlyDurableWrites },
};

export default plugin;
