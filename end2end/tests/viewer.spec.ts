import { FAILED, send } from "../support/data";
import { type Page } from "@playwright/test";
import { checkAccessibility, expect, open, test } from "../support/test";

const pane = (page: Page, name: "Request" | "Response") => page.getByRole("region", { name, exact: true });
const lines = (page: Page, name: "Request" | "Response") => pane(page, name).locator(".json-row");

test("JSON is folded, searched, copied and turned raw", async ({ page, at, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, at("logs/failed-redemption"));
  const response = pane(page, "Response");
  const request = pane(page, "Request");
  await expect(request).toContainText("customer-needle-77");
  await expect(response).toContainText("Cannot find voucher");

  await request.locator(".json-scroll").hover();
  await request.getByRole("button", { name: "Collapse all" }).click();
  await expect(request).not.toContainText("customer-needle-77");
  await request.getByRole("button", { name: "Expand all" }).click();
  await expect(request).toContainText("customer-needle-77");

  await request.getByRole("searchbox").fill("NEEDLE");
  await expect(request.locator("mark")).toHaveCount(1);
  await request.getByRole("searchbox").fill("nowhere at all");
  await expect(request.getByText("No match")).toBeVisible();

  const row = lines(page, "Request").filter({ hasText: "customer-needle-77" });
  await row.hover();
  await row.getByRole("button", { name: "Copy path" }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/customer.*source_id/);
  await row.hover();
  await row.getByRole("button", { name: "Copy value" }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("customer-needle-77");

  await response.getByRole("button", { name: "Raw" }).click();
  await expect(response).toContainText('"key":"voucher_not_found"');
  await checkAccessibility(page);
});

/** Where the current match is within what can be seen of the body: the least distance to an edge, above, below and beside it. */
const distances = (page: Page) =>
  page.evaluate(() => {
    const mark = document.querySelector("mark.here")?.getBoundingClientRect();
    const view = document.querySelector("section:nth-of-type(2) .json-scroll")!.getBoundingClientRect();
    if (!mark) return undefined;
    const block = Math.min(mark.top - view.top, Math.min(view.bottom, innerHeight) - mark.bottom);
    return { block, inline: Math.min(mark.left - view.left, view.right - mark.right) };
  });

for (const [items, what] of [[60, "all in the page"], [1_500, "only some in the page"]] as const) {
  for (const wraps of [false, true]) {
    test(`a match is brought into sight, ${what}, ${wraps ? "wrapped" : "unwrapped"}`, async ({ page, at, facts }) => {
      const id = `matches-${items}-${wraps}`;
      const rows = Array.from({ length: items }, (_, n) => ({ id: n, note: `${"long ".repeat(50)}${n % 7 === 3 ? "needle" : "thread"} ${n}` }));
      // Long ago: other tests count what is recent.
      const created_at = new Date(Date.now() - 10 * 86_400_000).toISOString();
      const response = { headers: { "content-type": "application/json" }, body: { rows } };
      await send(facts, JSON.stringify({ id, created_at, method: "GET", url: "https://api.example.com/v1/matches", status_code: 200, response }));
      await open(page, at(`logs/${id}`));
      const body = pane(page, "Response");
      await body.locator(".json-scroll").hover();
      if (wraps) await body.getByRole("button", { name: "Wrap" }).click();
      await body.getByRole("searchbox").fill("needle");
      const total = Math.floor((items + 3) / 7);
      for (let match = 1; match <= 9; match += 1) {
        const number = match > 7 ? total - (match - 8) : match;
        await expect(body.locator(".json-count")).toHaveText(`${number.toLocaleString("en")} of ${total.toLocaleString("en")}`);
        await expect.poll(async () => (await distances(page))?.block).toBeGreaterThan(20);
        expect((await distances(page))?.inline, `match ${number}`).toBeGreaterThan(10);
        // To the seventh, then back past the first to the last.
        if (match < 7) await body.getByRole("button", { name: "Next match" }).click();
        if (match === 7) for (let back = 0; back < 7; back += 1) await body.getByRole("button", { name: "Previous match" }).click();
        if (match === 8) await body.getByRole("button", { name: "Previous match" }).click();
      }
    });
  }
}

test("wrapped lines are of one height, with and without an arrow", async ({ page, at }) => {
  await open(page, at("logs/failed-redemption"));
  const request = pane(page, "Request");
  await request.getByRole("button", { name: "Wrap" }).click();
  // The lines are measured anew first.
  const heights = () => lines(page, "Request").evaluateAll((rows) => [...new Set(rows.map((row) => row.getBoundingClientRect().height))]);
  await expect.poll(heights).toEqual([20]);
});

test("headers, query and facts are there; secrets are not", async ({ page, at, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, at("logs/failed-redemption"));
  const main = page.getByRole("main");
  for (const fact of [FAILED.user_email, FAILED.ip, FAILED.channel, FAILED.request_id, "812 ms", FAILED.url]) {
    await expect(main).toContainText(fact);
  }
  const request = pane(page, "Request");
  await request.getByRole("link", { name: /^Headers/ }).click();
  await expect(request).toContainText("authorization");
  await expect(request).toContainText("masked");
  await request.getByRole("link", { name: /^Query/ }).click();
  await expect(request).toContainText("dry_run");
  await page.getByRole("button", { name: "Copy as cURL" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("curl");
  await dialog.getByRole("button", { name: "Copy", exact: true }).click();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  expect(command).toContain(FAILED.url);
  expect(command).toContain("customer-needle-77");
  expect(command).not.toContain("very-secret-token");
  expect(await page.content()).not.toContain("very-secret-token");
});

test("text, forms, tables and bytes are shown for what they are", async ({ page, at }) => {
  await open(page, at("logs/broken-server"));
  await expect(pane(page, "Response")).toContainText("no healthy host");
  await open(page, at("logs/form-and-base64"));
  await expect(pane(page, "Request")).toContainText("Tea & Biscuits");
  await expect(pane(page, "Response")).toContainText("00 01 02 03");
  await open(page, at("logs/table-of-text"));
  await expect(pane(page, "Response").getByRole("cell", { name: "2026-01-02" })).toBeVisible();
});

test("previous and next keep to the list's filters", async ({ page, at }) => {
  await open(page, at("logs?status=FAILURE"));
  await page.locator("table.logs tbody tr td.c-id a").first().click();
  await expect(page).toHaveURL(/logs\/failed-redemption\?status=FAILURE/);
  // The way that leads nowhere is in sight, and no hole.
  await expect(page.getByRole("link", { name: "Previous", exact: true, disabled: true })).toBeVisible();
  await page.getByRole("link", { name: "Next", exact: true }).click();
  await expect(page).toHaveURL(/logs\/broken-server\?status=FAILURE/);
  await page.getByRole("link", { name: "Previous", exact: true }).click();
  await expect(page).toHaveURL(/logs\/failed-redemption\?status=FAILURE/);
});

test("leaving a log while its rows are drawn breaks nothing", async ({ page, at }) => {
  await open(page, at("logs/failed-redemption?status=FAILURE"));
  // Rows are clicked in each frame, so that one is drawn anew just when the page goes.
  await page.evaluate(() => {
    const click = () => {
      document.querySelectorAll<HTMLElement>(".json-row").forEach((row) => row.click());
      requestAnimationFrame(click);
    };
    click();
  });
  for (let round = 0; round < 3; round += 1) {
    await page.getByRole("link", { name: "Next", exact: true }).click();
    await expect(page).toHaveURL(/logs\/broken-server\?status=FAILURE/);
    await page.getByRole("link", { name: "Previous", exact: true }).click();
    await expect(page).toHaveURL(/logs\/failed-redemption\?status=FAILURE/);
  }
});

test("a log that is not there is said to be missing", async ({ page, at }) => {
  await open(page, at("logs/no-such-log"), 404);
  await expect(page.getByRole("heading", { name: "There is no such log" })).toBeVisible();
});
