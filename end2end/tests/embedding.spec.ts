import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { type Page } from "@playwright/test";
import { AUDITOR, type Facts } from "../support/data";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

const rows = "table.logs tbody tr";
const ENDED = "This link is not valid or has ended";

/** What a page's own call answers. */
async function ask<Answer>(page: Page, facts: Facts, name: string, data: Record<string, unknown>): Promise<Answer> {
  const answer = await page.request.post(`${facts.address}/api/${name}`, { data: { project: facts.project, ...data } });
  expect(answer.status(), await answer.text()).toBe(200);
  return (await answer.json()) as Answer;
}

/** The id of a shared view of the Logs tab. */
const share = (page: Page, facts: Facts, name: string, query: string) => ask<string>(page, facts, "save_view", { tab: "logs", wish: { name, shared: true, query } });

interface Embed {
  id: string;
  link: string;
}

/** Embeds a view. */
async function embed(page: Page, facts: Facts, view: string, wish: Record<string, unknown>): Promise<Embed> {
  const whole = { name: "Board", view, bodies: false, users: false, origins: [], days: 30, ...wish };
  const id = await ask<string>(page, facts, "create_embed", { wish: whole });
  const answer = await page.request.get(`${facts.address}/api/embeds?project=${facts.project}&query=`);
  const all = ((await answer.json()) as { embeds: Embed[] }).embeds;
  return all.find((one) => one.id === id)!;
}

/** Leaves nothing behind for the next test: takes away what was embedded, then the views. */
async function remove(page: Page, facts: Facts, embeds: Embed[], views: string[]): Promise<void> {
  const send = async (call: string, form: Record<string, string>) => {
    const answer = await page.request.post(`${facts.address}/api/${call}`, { form: { project: facts.project, ...form } });
    expect(answer.status(), await answer.text()).toBe(200);
  };
  for (const { id } of embeds) {
    await send("revoke_embed", { id });
    await send("delete_embed", { id });
  }
  const answer = await page.request.get(`${facts.address}/api/views?project=${facts.project}&tab=logs`);
  const all = ((await answer.json()) as { views: { id: string; changed_at: number }[] }).views;
  for (const id of views) await send("delete_view", { id, known: String(all.find((view) => view.id === id)!.changed_at) });
}

