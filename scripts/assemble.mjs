// Puts the browser half together from what cargo built, `public/`, and the styles that index.html names.
//
// `node scripts/assemble.mjs CLIENT WORKER WORK DIST quick|release`: both wasm files, a folder for what comes between, and the folder for
// the result, which begin empty. For the styles and the pages' code, names carry a hash of the content; the worker's are asked for by the
// page's code, which knows no hash.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { splitPages } from "./split.mjs";
import { hash, hashed, optimize, run } from "./tools.mjs";

const [client, worker, work, dist, kind] = process.argv.slice(2);
const isRelease = kind === "release";
const served = "/assets/";
for (const folder of [work, dist]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

cpSync("public", dist, { recursive: true });
await buildWorker();
const { script, wasm, loader } = await splitPages(client, work, dist, isRelease);
writeFileSync(join(dist, "index.html"), withCode(withStyles(readFileSync("index.html", "utf8"))));

async function buildWorker() {
  const bindgen = ["--target=no-modules", "--no-typescript", "--out-name=browse-worker", `--out-dir=${dist}`];
  await run("wasm-bindgen", [...bindgen, worker]);
  if (isRelease) await optimize(join(dist, "browse-worker_bg.wasm"), "3");
  writeFileSync(join(dist, "browse-worker_loader.js"), 'importScripts("./browse-worker.js");wasm_bindgen({ module_or_path: "./browse-worker_bg.wasm" });');
}

function withStyles(index) {
  return index.replaceAll(/href="(style\/[\w-]+\.css)"/g, (_, path) => {
    const style = readFileSync(path);
    const name = hashed(basename(path), hash(style));
    writeFileSync(join(dist, name), style);
    return `href="${served}${name}"`;
  });
}

// What a page's head needs to come alive. The server adds nonces, and the parts of the page's own group.
function withCode(index) {
  const head = [
    `<script type="module">import init from "${served}${script}"; await init({ module_or_path: "${served}${wasm}" });</script>`,
    ...[script, loader].map((file) => `<link rel="modulepreload" href="${served}${file}" crossorigin="anonymous">`),
    `<link rel="preload" href="${served}${wasm}" as="fetch" type="application/wasm" crossorigin="anonymous">`,
  ];
  return index.replace("</head>", `${head.join("\n")}\n</head>`);
}
