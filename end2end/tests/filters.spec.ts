import { FAILED } from "../support/data";
import { expect, open, test } from "../support/test";

const rows = "table.logs tbody tr";

/** Each filter: its label, its argument, a value, how many of the logs have it (none where that grows while tests run), and whether its control is behind *+ Filter*. */
const filters: { label: string; argument: string; value: string; count?: number; more?: boolean; choice?: boolean }[] = [
  { label: "Find anywhere", argument: "q", value: "customer-NEEDLE-77", count: 1 },
  { label: "Status", argument: "status", value: "FAILURE", count: 2, choice: true },
  { label: "Status code", argument: "code", value: "404", count: 1 },
  { label: "Method", argument: "method", value: "DELETE", count: 1, choice: true },
  { label: "Endpoint", argument: "endpoint", value: "POST_v1_vouchers_{id}_redemption", count: 1 },
  { label: "Path contains", argument: "path", value: "/v1/vou", count: 1, more: true },
  { label: "Channel", argument: "channel", value: "WEBSITE", count: 1, choice: true },
  { label: "User", argument: "user", value: "grace@example.com", count: 1, more: true },
  { label: "Server-side API key", argument: "app_id", value: "Checkout service", count: 1, more: true },
  { label: "Client-side API key", argument: "client_app_id", value: "Checkout widget", count: 1, more: true },
  { label: "Request ID", argument: "request_id", value: "req-failed-1", count: 1, more: true },
  { label: "Log ID", argument: "id", value: "failed-redemption", count: 1, more: true },
  { label: "Resource", argument: "resource", value: "voucher:v_summer24", count: 1, more: true },
  { label: "Request body contains", argument: "request_body", value: "customer-needle", count: 1, more: true },
  { label: "Response body contains", argument: "response_body", value: "Cannot find voucher", count: 1, more: true },
  { label: "Slower than", argument: "slower", value: "800", count: 1, more: true },
  { label: "IP", argument: "ip", value: "203.0.113.7", count: 1, more: true },
  { label: "Origin", argument: "origin", value: "self", more: true, choice: true },
];

for (const { label, argument, value, count, more, choice } of filters) {
  test(`${label} narrows the list, stays through refresh and back, and can be cleared`, async ({ page, at }) => {
    const narrowed = async () => {
      if (count !== undefined) return expect(page.locator(rows)).toHaveCount(count);
      await expect(page.locator(rows).filter({ hasText: "/v1/customers" })).toHaveCount(0);
      await expect(page.locator(rows).first()).toBeVisible();
    };
    await open(page, at("logs"));
    await expect(page.locator(rows)).toHaveCount(50);
    if (more) await page.getByRole("button", { name: /^\+ Filter/ }).click();
    const control = page.locator("#filters").getByLabel(label, { exact: true });
    if (choice) {
      await control.selectOption(value);
      // What lies behind the button is applied together.
      if (more) await page.getByRole("button", { name: "Apply", exact: true }).click();
    } else {
      await control.fill(value);
      await control.press("Enter");
    }
    await narrowed();
    const address = new URL(page.url());
    expect(address.searchParams.get(argument)).toBe(value);
    expect([...address.searchParams.keys()], "nothing else in the address").toEqual([argument]);

    await page.reload();
    await narrowed();
    await expect(control).toHaveValue(value);
    const chip = page.getByRole("list", { name: "Filters that are set" }).getByRole("link", { name: new RegExp(`^Remove ${label}`) });
    await expect(chip).toBeVisible();

    await page.goBack();
    await expect(page.locator(rows)).toHaveCount(50);
    await page.goForward();
    await narrowed();
    await chip.click();
    await expect(page.locator(rows)).toHaveCount(50);
    expect(new URL(page.url()).search).toBe("");
  });
}

test("filters are combined, negated, counted and cleared at once", async ({ page, at }) => {
  await open(page, at("logs?status=FAILURE&channel=!WEBSITE&code=5xx"));
  await expect(page.locator(rows)).toHaveCount(1);
  await expect(page.locator(rows)).toContainText("503");
  await expect(page.getByText("3 filters")).toBeVisible();
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await expect(page.locator(rows)).toHaveCount(50);
});

test("what this service did itself is shown when asked for", async ({ page, at }) => {
  await open(page, at("logs?origin=self"));
  await expect(page.locator(rows).first()).toBeVisible();
  await expect(page.locator(rows).filter({ hasText: "/v1/customers" })).toHaveCount(0);
});

