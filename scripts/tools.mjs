// What assemble.mjs and split.mjs share: names by content, and wasm-opt.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";

/** Runs a tool that scripts/setup put on the PATH. */
export const run = promisify(execFile);

const features = ["bulk-memory", "nontrapping-float-to-int", "reference-types", "multivalue", "mutable-globals", "sign-ext", "simd"];

/** Makes wasm small (`z`) or quick (`3`), in its place. */
export async function optimize(file, level) {
  await run("wasm-opt", [`-O${level}`, ...features.map((feature) => `--enable-${feature}`), file, "-o", file]);
}

/** 64 bits of the contents' checksum. */
export function hash(...contents) {
  const sum = createHash("sha256");
  for (const content of contents) sum.update(content);
  return sum.digest("hex").slice(0, 16);
}

/** NAME-HASH.ext, or NAME-HASH_bg.wasm: what server/http/assets.rs lets be kept for ever. */
export function hashed(file, sum) {
  const [, stem, ending] = file.match(/^(.*?)((?:_bg)?\.\w+)$/);
  return `${stem.replace(/^_+/, "")}-${sum}${ending}`;
}
