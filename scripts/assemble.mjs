// Puts the browser half together from what cargo built, `public/`, and the styles that index.html names.
//
// `node scripts/assemble.mjs CLIENT WORKER WORK DIST quick|release`: both wasm files, a folder for what comes between, and the folder for
// the result, which begin empty. For the styles and the pages' code, names carry a hash of the content; the worker's are asked for by the
// page's code, which knows no hash.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

// All styles as one file: each more would be a request that the first paint waits for.
function withStyles(index) {
  const links = /<link rel="stylesheet" href="(style\/[\w-]+\.css)" \/>\s*/g;
  const paths = [...index.matchAll(links)].map(([, path]) => path);
  const style = Buffer.concat(paths.map((path) => readFileSync(path)));
  const name = hashed("style.css", hash(style));
  writeFileSync(join(dist, name), style);
  let isFirst = true;
  return index.replaceAll(links, () => {
    const link = isFirst ? `<link rel="stylesheet" href="${served}${name}" />\n  ` : "";
    isFirst = false;
    return link;
  });
}

// What a page's head needs to come alive. The server adds nonces, and the parts of the page's own group.
function withCode(index) {
  const head = [
    `<script>${begin(`${served}${script}`, `${served}${wasm}`)}</script>`,
    ...[script, loader].map((file) => `<link rel="later" href="${served}${file}" as="script" crossorigin="anonymous">`),
    `<link rel="later" href="${served}${wasm}" as="fetch" type="application/wasm" crossorigin="anonymous">`,
  ];
  return index.replace("</head>", `${head.join("\n")}\n</head>`);
}

// The code is asked for once the page has been drawn: what people read does not share the line with it. A page that nobody sees draws nothing, and does
// not wait for that. Nothing is taken over before the whole page is here. Who goes back before that has another page's address over this one's rows: it is
// loaded anew.
function begin(script, wasm) {
  return `(() => {
  const address = () => location.pathname + location.search;
  const drawn = address();
  const root = document.documentElement;
  addEventListener("popstate", (event) => {
    if (root.hasAttribute("data-awake") || address() === drawn) return;
    // Until it is loaded anew nobody may take this page for the other: neither what is about to wake it nor the router.
    root.setAttribute("data-left", "");
    event.stopImmediatePropagation();
    location.reload();
  });
  let begun = false;
  const begin = async () => {
    if (begun) return;
    begun = true;
    for (const link of document.querySelectorAll("link[rel=later]")) link.rel = link.as === "script" ? "modulepreload" : "preload";
    const { default: init } = await import("${script}");
    if (document.readyState === "loading") await new Promise((ready) => document.addEventListener("DOMContentLoaded", ready));
    await init({ module_or_path: "${wasm}" });
  };
  // Once a frame with something to read is on the screen, and one with the whole page: what is asked for while a frame is made comes in between.
  const seen = new Promise((seen) => {
    new PerformanceObserver((list) => list.getEntriesByName("first-contentful-paint").length && seen()).observe({ type: "paint", buffered: true });
  });
  const whole = new Promise((whole) => {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", whole);
    else whole();
  });
  const frame = () => new Promise(requestAnimationFrame);
  Promise.all([seen, whole]).then(frame).then(frame).then(() => setTimeout(begin));
  setTimeout(begin, document.hidden ? 0 : 1000);
})();`;
}
