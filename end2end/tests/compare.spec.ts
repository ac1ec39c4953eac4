import { type Page } from "@playwright/test";
import { send } from "../support/data";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

const items = (changed: number) => Array.from({ length: 40 }, (_, n) => ({ sku: `tea-${n}`, quantity: n === changed ? 99 : 1 }));

/** Older than what other tests count. */
const LONG_AGO = 40 * 24 * 3_600_000;

/** Two logs of one endpoint, the first a success; their names. */
async function two(facts: Parameters<typeof send>[0]): Promise<[string, string]> {
  const name = `pair-${Date.now()}-${Math.floor(Math.random() * 1e6)}`;
  const log = (id: string, minutes: number, code: number, amount: number, changed: number) => ({
    id,
    created_at: new Date(Date.now() - LONG_AGO - minutes * 60_000).toISOString(),
    method: "POST",
    url: `https://api.example.com/v1/${name.replace(/\d/g, "x")}/orders?dry=1`,
    endpoint: name,
    status_code: code,
    request: { headers: { "content-type": "application/json", "x-version": String(code) }, body: { amount, items: items(changed), customer: { name: "Ada" } } },
    response: { headers: { "content-type": "text/plain" }, body: code === 200 ? "order taken\nthank you" : "order refused\nthank you" },
  });
  await send(facts, JSON.stringify([log(`${name}-a`, 4, 200, 100, 20), log(`${name}-b`, 3, 422, 250, 30)]));
  return [`${name}-a`, `${name}-b`];
}

const rows = (page: Page) => page.locator(".compare-row:not(.same)");

test("a failure is compared with the last success, from its page", async ({ page, at, facts }) => {
  const [first, second] = await two(facts);
  await open(page, at(`logs/${second}?status=FAILURE`));
  await page.getByRole("button", { name: "Compare with…" }).click();
  await checkAccessibility(page);
  await page.getByRole("link", { name: "The last success before it" }).click();
  await expect(page).toHaveURL(new RegExp(`/logs/compare\\?a=${first}&b=${second}&status=FAILURE$`));
  await expect(rows(page).filter({ hasText: '"amount"' }).locator("mark")).toHaveText(["100", "250"]);
  await expect(rows(page).filter({ hasText: "x-version" })).toContainText("422");
  await expect(rows(page).filter({ hasText: '"quantity"' })).toHaveCount(2);
  await expect(rows(page).filter({ hasText: "Ada" })).toHaveCount(0);

  // What is the same is folded, and shown where one asks for it.
  await expect(page.getByText('"tea-5"').first()).toBeHidden();
  await page.getByRole("navigation", { name: "What is shown" }).getByRole("link", { name: "Everything" }).click();
  await expect(page).toHaveURL(/show=all/);
  await expect(page.getByText('"tea-5"').first()).toBeVisible();
  // Once what the address means now has been read: until then the rows are those of before.
  const read = page.waitForResponse(/\/api\/compare_logs/);
  await page.goBack();
  await (await read).finished();
  await expect(page.getByText('"tea-5"').first()).toBeHidden();

  // By key, and by its buttons, from difference to difference.
  const standing = page.locator("#compare-at");
  const all = await page.locator("[data-difference]").count();
  expect(all).toBeGreaterThan(4);
  await page.keyboard.press("j");
  await expect(standing).toHaveText(`1 of ${all}`);
  await page.getByRole("button", { name: "Next difference" }).click();
  await expect(standing).toHaveText(`2 of ${all}`);
  await page.keyboard.press("k");
  await page.keyboard.press("k");
  await expect(standing).toHaveText(`1 of ${all}`);
  await expect(page.locator("[data-difference]").first()).toBeFocused();

  await page.getByRole("link", { name: "Swap sides" }).click();
  await expect(rows(page).filter({ hasText: '"amount"' }).locator("mark")).toHaveText(["250", "100"]);
  await page.getByRole("link", { name: first }).click();
  await expect(page).toHaveURL(new RegExp(`/logs/${first}\\?status=FAILURE$`));
});

test("any two logs are compared by their ids, and what is missing is told", async ({ page, at, facts }) => {
  const [first, second] = await two(facts);
  await open(page, at(`logs/${first}`));
  await page.getByRole("button", { name: "Compare with…" }).click();
  await page.getByLabel("Any other, by its log ID").fill(second);
  await page.locator("#compare-with").getByRole("button", { name: "Compare" }).click();
  await expect(page).toHaveURL(new RegExp(`\\?b=${first}&a=${second}$`));
  await expect(page.getByRole("heading", { name: "Two logs beside each other" })).toBeVisible();
  await open(page, at(`logs/compare?a=${first}&b=nothing`), 404);
  await expect(page.getByRole("heading", { name: "One of the two logs is not there" })).toBeVisible();
  await open(page, at(`logs/compare?b=${first}&with=success`), 409);
  await expect(page.getByRole("alert")).toContainText("no success of the same endpoint");
  await open(page, at(`logs/compare?a=${first}&b=${first}`));
  await expect(page.getByText("Nothing differs but")).toBeVisible();
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("two logs are compared and folds open", async ({ page, at, facts }) => {
    const [first, second] = await two(facts);
    await page.goto(at(`logs/${second}`));
    await page.getByRole("button", { name: "Compare with…" }).click();
    await page.getByRole("link", { name: "The one before it" }).click();
    await expect(page).toHaveURL(new RegExp(`a=${first}&b=${second}$`));
    const fold = page.locator("details.compare-fold").first();
    await fold.locator("summary").click();
    await expect(fold.locator(".compare-row").first()).toBeVisible();
  });
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on a comparison, and it fits, ${colorScheme}`, async ({ page, at, facts }) => {
    const [first, second] = await two(facts);
    await page.emulateMedia({ colorScheme });
    await open(page, at(`logs/compare?a=${first}&b=${second}`));
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: 740 });
      await checkWidth(page);
      await checkAccessibility(page);
    }
  });
}