test("the number of logs stands behind each choice", async ({ page, at }) => {
  await open(page, at("logs"));
  await expect(page.getByLabel("Status", { exact: true }).locator("option[value=FAILURE]")).toHaveText("Failure (2)");
  await expect(page.getByLabel("Channel", { exact: true }).locator("option[value=WEBSITE]")).toHaveText("WEBSITE (1)");
  // Beside another filter they would be the numbers of other logs than the list's.
  await page.getByLabel("Status", { exact: true }).selectOption("FAILURE");
  await expect(page).toHaveURL(/status=FAILURE/);
  await expect(page.getByLabel("Channel", { exact: true }).locator("option[value=WEBSITE]")).toHaveText("WEBSITE");
  await expect(page.getByLabel("Status", { exact: true }).locator("option[value=SUCCESS]")).toHaveText(/^Success \(\d/);
});

test("a time range is a preset or two times, and a link shows it to another person", async ({ page, at, browser, facts }) => {
  await open(page, at("logs"));
  await page.getByRole("button", { name: /^Time range/ }).click();
  await page.getByRole("link", { name: "Last 15 minutes" }).click();
  await expect(page).toHaveURL(/from=-15m/);
  await expect.poll(() => page.locator(rows).count()).toBeLessThan(15);

  const from = new Date(Date.parse(facts.failedAt) - 5_000).toISOString();
  const to = new Date(Date.parse(facts.failedAt) + 5_000).toISOString();
  await open(page, at(`logs?from=${from}&to=${to}`));
  await expect(page.locator(rows)).toHaveCount(1);
  const other = await browser.newContext({ storageState: await page.context().storageState(), timezoneId: "Asia/Tokyo" });
  const there = await other.newPage();
  await there.goto(page.url());
  await expect(there.locator(rows)).toHaveCount(1);
  await other.close();
});

test("a range of one's own is set with its controls, and stays through refresh and back", async ({ page, at, facts }) => {
  const minute = Math.floor(Date.parse(facts.failedAt) / 60_000) * 60_000;
  const control = (time: number) => new Date(time).toISOString().slice(0, 16);
  await open(page, at("logs?status=FAILURE&tz=UTC"));
  await expect(page.locator(rows)).toHaveCount(2);
  await page.getByRole("button", { name: /^Time range/ }).click();
  const range = page.locator("#range");
  await range.getByLabel("From", { exact: true }).fill(control(minute));
  await range.getByLabel("To", { exact: true }).fill(control(minute + 60_000));
  await range.getByRole("button", { name: "Use this range" }).click();
  await expect(page.locator(rows)).toHaveCount(1);
  await expect(page).toHaveURL(/from=20\d\d-.*&to=20\d\d-/);

  await page.reload();
  await expect(page.locator(rows)).toHaveCount(1);
  await page.goBack();
  await expect(page.locator(rows)).toHaveCount(2);
  await page.goForward();
  await expect(page.locator(rows)).toHaveCount(1);
});

test("the absolute link leads to the same log, whenever and wherever it is opened", async ({ page, at, browser, facts }) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: facts.address });
  await open(page, at("logs?status=FAILURE&code=404&from=-1h&tz=Asia/Tokyo"));
  await expect(page.locator(rows)).toHaveCount(1);
  await page.getByRole("button", { name: /^Time range/ }).click();
  await page.locator("#range").getByRole("button", { name: "Copy absolute link" }).click();
  await expect(page.locator("#announce")).toHaveText("Copied");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const asked = new URL(link).searchParams;
  for (const end of ["from", "to"]) expect(asked.get(end), end).toMatch(/^20\d\d-.*Z$/);
  expect(Date.parse(asked.get("to")!) - Date.parse(asked.get("from")!)).toBe(3_600_000);

  const other = await browser.newContext({ storageState: await page.context().storageState(), timezoneId: "America/New_York" });
  const there = await other.newPage();
  await there.goto(link);
  await expect(there.locator(rows)).toHaveCount(1);
  await there.locator(`${rows} a`).first().click();
  await expect(there).toHaveURL(new RegExp(`/logs/${FAILED.id}`));
  await expect(there.getByRole("heading", { level: 1 })).toContainText("SUMMER-24");
  await other.close();
});

