// What the tests' database holds. Every value a filter test looks for belongs to one log alone, unless it says otherwise.
//
// Times are counted back from now, so they are the setup's alone: tests read them from the facts.
import type { Server } from "./server";

export const PASSWORD = "correct horse battery staple";
export const ADA = "ada@example.com";
export const AUDITOR = "olive@example.com";

/** How many plain successes there are, one a minute back from now: enough for several pages. */
export const PLAIN = 130;

export interface Facts {
  address: string;
  project: string;
  /** A project without a single log. */
  empty: string;
  /** When the failed request was made. */
  failedAt: string;
  key: { app_id: string; app_token: string };
}

const MINUTE = 60_000;

const at = (minutes: number) => new Date(Date.now() - minutes * MINUTE).toISOString();

const plain = (n: number) => ({
  id: `plain-${String(n).padStart(3, "0")}`,
  created_at: at(n + 1),
  method: "GET",
  url: `https://api.example.com/v1/customers?limit=10&page=${n}`,
  status_code: 200,
  channel: "API",
  request_id: `req-plain-${n}`,
  request_duration: 12 + (n % 7),
  user_email: "ada@example.com",
  user_id: "usr_ada",
  app_id: "app_storefront",
  app_name: "Storefront",
  ip: "198.51.100.4",
  response: { headers: { "content-type": "application/json" }, body: { object: "list", total: n, customers: [] } },
});

/** The failed request of the story, and of most filters. */
export const FAILED = {
  id: "failed-redemption",
  created_at: at(20.5),
  method: "POST",
  url: "https://api.example.com/v1/vouchers/SUMMER-24/redemption?dry_run=yes",
  status_code: 404,
  channel: "WEBSITE",
  request_id: "req-failed-1",
  request_duration: 812,
  user_email: "grace@example.com",
  user_id: "usr_grace",
  app_id: "app_checkout",
  app_name: "Checkout service",
  ip: "203.0.113.7",
  user_agent: "checkout/4.1",
  resource: { type: "voucher", id: "v_summer24" },
  request: {
    headers: { "content-type": "application/json", authorization: "Bearer very-secret-token" },
    body: { customer: { source_id: "customer-needle-77" }, order: { amount: 12345, items: [{ sku: "tea", quantity: 2 }] } },
  },
  response: {
    headers: { "content-type": "application/json", "x-served-by": "edge-9" },
    body: { code: 404, key: "voucher_not_found", message: "Cannot find voucher with code SUMMER-24", details: null },
  },
};

const others = [
  {
    id: "broken-server",
    created_at: at(30.5),
    method: "DELETE",
    url: "https://api.example.com/v1/campaigns/camp_9",
    status_code: 503,
    channel: "API",
    request_id: "req-broken-1",
    request_duration: 95,
    ip: "198.51.100.9",
    response: { headers: { "content-type": "text/plain" }, body: "upstream connect error\nno healthy host" },
  },
  {
    id: "form-and-base64",
    created_at: at(31.5),
    method: "POST",
    url: "https://api.example.com/v1/uploads",
    status_code: 201,
    channel: "API",
    request: {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "name=Tea+%26+Biscuits&size=12",
    },
    response: {
      headers: { "content-type": "application/octet-stream" },
      body: { encoding: "base64", data: "AAECAwQFBgcICQoLDA0ODw==" },
    },
  },
  {
    id: "table-of-text",
    created_at: at(32.5),
    method: "GET",
    url: "https://api.example.com/v1/reports/daily.csv",
    status_code: 200,
    channel: "API",
    response: { headers: { "content-type": "text/csv" }, body: "day,orders\n2026-01-01,17\n2026-01-02,23\n" },
  },
  {
    id: "from-a-browser",
    created_at: at(35.5),
    method: "GET",
    url: "https://api.example.com/v1/widget/offers",
    status_code: 200,
    channel: "API",
    client_app_id: "client_widget",
    app_name: "Checkout widget",
  },
  {
    id: "deep-nest",
    created_at: at(33.5),
    method: "GET",
    url: "https://api.example.com/v1/deep",
    status_code: 200,
    channel: "API",
    response: { headers: { "content-type": "application/json" }, body: "DEEP" },
  },
];

/** JSON of 9,000 levels. */
const deep = () => "[".repeat(9_000) + "1" + "]".repeat(9_000);

/** A JSON body of at least this many bytes, with one word near its end that is nowhere else. */
export function hugeBody(bytes: number): string {
  const rows: string[] = [];
  let size = 0;
  for (let n = 0; size < bytes; n += 1) {
    const row = JSON.stringify({ id: `v_${n}`, code: `CODE-${n}`, active: n % 2 === 0, discount: { type: "AMOUNT", amount_off: n }, note: "x".repeat(400) });
    rows.push(row);
    size += row.length + 1;
  }
  rows.push(JSON.stringify({ id: "the-last-needle" }));
  return `{"object":"list","vouchers":[${rows.join(",")}]}`;
}

export async function send(facts: Pick<Facts, "address" | "key">, body: string, type = "application/json"): Promise<void> {
  const answer = await fetch(`${facts.address}/v1/logs`, {
    method: "POST",
    headers: { "content-type": type, "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token },
    body,
  });
  if (answer.status !== 201) throw new Error(`POST /v1/logs: ${answer.status} ${await answer.text()}`);
}

/** Sends a log whose response body is 50 MB. */
export async function sendHuge(facts: Facts): Promise<void> {
  const log = {
    id: "huge-answer",
    created_at: at(34.5),
    method: "GET",
    url: "https://api.example.com/v1/huge",
    status_code: 200,
    channel: "API",
    response: { headers: { "content-type": "application/json" }, body: "HUGE" },
  };
  await send(facts, JSON.stringify(log).replace('"HUGE"', () => hugeBody(50 * 1024 * 1024)));
}

/** Makes people, projects, a key and the logs, with the commands and the call that everyone uses. */
export async function fill(server: Server): Promise<Facts> {
  const project = server.command(["project", "add", "Acme production"]);
  const empty = server.command(["project", "add", "Nothing yet"]);
  for (const [email, role] of [[ADA, "owner"], [AUDITOR, "auditor"]] as const) {
    server.command(["user", "add", email, "--role", role, "--project", project, "--password-stdin"], PASSWORD);
  }
  server.command(["user", "add", ADA, "--role", "owner", "--project", empty]);
  const key = JSON.parse(server.command(["key", "add", "--project", project, "--name", "tests", "--scopes", "logs:write,read,read:bodies,exports:write,tasks:write,webhooks:write,events:write"]));
  await server.start();
  const facts = { address: server.address, project, empty, failedAt: FAILED.created_at, key };
  const logs = [...Array.from({ length: PLAIN }, (_, n) => plain(n)), FAILED, ...others];
  await send(facts, JSON.stringify(logs).replace('"DEEP"', deep));
  return facts;
}
