// The list of sendouts: retried from a row, followed live, found by an endpoint's address.
import { AUDITOR, type Facts } from "../support/data";
import { call, Receiver } from "../support/receiver";
import { checkAccessibility, expect, open, test } from "../support/test";

const sent = async (facts: Facts, type: string): Promise<string> => (await call(facts, "POST", "events", { type, data: {} })).sendouts[0];

test("a row is retried from its menu, and says and shows what came of it", async ({ page, at, facts }) => {
  const receiver = await Receiver.start();
  try {
    const type = `row.taken-${Date.now()}`;
    await call(facts, "POST", "webhooks", { target_url: receiver.url, events: [type] });
    const id = await sent(facts, type);
    await expect.poll(async () => (await call(facts, "GET", `webhook-sendouts/${id}`)).status).toBe("SUCCEEDED");
    await open(page, at(`sendouts?type=${type}`));
    const row = page.locator("table.records tbody tr");
    await row.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await expect(page.getByRole("status").filter({ hasText: /is sent again$/ })).toBeVisible();
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(row.locator(".c-attempts")).toHaveText("2");
    await expect(row.getByRole("button", { name: "Actions" })).toBeFocused();
    expect(receiver.ids).toHaveLength(2);
  } finally {
    receiver.stop();
  }
});

test("a row that is sent again by itself asks first", async ({ page, at, facts }) => {
  let taken = false;
  const receiver = await Receiver.start((_, response) => {
    response.statusCode = taken ? 200 : 503;
    response.end();
  });
  try {
    const type = `row.due-${Date.now()}`;
    await call(facts, "POST", "webhooks", { target_url: receiver.url, events: [type] });
    const id = await sent(facts, type);
    await expect.poll(async () => (await call(facts, "GET", `webhook-sendouts/${id}`)).status).toBe("RETRYING");
    taken = true;
    await open(page, at(`sendouts?type=${type}`));
    await page.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Send it now, too?" });
    await expect(dialog).toContainText("sent again by itself at");
    await checkAccessibility(page);
    await dialog.getByRole("button", { name: "Send it now" }).click();
    await expect(page.locator("table.records tbody tr")).toContainText("Succeeded");
    expect(receiver.ids).toHaveLength(2);
  } finally {
    receiver.stop();
  }
});

test("what is new appears by itself, and who stands on a row stays there", async ({ page, at, facts }) => {
  const receiver = await Receiver.start();
  try {
    const type = `row.live-${Date.now()}`;
    await call(facts, "POST", "webhooks", { target_url: receiver.url, events: [type] });
    await sent(facts, type);
    await expect.poll(() => receiver.ids.length).toBe(1);
    // The page's clock goes on by our hand alone.
    await page.clock.install();
    await open(page, at(`sendouts?type=${type}`));
    const rows = page.locator("table.records tbody tr");
    await expect(rows).toHaveCount(1);
    const link = rows.first().locator("td.c-id > a");
    const href = await link.getAttribute("href");
    await link.focus();
    await sent(facts, type);
    // Whoever has the focus in a row reads it: what is new waits.
    const waits = page.getByRole("button", { name: "1 new" });
    await expect(async () => {
      await page.clock.runFor(1_000);
      await expect(waits).toBeVisible({ timeout: 500 });
    }).toPass();
    await expect(rows).toHaveCount(1);
    await expect(page.locator(`a[href="${href}"]`)).toBeFocused();
    await waits.click();
    await expect(rows).toHaveCount(2);
    const live = page.getByRole("button", { name: "Live" });
    await expect(live).toHaveAttribute("aria-pressed", "true");
    await expect(async () => {
      await page.clock.runFor(2_500);
      await expect(rows).toHaveText([/Succeeded/, /Succeeded/], { timeout: 1_000 });
    }).toPass();
    await live.click();
    await expect(live).toHaveAttribute("aria-pressed", "false");
    await sent(facts, type);
    let asked = 0;
    page.on("request", (request) => (asked += Number(/\/api\/sendouts/.test(request.url()))));
    await page.clock.runFor(60_000);
    // Whatever was asked by then has left the page before this answer comes.
    await page.evaluate(() => fetch("/health/live").then((answer) => answer.status));
    expect(asked, "nothing is asked once nobody wants it live").toBe(0);
    await expect(rows).toHaveCount(2);
    await open(page, at(`sendouts?type=${type}&order=created_at`));
    await expect(page.getByRole("button", { name: "Live" })).toHaveCount(0);
  } finally {
    receiver.stop();
  }
});

test("an endpoint is found by its address, and nothing that matches names the range", async ({ page, at, facts }) => {
  const url = `http://127.0.0.2:9/by-address-${Date.now()}`;
  const { id } = await call(facts, "POST", "webhooks", { target_url: url, events: ["by.address"], description: "Till 4" });
  await sent(facts, "by.address");
  await open(page, at("sendouts"));
  await expect(page.locator(`#f-webhook-list option[value="${url}"]`)).toHaveText("Till 4");
  await page.getByLabel("Endpoint", { exact: true }).fill(url);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/webhook=http/);
  await expect(page.locator("table.records tbody tr")).toHaveCount(1);
  await expect(page.locator(".chip-value")).toHaveText(url);
  await open(page, at(`sendouts?webhook=${id}`));
  await expect(page.locator("table.records tbody tr")).toHaveCount(1);
  await open(page, at(`sendouts?webhook=${id}&status=SUCCEEDED`));
  await expect(page.locator(".state")).toContainText("Time range: Last 24 hours");
  await expect(page.getByRole("link", { name: "Search all time" })).toHaveAttribute("href", /from=1970/);
});

test.describe("an auditor", () => {
  test.use({ person: AUDITOR });

  test("is not offered Retry in a row", async ({ page, at, facts }) => {
    await call(facts, "POST", "webhooks", { target_url: "http://127.0.0.2:9/audited", events: ["row.audited"] });
    await sent(facts, "row.audited");
    await open(page, at("sendouts?type=row.audited"));
    await page.getByRole("button", { name: "Actions" }).first().click();
    await expect(page.getByRole("link", { name: "See data" })).toBeVisible();
    await expect(page.getByText("Retry", { exact: true })).toHaveCount(0);
  });
});