test("a range in a zone whose clocks change in between has each end's own offset", async ({ page, at }) => {
  await open(page, at("logs?tz=Europe/Berlin"));
  await page.getByRole("button", { name: /^Time range/ }).click();
  const range = page.locator("#range");
  await range.getByLabel("From", { exact: true }).fill("2026-10-24T12:00");
  await range.getByLabel("To", { exact: true }).fill("2026-10-26T12:00");
  await range.getByRole("button", { name: "Use this range" }).click();
  await expect(page).toHaveURL(/from=2026-10-24T12:00:00%2B02:00&to=2026-10-26T12:00:00%2B01:00/);
  await expect(range.getByText("From, up to, in Europe/Berlin")).toBeAttached();
});

test("the tabs keep the zone", async ({ page, at }) => {
  await open(page, at("logs?tz=Asia/Tokyo&status=FAILURE"));
  for (const tab of ["Background tasks", "Exports", "Webhook sendouts", "Logs"]) {
    await page.getByRole("navigation", { name: "Project" }).getByRole("link", { name: tab }).click();
    await expect(page).toHaveURL(/\?tz=Asia(%2F|\/)Tokyo$/);
    await expect(page.getByRole("button", { name: /Time zone/ })).toContainText("Tokyo");
  }
});

test.describe("a project that is not there", () => {
  test("has no filters, and is not asked after once more", async ({ page, facts }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    for (const tab of ["logs", "tasks"]) {
      await open(page, `${facts.address}/projects/prj_nothing/${tab}`, 404);
      await expect(page.getByRole("alert")).toContainText("There is no such page");
      await expect(page.locator("form.filters")).toHaveCount(0);
    }
    // What the frame asks of a project it asks once it is awake.
    expect(asked.filter((path) => path === "/api/notices")).toEqual([]);
  });
});

test("dragging over the histogram zooms in", async ({ page, at }) => {
  await open(page, at("logs?from=-1h"));
  const chart = (await page.locator("figure.chart .bars").boundingBox())!;
  await page.mouse.move(chart.x + chart.width * 0.25, chart.y + 30);
  await page.mouse.down();
  await page.mouse.move(chart.x + chart.width * 0.5, chart.y + 30, { steps: 5 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=20\d\d-.*&to=20\d\d-/);
  await expect(page.locator(rows).first()).toBeVisible();
  expect(await page.locator(rows).count()).toBeLessThan(25);
});

test("times are shown in the zone that was chosen, and the choice is in the address", async ({ page, at, facts }) => {
  const cell = page.locator(`${rows} time`).first();
  await open(page, at(`logs?id=${FAILED.id}`));
  await expect(cell).toHaveAttribute("datetime", facts.failedAt);
  await expect(cell).toContainText(facts.failedAt.slice(11, 19));
  await open(page, at(`logs?id=${FAILED.id}&tz=Asia/Tokyo`));
  const there = new Date(Date.parse(facts.failedAt) + 9 * 3_600_000).toISOString();
  await expect(cell).toContainText(there.slice(11, 19));
  await expect(cell).toHaveAttribute("datetime", facts.failedAt);
});

test("columns are chosen, and the choice is in the address", async ({ page, at }) => {
  await open(page, at("logs"));
  await page.getByRole("button", { name: "Columns" }).click();
  const dialog = page.getByRole("dialog", { name: "Columns" });
  await dialog.getByLabel("Request ID").check();
  await dialog.getByRole("button", { name: "Show these" }).click();
  await expect(page.getByRole("columnheader", { name: "Request ID" })).toBeVisible();
  await expect(page).toHaveURL(/columns=/);
  await page.reload();
  await expect(page.getByRole("columnheader", { name: "Request ID" })).toBeVisible();
});

test("an argument that makes no sense is explained, with a way out", async ({ page, at }) => {
  await open(page, at("logs?code=banana"), 400);
  await expect(page.getByRole("alert")).toContainText("code");
  await page.getByRole("link", { name: "Clear the address" }).click();
  await expect(page.locator(rows)).toHaveCount(50);
});

test("nothing found, and nothing there yet, each say what to do", async ({ page, at, facts }) => {
  await open(page, at("logs?q=there-is-no-such-text"));
  await expect(page.getByRole("heading", { name: "No log in this range matches" })).toBeVisible();
  await page.getByRole("link", { name: "Without it" }).click();
  await expect(page.locator(rows)).toHaveCount(50);
  await open(page, `${facts.address}/projects/${facts.empty}/logs`);
  await expect(page.getByText("audit-log key add")).toBeVisible();
});
