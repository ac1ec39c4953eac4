// Makes of the browser half's one wasm file what pages load: the code of every page, and beside it files for groups of pages
// (src/app/lazy.rs), each fetched when a page of its group is first opened.
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hash, hashed, optimize, run } from "./tools.mjs";

const name = "audit-log-client";
const split = "__wasm_split.js";

/**
 * Splits `wasm`, joins its main part with JavaScript, makes all parts small for a release, and puts them into `dist` under names with a
 * hash of their content, and which group needs which into `dist/.chunks`. Returns the names of main's JavaScript and wasm, and of the
 * parts' loader.
 */
export async function splitPages(wasm, work, dist, isRelease) {
  await run("wasm-split-cli", [wasm, work, "--out-name", name]);
  // The parts find each other by what the linker named, so nothing may be renamed or dropped.
  const bindgen = ["--target=web", "--keep-lld-exports", "--no-demangle", "--no-typescript", `--out-name=${name}`, `--out-dir=${work}`];
  await run("wasm-bindgen", [...bindgen, join(work, `${name}.wasm`)]);
  rmSync(join(work, `${name}.wasm`));
  const parts = readdirSync(work).filter((file) => file.endsWith(".wasm"));
  if (isRelease) await twoAtATime(parts, (part) => optimize(join(work, part), "z"));

  const read = (file) => readFileSync(join(work, file));
  // A part's name tells its content; main's JavaScript and the loader of the parts name each other, so the two share a hash.
  const names = new Map(parts.map((part) => [part, hashed(part, hash(read(part)))]));
  const scripts = [`${name}.js`, split];
  const texts = scripts.map((file) => rename(read(file).toString(), names));
  const both = hash(...texts);
  for (const file of scripts) names.set(file, hashed(file, both));
  for (const part of parts) renameSync(join(work, part), join(dist, names.get(part)));
  for (const [i, file] of scripts.entries()) writeFileSync(join(dist, names.get(file)), importing(texts[i], names));
  writeFileSync(join(dist, ".chunks"), groups(read(split).toString(), names));
  return { script: names.get(`${name}.js`), wasm: names.get(`${name}_bg.wasm`), loader: names.get(split) };
}

// The loader fetches "./PART.wasm"; main's JavaScript has the name of its own wasm for who starts it without one.
function rename(text, names) {
  for (const [from, to] of names) text = text.replaceAll(`"./${from}"`, `"./${to}"`).replaceAll(`'${from}'`, `'${to}'`);
  return text;
}

// Only where one script is imported from the other: as the key of what wasm imports, the name stays.
function importing(text, names) {
  return text.replaceAll(/from (['"])\.\/([\w.-]+)\1/g, (_, quote, from) => `from ${quote}./${names.get(from) ?? from}${quote}`);
}

async function twoAtATime(items, work) {
  const left = [...items];
  const one = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all([one(), one()]);
}

// "GROUP FILE FILE": which files each group of pages needs. The loader says it: a comment with the groups over each shared part.
function groups(loader, names) {
  const files = {};
  const add = (group, part) => {
    files[group] ??= [];
    if (names.has(part)) files[group].push(names.get(part));
  };
  for (const [, group] of loader.matchAll(/export const __wasm_split_load_(\w+) =/g)) add(group, `split_${group}.wasm`);
  for (const [, sharers, number] of loader.matchAll(/\/\* ([\w, ]+) \*\/\nconst __chunk_(\d+) =/g)) {
    for (const group of sharers.split(", ")) add(group, `chunk_${number}.wasm`);
  }
  if (Object.keys(files).length === 0) throw new Error(`no groups of pages in ${split}`);
  return Object.entries(files)
    .map(([group, of]) => `${[group, ...of].join(" ")}\n`)
    .join("");
}
