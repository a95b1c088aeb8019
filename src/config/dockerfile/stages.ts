/**
 * Reads the stages of a Dockerfile: the images they build on, and the users they run as. Pure.
 *
 * @module
 */

import type { Outline } from "./instructions.ts";
import { expand, listWords, pairWords, splitKeyword } from "./words.ts";

interface User {
  readonly line: number;
  readonly name: string;
  readonly isRoot: boolean;
}

/** What one FROM names, with the file's own values in the place of variables. */
interface Image {
  /** The line that names the image: of the FROM, or of the ARG that holds the name. */
  readonly line: number;
  readonly image: string;
  /** The image without tag and digest. */
  readonly repository: string;
  /** Whether every build gets the same image, or at least one of the same version. */
  readonly isPinned: boolean;
  readonly hasDigest: boolean;
}

export interface Stages {
  /** The images that stages begin with, in order. */
  readonly images: readonly Image[];
  /** The image on which the last stage is based, through other stages. */
  readonly base: Image | undefined;
  readonly users: readonly User[];
  /** The user that the last stage ends with, if the file names it. */
  readonly finalUser: User | undefined;
}

/** A variable's value, and the line that sets it. */
interface Variable {
  readonly value: string;
  readonly line: number;
}

type Variables = ReadonlyMap<string, Variable>;

/** The image on which a stage is based, its user and its variables so far. */
interface Stage {
  readonly base: Image | undefined;
  readonly variables: Map<string, Variable>;
  user: User | undefined;
}

/** How many variables in one text are replaced. */
const MAX_REPLACED = 16;

/** How much of an image's name or a variable's value is read. */
const MAX_CHARS = 1024;

export function readStages({ instructions, escape }: Outline): Stages {
  const images: Image[] = [];
  const users: User[] = [];
  const globals = new Map<string, Variable>();
  const byName = new Map<string, Stage>();
  let stage: Stage = { base: undefined, variables: globals, user: undefined };
  for (const { name, args, line } of instructions) {
    const keyword = name.toUpperCase();
    switch (keyword) {
      case "ARG":
      case "ENV":
        setVariables(keyword, args, escape, line, stage.variables, globals);
        break;
      case "USER": {
        const user = resolve(args, escape, line, stage.variables).text;
        stage.user = { line, name: user, isRoot: /^(?:root|0+)?(?::|$)/.test(user) };
        users.push(stage.user);
        break;
      }
      case "FROM": {
        const [written = "", , stageName] = listWords(args);
        const { text, place } = resolve(written, escape, line, globals);
        const image = readImage(text, place);
        const earlier = byName.get(text.toLowerCase());
        if (earlier === undefined) images.push(image);
        stage = earlier === undefined
          ? { base: image, variables: new Map(), user: undefined }
          : { ...earlier, variables: new Map(earlier.variables) };
        if (stageName !== undefined) byName.set(stageName.toLowerCase(), stage);
      }
    }
  }
  return { images, base: stage.base, users, finalUser: stage.user };
}

/**
 * Sets what an ARG or ENV sets. An ARG without a value has that of the file's beginning; the values of one ENV
 * are read before it sets any.
 */
function setVariables(
  keyword: "ARG" | "ENV",
  args: string,
  escape: string,
  line: number,
  variables: Map<string, Variable>,
  globals: Variables,
): void {
  const known = keyword === "ENV" ? new Map(variables) : variables;
  const set = (name: string, written: string) => {
    variables.set(name, { value: resolve(written, escape, line, known).text, line });
  };
  const words = pairWords(args, escape);
  if (keyword === "ENV" && words[0]?.includes("=") === false) {
    // The older form: a name, and the rest is its value.
    const { name, args: written } = splitKeyword(args);
    return set(name, written);
  }
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals >= 0) set(word.slice(0, equals), word.slice(equals + 1));
    else if (globals.has(word)) variables.set(word, globals.get(word)!);
  }
}

/** What a text says with the file's own values in the place of variables, and the line of the last of these. */
function resolve(
  written: string,
  escape: string,
  line: number,
  variables: Variables,
): { readonly text: string; readonly place: number } {
  let place = line;
  let replaced = 0;
  const lookUp = (name: string) => {
    const variable = replaced++ < MAX_REPLACED ? variables.get(name) : undefined;
    if (variable !== undefined) place = variable.line;
    return variable?.value;
  };
  const text = written.slice(0, MAX_CHARS);
  return { text: (expand(text, { escape, lookUp })?.text ?? text).slice(0, MAX_CHARS), place };
}

function readImage(image: string, line: number): Image {
  const [named = "", digest] = image.split("@", 2);
  const [, repository = named, tag] = /^(.*):([^/:]*)$/.exec(named) ?? [];
  const isPinned = digest !== undefined || image === "scratch" || image === "" ||
    // The person who builds supplies the rest.
    image.includes("$") || tag !== undefined && tag !== "latest";
  return { line, image, repository, isPinned, hasDigest: digest !== undefined };
}
