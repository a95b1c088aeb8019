/** A class constructor's prototype whose instances are equal when their text is. */
const TEXTUAL: ReadonlySet<unknown> = new Set([
  RegExp.prototype,
  URL.prototype,
  URLSearchParams.prototype,
]);

/**
 * Deep equality with the rules of `@std/assert`: same prototype (a null prototype counts as a plain
 * object's), same keys whether or not a value is undefined, 0 equal to -0, NaN equal to NaN, Map and
 * Set by content, typed arrays by element, functions by identity, other class instances by every
 * property they own or inherit.
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, open: Map<object, object>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof Date && b instanceof Date) {
    return Object.is(a.getTime(), b.getTime());
  }
  if (plainPrototype(a) !== plainPrototype(b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(
      `Cannot compare ${a instanceof WeakMap ? "WeakMap" : "WeakSet"} instances`,
    );
  }
  const bytes = [elements(a), elements(b)] as const;
  if (bytes[0] && bytes[1]) return sameElements(bytes[0], bytes[1]);
  // A pair that is being compared further up is a cycle: nothing new to find in it.
  if (open.get(a) === b) return true;
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  open.set(a, b);
  const same = compareContents(a, b, open);
  if (!same) open.delete(a);
  return same;
}

function compareContents(
  a: object,
  b: object,
  open: Map<object, object>,
): boolean {
  if (
    a instanceof Map && b instanceof Map || a instanceof Set && b instanceof Set
  ) {
    if (a.size !== b.size) return false;
    const theirs = [...b.entries()];
    return [...a.entries()].every(([key, value]) => {
      if (!isObject(key)) {
        return b.has(key) &&
          (b instanceof Set || compare(value, b.get(key), open));
      }
      return theirs.some(([k, v]) => compare(key, k, open) && compare(value, v, open));
    });
  }
  if (TEXTUAL.has(Object.getPrototypeOf(a))) return String(a) === String(b);
  return [...keysOf(a).union(keysOf(b))].every((key) =>
    key in a === key in b &&
    compare(Reflect.get(a, key), Reflect.get(b, key), open)
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function plainPrototype(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

function elements(value: object): ArrayLike<unknown> | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value) && "length" in value ? value as Uint8Array : undefined;
}

function sameElements(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  }
  return true;
}

/** Enumerable keys of plain objects and arrays; of anything else every key, inherited ones too. */
function keysOf(value: object): Set<PropertyKey> {
  const prototype = plainPrototype(value);
  if (prototype === Object.prototype || prototype === Array.prototype) {
    return new Set(
      Reflect.ownKeys(value).filter((key) =>
        Object.prototype.propertyIsEnumerable.call(value, key)
      ),
    );
  }
  const keys = new Set<PropertyKey>();
  for (
    let at = value;
    at && at !== Object.prototype && at !== Array.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const key of Reflect.ownKeys(at)) keys.add(key);
  }
  return keys;
}
