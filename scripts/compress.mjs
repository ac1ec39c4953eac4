// Writes NAME.br and NAME.gz beside each file of a folder that gets smaller by it.
// `node scripts/compress.mjs FOLDER quick|release`: quick spends little time, release makes them as small as can be.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [folder, kind] = process.argv.slice(2);
const release = kind === "release";
const worthIt = /\.(css|html|ico|js|json|svg|txt|wasm|webmanifest)$/;
const sizes = { plain: 0, br: 0, gz: 0 };

for (const name of readdirSync(folder, { recursive: true })) {
  if (!worthIt.test(name) || name === "index.html") continue;
  const path = join(folder, name);
  const plain = readFileSync(path);
  const br = brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: release ? constants.BROTLI_MAX_QUALITY : 4,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
  const gz = gzipSync(plain, { level: release ? 9 : 3 });
  if (br.length < plain.length) writeFileSync(`${path}.br`, br);
  if (gz.length < plain.length) writeFileSync(`${path}.gz`, gz);
  if (/\.(js|wasm)$/.test(name)) {
    sizes.plain += plain.length;
    sizes.br += br.length;
    sizes.gz += gz.length;
  }
}
const kb = (bytes) => `${(bytes / 1024).toFixed(0)} KB`;
console.error(`browser half: wasm and JavaScript ${kb(sizes.plain)}, brotli ${kb(sizes.br)}, gzip ${kb(sizes.gz)}`);
