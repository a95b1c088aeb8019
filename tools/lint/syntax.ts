/**
 * What the rules need to know of a file and of its syntax.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** A file's path from the repository's root, or `undefined` if it lies elsewhere. */
export function pathInRepository(url: URL): string | undefined {
  return url.href.startsWith(ROOT.href)
    ? decodeURIComponent(url.pathname.slice(ROOT.pathname.length))
    : undefined;
}

/** The file being linted, as a path from the root; editors and tests may give a relative one. */
export function linted(
  context: Deno.lint.RuleContext,
): { readonly url: URL; readonly path?: string } {
  const url = new URL(encodeURI(context.filename).replace(/[?#]/g, encodeURIComponent), ROOT);
  const inside = pathInRepository(url);
  return inside === undefined ? { url } : { url, path: inside };
}

/** The text of an expression that is a plain string. */
export function literalText(node: Deno.lint.Node | null | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TSLiteralType") return literalText(node.literal);
  if (node?.type === "TemplateLiteral" && node.expressions.length === 0) {
    return node.quasis[0]?.cooked;
  }
  return undefined;
}

/** The name after the dot, or in the brackets; `undefined` if it is computed. */
export function memberName(node: Deno.lint.MemberExpression): string | undefined {
  if (node.computed) return literalText(node.property);
  return node.property.type === "Identifier" ? node.property.name : undefined;
}
