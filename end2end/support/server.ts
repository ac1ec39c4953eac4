// The built server, on a fresh SQLite in a temporary folder, as an operator would start it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

function binary(): string {
  const path = process.env.AUDIT_LOG_BIN ?? join(root, process.env.CARGO_TARGET_DIR ?? "target", "debug/audit-log");
  if (!existsSync(path)) throw new Error(`${path} is not built: \`make test\` builds it, or set AUDIT_LOG_BIN`);
  return path;
}

export class Server {
  address = "";
  private child?: ChildProcess;

  private constructor(
    private readonly folder: string,
    private readonly extra: Record<string, string>,
  ) {}

  /** Makes a database; nothing is served yet. `extra` is added to the environment. */
  static create(extra: Record<string, string> = {}): Server {
    return new Server(mkdtempSync(join(tmpdir(), "audit-log-end2end-")), extra);
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      DATABASE_URL: `sqlite://${this.folder}/audit-log.db`,
      AUDIT_LOG_FILES_URL: `file:${this.folder}/files`,
      // Receivers of the tests' own are there; 127.0.0.1 stays refused.
      AUDIT_LOG_WEBHOOK_ALLOW: "127.0.0.2/32",
      // What is found is tested, not how far a busy machine comes in its 200 ms.
      AUDIT_LOG_SEARCH_MS: "5000",
      RUST_BACKTRACE: "1",
      ...this.extra,
    };
  }

  /** A command of the command line; what it printed. */
  command(args: string[], input = ""): string {
    return execFileSync(binary(), args, { cwd: this.folder, env: this.environment(), input, encoding: "utf8" }).trim();
  }

  /** Serves, on the port it had before where there is one. */
  async start(): Promise<void> {
    const listen = this.address ? new URL(this.address).host : "127.0.0.1:0";
    const child = spawn(binary(), ["serve", "--listen", listen], {
      cwd: this.folder,
      env: this.environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said = (said + text.toString()).slice(-20_000);
      if (process.env.AUDIT_LOG_SHOW) process.stderr.write(text);
    });
    this.address = await new Promise((found, failed) => {
      createInterface({ input: child.stdout! }).on("line", (line) => {
        const address = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
        if (address) found(address);
      });
      child.on("exit", (code) => failed(new Error(`the server ended with ${code}: ${said}`)));
      child.on("error", failed);
    });
  }

  async stop(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(patience);
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
