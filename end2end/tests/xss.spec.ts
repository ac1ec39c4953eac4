import type { Page } from "@playwright/test";
import { ADA, PASSWORD } from "../support/data";
import { Server } from "../support/server";
import { alive, expect, signIn, test } from "../support/test";

// Whatever a sender controls is data, in every page. Each payload would tell on itself: by a dialog, by a mark on the window, or by what the
// Content-Security-Policy reports to the console, which fails the test.

// Addresses that lead nowhere are answered 404, which the console tells.
test.use({ person: "", expectedErrors: /status of 40[034]/ });

const MARK = "xss-was-here";
const PAYLOADS = [
  `"><img src=x onerror="window['${MARK}']=1">`,
  `</script><script>window['${MARK}']=1</script>`,
  `'-alert(1)-'`,
  `<svg onload=window['${MARK}']=1>`,
  `</title></textarea></style><iframe srcdoc="<script>parent['${MARK}']=1</script>">`,
  "javascript:alert(1)//",
  "{{constructor.constructor('alert(1)')()}}",
];
const ALL = PAYLOADS.join(" ");
/** Columns that show what a sender chose. */
const COLUMNS = "time,method,endpoint,path,channel,user,app,request_id,resource,ip";

interface Filled {
  address: string;
  project: string;
  pages: string[];
}

