// The product as it ships, on a fresh SQLite: the binary as a process of its own.
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "@playwright/test";
import { options } from "./browser.mjs";

const EMAIL = "bench@example.com";
const PASSWORD = "a long enough password for a benchmark";
const PATIENCE_MS = 600_000;

export class Server {
  /** Where Browse data shows what is measured. */
  selectors = {
    rows: 'table[aria-label="Rows of the file"] tbody tr',
    count: ".browse-count",
    search: "#f-q",
    problem: ".browse-note[role=alert], .state h1, .state h2",
  };

  constructor(binary, folder) {
    if (!existsSync(binary)) throw new Error(`${binary} is not built: run \`make build\` first`);
    this.binary = binary;
    this.environment = {
      PATH: process.env.PATH,
      DATABASE_URL: `sqlite://${folder}/product.db`,
      AUDIT_LOG_FILES_URL: `file:${folder}/files`,
      AUDIT_LOG_SECRET_KEY_FILE: `${folder}/secret-key`,
    };
  }

  command(args, input = "") {
    return execFileSync(this.binary, args, { env: this.environment, input, encoding: "utf8" }).trim();
  }

  /** Makes a project, its owner and a key, and serves. */
  async start() {
    this.project = this.command(["project", "add", "Bench"]);
    this.command(["user", "add", EMAIL, "--role", "owner", "--project", this.project, "--password-stdin"], PASSWORD);
    const scopes = "logs:write,read,read:bodies,exports:write";
    const key = JSON.parse(this.command(["key", "add", "--project", this.project, "--name", "bench", "--scopes", scopes]));
    this.key = { "x-app-id": key.app_id, "x-app-token": key.app_token };
    const child = spawn(this.binary, ["serve", "--listen", "127.0.0.1:0"], { env: this.environment, stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    let said = "";
    child.stderr.on("data", (text) => (said = (said + text).slice(-4_000)));
    this.address = await new Promise((found, failed) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const address = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
        if (address) found(address);
      });
      child.on("exit", (code) => failed(new Error(`the server ended with ${code}: ${said}`)));
      child.on("error", failed);
    });
  }

  async call(method, path, type, body) {
    const headers = { ...this.key, ...(type && { "content-type": type }) };
    const answer = await fetch(this.address + path, { method, headers, body });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  /** Sends logs as lines of JSON; again, a little later, where the writer's queue is full. */
  async send(lines) {
    for (;;) {
      const headers = { ...this.key, "content-type": "application/x-ndjson" };
      const answer = await fetch(`${this.address}/v1/logs`, { method: "POST", headers, body: lines });
      const text = await answer.text();
      if (answer.ok) return;
      if (answer.status !== 429) throw new Error(`POST /v1/logs: ${answer.status} ${text}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** Has an export made; its id, once the file is there with as many rows as it must have. */
  async export(parameters, rows) {
    const begun = await this.call("POST", "/v1/exports", "application/json", JSON.stringify({ exported_object: "api_log", parameters }));
    const { id } = await begun.json();
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const made = await (await this.call("GET", `/v1/exports/${id}`)).json();
      if (made.status === "DONE") {
        this.made = made;
        const told = made.result?.rows ?? made.rows;
        if (told !== undefined && told !== null && told !== rows) throw new Error(`the export has ${told} rows, not ${rows}`);
        return id;
      }
      if (made.status === "ERROR" || made.status === "CANCELED" || Date.now() > until) throw new Error(`no export: ${JSON.stringify(made)}`);
      await new Promise((done) => setTimeout(done, 200));
    }
  }

  async download(id) {
    const url = this.made?.id === id && this.made.result?.url;
    if (!url) throw new Error(`the export has no file: ${JSON.stringify(this.made)}`);
    const answer = await fetch(new URL(url, this.address), { headers: this.key });
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  browse(id) {
    return `${this.address}/projects/${this.project}/exports/${id}/browse`;
  }

  /** Signs the person in through the form; what a browser keeps of it. */
  async signIn() {
    const browser = await chromium.launch(options);
    try {
      const context = await browser.newContext({ javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto(`${this.address}/sign-in`);
      await page.getByLabel("E-mail").fill(EMAIL);
      await page.getByLabel("Password").fill(PASSWORD);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.waitForURL((url) => url.pathname !== "/sign-in");
      return await context.storageState();
    } finally {
      await browser.close();
    }
  }

  async stop() {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(patience);
  }
}
