// The peers' pages, their packages and the file, from a server that does nothing else.
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const home = fileURLToPath(new URL(".", import.meta.url));
const KINDS = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".csv": "text/csv" };
const PACKAGES = { "DuckDB-wasm": "@duckdb/duckdb-wasm", "DuckDB-wasm with threads": "@duckdb/duckdb-wasm", Perspective: "@finos/perspective" };

export class Pages {
  selectors = { rows: "tbody tr", count: "#count", search: "#search", problem: "#problem" };

  constructor(folder) {
    this.folder = folder;
  }

  async start() {
    this.server = createServer((request, answer) => {
      const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
      const root = path.startsWith("/files/") ? join(this.folder, path.slice("/files".length)) : join(home, path);
      const size = !path.includes("..") && statSync(root, { throwIfNoEntry: false })?.size;
      if (!size) return answer.writeHead(404).end();
      answer.writeHead(200, {
        "content-type": KINDS[extname(path)] ?? "application/octet-stream",
        "content-length": size,
        // What threads and finer clocks ask for.
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      });
      createReadStream(root, { highWaterMark: 1 << 20 }).pipe(answer);
    });
    await new Promise((done, failed) => this.server.once("error", failed).listen(0, "127.0.0.1", done));
  }

  url(peer, file, more = "") {
    return `http://127.0.0.1:${this.server.address().port}/pages/${peer}.html?file=/files/${file.name}.csv${more}`;
  }

  versions() {
    const version = (name) => JSON.parse(readFileSync(join(home, "node_modules", name, "package.json"), "utf8")).version;
    return Object.fromEntries(Object.entries(PACKAGES).map(([peer, name]) => [peer, version(name)]));
  }

  async stop() {
    this.server?.closeAllConnections();
    await new Promise((done) => (this.server ? this.server.close(done) : done()));
  }
}