/** Puts payloads into all that a sender controls. What is refused for what it is may be; most is not. */
async function fill(server: Server): Promise<Filled> {
  const project = server.command(["project", "add", `Shop ${ALL}`.slice(0, 100)]);
  server.command(["user", "add", ADA, "--role", "owner", "--project", project, "--name", ALL.slice(0, 100), "--password-stdin"], PASSWORD);
  const scopes = "logs:write,read,read:bodies,exports:write,tasks:write,webhooks:write,events:write";
  const key = JSON.parse(server.command(["key", "add", "--project", project, "--name", ALL.slice(0, 90), "--scopes", scopes]));
  await server.start();
  const { address } = server;
  let taken = 0;
  const call = async (method: string, path: string, body: unknown, extra: Record<string, string> = {}) => {
    const answer = await fetch(`${address}${path}`, {
      method,
      headers: { "content-type": "application/json", "x-app-id": key.app_id, "x-app-token": key.app_token, ...extra },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    expect(answer.status, `${path}: ${text}`).toBeLessThan(500);
    if (answer.ok) taken += 1;
    return answer.ok && text ? JSON.parse(text) : undefined;
  };
  const pages: string[] = [];
  for (const [n, payload] of [...PAYLOADS, ALL].entries()) {
    const log = {
      id: `xss-${n}`,
      method: "POST",
      url: `https://api.example.com/v1/${payload}?q=${payload}#${payload}`,
      status_code: 500,
      channel: payload,
      request_id: payload,
      user_email: payload,
      user_id: payload,
      app_id: payload,
      app_name: payload,
      ip: "198.51.100.4",
      user_agent: payload,
      resource: { type: payload, id: payload },
      request: { headers: { [`x-${n}`]: payload, "content-type": "application/json" }, body: { [payload]: payload, list: [payload] } },
      response: { headers: { "content-type": "text/html" }, body: `<html><body onload="window['${MARK}']=1">${payload}</body></html>` },
    };
    await call("POST", "/v1/logs", log);
    await call("POST", "/v1/logs", { method: payload, url: "https://api.example.com/v1/a", status_code: 200 });
    await call("PUT", `/v1/logs/xss-${n}/import-file`, payload, { "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(`${payload}.csv`)}` });
    pages.push(`logs/xss-${n}`, `logs/compare?a=xss-0&b=xss-${n}&show=all`);
    const task = await call("POST", "/v1/async-actions", { type: payload, request_id: payload });
    if (task) {
      await call("PATCH", `/v1/async-actions/${task.id}`, { status: "FAILED", operation_status: "FAILED", result: { message: payload, [payload]: payload } });
      pages.push(`tasks/${task.id}`);
    }
    const reported = await call("POST", "/v1/exports/reported", { exported_object: payload, file_name: `${payload}.csv`, parameters: { filters: { channel: payload } } });
    if (reported) pages.push(`exports/${reported.id}`);
    await call("POST", "/v1/webhooks", { target_url: `https://hooks.example.com/${encodeURIComponent(payload)}`, description: payload, headers: { "x-own": payload }, events: ["*"] });
    const event = await call("POST", "/v1/events", { type: payload, data: { [payload]: payload }, entity_id: payload, group_id: payload });
    for (const sendout of event?.sendouts ?? []) pages.push(`sendouts/${sendout.id ?? sendout}`);
    await call("POST", "/v1/events", { type: `voucher.x${n}`, data: { [payload]: payload }, entity_id: payload, group_id: payload });
  }
  expect(taken, "most is taken, or nothing is shown").toBeGreaterThan(30);
  return { address, project, pages };
}

/** Fails where a payload ran, or became an element. */
async function harmless(page: Page, where: string) {
  const ran = await page.evaluate((mark) => mark in window, MARK);
  expect(ran, `a payload ran on ${where}`).toBe(false);
  const made = await page.locator("iframe, img[src=x], svg[onload], body[onload]").count();
  expect(made, `a payload became an element on ${where}`).toBe(0);
}

test("nothing that a sender controls runs in any page", async ({ page, browser }) => {
  test.setTimeout(180_000);
  const server = Server.create();
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  try {
    const { address, project, pages } = await fill(server);
    // A sign-in by a browser that calls itself so.
    const other = await browser.newContext({ userAgent: ALL, javaScriptEnabled: false, storageState: { cookies: [], origins: [] } });
    const elsewhere = await other.newPage();
    await signIn(elsewhere, address);
    await other.close();
    await signIn(page, address);
    for (const [n, name] of PAYLOADS.entries()) {
      const wish = { name: name.slice(0, 80), shared: n % 2 === 0, query: `path=${encodeURIComponent(name)}` };
      const saved = await page.request.post(`${address}/api/save_view`, { headers: { origin: address }, data: { project, tab: "logs", wish } });
      expect(saved.status(), await saved.text()).toBe(200);
      pages.push(`logs?view=${await saved.json()}`);
    }
    // What people without an account see of it.
    const all = await page.request.post(`${address}/api/save_view`, { data: { project, tab: "logs", wish: { name: ALL.slice(0, 80), shared: true, query: `columns=${COLUMNS}` } } });
    const wish = { name: ALL.slice(0, 80), view: await all.json(), bodies: true, users: true, origins: [], days: 1 };
    const made = await page.request.post(`${address}/api/create_embed`, { data: { project, wish } });
    expect(made.status(), await made.text()).toBe(200);
    const embeds = await (await page.request.get(`${address}/api/embeds?project=${project}&query=`)).json();
    const link: string = embeds.embeds[0].link;
    const find = encodeURIComponent(ALL.slice(0, 80));
    const lists = ["logs", "logs?origin=self", `logs?q=${find}&from=-24h`, `logs?channel=${find}&endpoint=${find}&user=${find}`, "tasks", "exports", "sendouts", `tasks?type=${find}`];
    const settings = ["project", "members", "keys", "webhooks", "embedding"].map((name) => `settings/${name}`);
    for (const path of [...lists, ...settings, ...pages]) {
      await page.goto(`${address}/projects/${project}/${path}`);
      await alive(page);
      await harmless(page, path);
    }
    for (const log of ["", ...[...PAYLOADS, ALL].map((_, n) => `?log=xss-${n}`)]) {
      expect((await page.goto(link + log))?.status(), log).toBe(200);
      await harmless(page, `the embedded view${log}`);
    }
    for (const path of ["/account", `/sign-in?error=${find}&next=${find}&email=${find}`, `/invite?token=${find}&problem=${find}`, `/account?done=${find}&problem=${find}`, `/${find}`]) {
      await page.goto(`${address}${path}`);
      await harmless(page, path);
    }
    expect(dialogs).toEqual([]);
  } finally {
    await server.remove();
  }
});