/** A page of another site that frames an address; its origin. */
async function host(frame: () => string): Promise<{ origin: string; close: () => void }> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!DOCTYPE html><html lang="en"><title>Host</title><link rel="icon" href="data:,"><h1>Host</h1><iframe src="${frame()}" title="Orders" width="600" height="400" sandbox="allow-same-origin"></iframe>`);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}

test("a view is embedded, opened without an account, and revoked", async ({ page, at, facts, browser }) => {
  const view = await share(page, facts, "Failed requests", "status=FAILURE");
  await open(page, at(`logs?view=${view}`));
  await page.getByRole("group", { name: "The view that is open" }).getByRole("link", { name: "Embed" }).click();
  await expect(page.getByRole("heading", { name: "Embedding", exact: true })).toBeVisible();
  await expect(page.getByLabel("View", { exact: true })).toHaveValue(view);
  await page.getByLabel("Name", { exact: true }).fill("Board for Acme");
  await page.getByLabel("Ends").selectOption("In 7 days");
  await page.getByRole("button", { name: "Embed view" }).click();
  await expect(page.locator("#announce")).toHaveText("The view is embedded: its link is in the list");
  const article = page.getByRole("article", { name: "Board for Acme" });
  await expect(article).toContainText("Shown until");
  await expect(article).toContainText("facts alone");
  await expect(article).toContainText("Never");
  const link = await article.getByLabel("Link").inputValue();

  const nobody = await browser.newContext({ javaScriptEnabled: false, storageState: { cookies: [], origins: [] } });
  const there = await nobody.newPage();
  expect((await there.goto(link))?.status()).toBe(200);
  await expect(there.getByRole("heading", { level: 1 })).toHaveText("Acme production / Failed requests");
  await expect(there.locator(rows)).toHaveCount(2);
  await expect(there.getByText("grace@example.com")).toHaveCount(0);
  await there.getByRole("link", { name: "failed-r…tion" }).click();
  await expect(there.getByRole("heading", { level: 1 })).toContainText("404 POST /v1/vouchers/SUMMER-24/redemption");
  await expect(there.getByText("this link does not show headers and bodies")).toBeVisible();
  await expect(there.getByText("customer-needle-77")).toHaveCount(0);
  await there.getByRole("link", { name: "Failed requests" }).click();
  await expect(there.locator(rows)).toHaveCount(2);

  await article.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("button", { name: "Revoke it" }).click();
  await expect(article).toContainText("Revoked");
  await expect(article.getByLabel("Link")).toHaveCount(0);
  expect((await there.goto(link))?.status()).toBe(404);
  await expect(there.getByRole("heading", { name: ENDED })).toBeVisible();
  await nobody.close();
  await article.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(article).toHaveCount(0);
  await remove(page, facts, [], [view]);
});

test.describe("in a frame", () => {
  // The frame that is refused says so in the console; and whoever looks into a frame without scripts, as this test does, runs one there.
  test.use({ expectedErrors: /frame-ancestors|Framing|chrome-error|Blocked script execution in '[^']*' because the document's frame is sandboxed/ });

  test("it is shown where it is named, and nowhere else", async ({ page, facts }) => {
    const view = await share(page, facts, "In a frame", "code=503");
    let framed = "about:blank";
    const [named, other] = [await host(() => framed), await host(() => framed)];
    const board = await embed(page, facts, view, { bodies: true, origins: [named.origin] });
    framed = board.link;
    await page.goto(named.origin);
    const frame = page.frameLocator("iframe");
    await expect(frame.getByRole("heading", { level: 1 })).toHaveText("Acme production / In a frame");
    await frame.getByRole("link", { name: "broken-server" }).click();
    await expect(frame.getByRole("region", { name: /^Response/ })).toContainText("no healthy host");
    await page.goto(other.origin);
    await expect(page.getByRole("heading", { name: "Host" })).toBeVisible();
    await expect(frame.getByRole("heading", { level: 1 })).toHaveCount(0);
    named.close();
    other.close();
    await remove(page, facts, [board], [view]);
  });
});

test.describe("what is shown outside", () => {
  test.use({ expectedErrors: /status of (409|422)/ });

  test("is said where its view is saved, and what cannot be framed is refused in words", async ({ page, at, facts }) => {
    const view = await share(page, facts, "Deletions", "method=DELETE");
    const board = await embed(page, facts, view, { name: "Board of deletions" });
    await open(page, at(`logs?view=${view}`));
    const line = page.getByRole("group", { name: "The view that is open" });
    await page.getByLabel("Status", { exact: true }).selectOption("FAILURE");
    await expect(line).toContainText("Saving changes what “Board of deletions” shows to people outside.");
    await line.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: "Delete it" }).click();
    await expect(line.getByRole("alert")).toContainText("“Board of deletions” shows this view to people outside");

    await open(page, at(`settings/embedding?view=${view}`));
    await page.getByLabel("Name", { exact: true }).fill("Framed anywhere");
    await page.getByLabel("Pages that may frame it").fill("https://*.example.com");
    await page.getByRole("button", { name: "Embed view" }).click();
    await expect(page.getByRole("alert")).toContainText("“https://*.example.com” is no origin");
    await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Framed anywhere");
    await remove(page, facts, [board], [view]);
  });
});

test.describe("an auditor", () => {
  test.use({ person: AUDITOR });

  test("reads the list without links", async ({ page, at }) => {
    await open(page, at("settings/embedding"));
    await expect(page.getByText("may not embed views; a member or an owner can")).toBeVisible();
    await expect(page.getByRole("button", { name: "Embed view" })).toHaveCount(0);
  });
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on embedded views, and nothing is cut, ${colorScheme}`, async ({ page, at, facts }) => {
    await page.emulateMedia({ colorScheme });
    const name = `A name that is as long as names may be, since somebody wants it so, ${colorScheme}`;
    const view = await share(page, facts, name, "status=FAILURE");
    const none = await share(page, facts, `Nothing, ${colorScheme}`, "id=none");
    const full = await embed(page, facts, view, { name, bodies: true, users: true, origins: ["https://a-rather-long-name.of-a-shop.example.com:8443"] });
    const empty = await embed(page, facts, none, { name: `Empty, ${colorScheme}` });
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: 740 });
      await open(page, at("settings/embedding"));
      await checkWidth(page);
      await checkAccessibility(page);
      for (const address of [full.link, `${full.link}?log=failed-redemption`, empty.link]) {
        expect((await page.goto(address))?.status()).toBe(200);
        await checkWidth(page);
        await checkAccessibility(page);
      }
    }
    await remove(page, facts, [full, empty], [view, none]);
  });
}
