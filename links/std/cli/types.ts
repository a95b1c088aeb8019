/** The names that may be given as a string or a list of strings. */
type Names<T extends string> = T | readonly T[];

/** What {@linkcode parseArgs} is told about the options. See `ParseOptions` of `@std/cli`. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  N extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
  A extends Aliases = Aliases,
  DD extends boolean = boolean,
> {
  /** Whether words after `--` go to the result's `"--"` and not to `_`. */
  "--"?: DD;
  /** Other names of an option. */
  alias?: A;
  /** Options that take no value, false when absent; `true` for every `--name`. */
  boolean?: boolean | Names<B>;
  /** Options that may be repeated. */
  collect?: Names<C>;
  /** Values of options that are absent. */
  default?: D;
  /** Options that `--no-name` sets to false. */
  negatable?: Names<N>;
  /** Whether the first positional word ends the options. */
  stopEarly?: boolean;
  /** Options whose value stays a string; `_` for the positional words. */
  string?: Names<S>;
  /** Called for words that no option here explains; `false` leaves them out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Option names to their other names. */
export type Aliases<Name extends string = string> = {
  readonly [name: string]: Name | readonly Name[];
};

type Declared<
  B extends string,
  S extends string,
  C extends string,
  N extends string,
> =
  & { [K in Exclude<B, C>]: boolean }
  & { [K in Extract<B, C>]: boolean[] }
  & { [K in Exclude<S, C>]?: K extends N ? string | false : string }
  & { [K in Extract<S, C>]: string[] }
  & { [K in Exclude<C, B | S>]: K extends N ? unknown[] | false : unknown[] };

type WithDefaults<T, D> =
  & Omit<T, keyof D>
  & { [K in keyof D]: K extends keyof T ? D[K] | NonNullable<T[K]> : unknown };

type WithAliases<T, A> = {
  [K in keyof T as K extends keyof A ? K | AliasOf<A[K]> : K]: T[K];
};

type AliasOf<T> = T extends readonly (infer N extends string)[] ? N
  : T & string;

/** The options' part of the result: typed as soon as one option is declared, `any` before that. */
export type Values<
  B extends string,
  S extends string,
  C extends string,
  N extends string,
  D extends Record<string, unknown>,
  A extends Aliases,
> =
  // deno-lint-ignore no-explicit-any
  [B | S | C] extends [never] ? Record<string, any>
    :
      & Record<string, unknown>
      & WithAliases<WithDefaults<Declared<B, S, C, N>, D>, A>;

/** The result of {@linkcode parseArgs}. */
export type Args<
  // deno-lint-ignore no-explicit-any
  T = Record<string, any>,
  DD extends boolean = false,
> =
  & T
  & { _: (string | number)[] }
  & (boolean extends DD ? { "--"?: string[] }
    : DD extends true ? { "--": string[] }
    : unknown);
