import { type Locator } from "@playwright/test";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

const pages: Record<string, string> = {
  "the list of logs": "logs",
  "the list with filters": "logs?status=FAILURE&channel=API,WEBSITE&path=/v1&from=-7d",
  "an empty list": "logs?q=there-is-no-such-text",
  "an address that makes no sense": "logs?code=banana",
  "a log": "logs/failed-redemption",
};

const status = (path: string) => (path.includes("banana") ? 400 : 200);

for (const [name, path] of Object.entries(pages)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing on ${name}, ${colorScheme}`, async ({ page, at }) => {
      await page.emulateMedia({ colorScheme });
      await open(page, at(path), status(path));
      await checkAccessibility(page);
    });
  }
  test(`${name} fits 360 px and a 4K screen`, async ({ page, at }) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open(page, at(path), status(path));
    await checkWidth(page);
    await checkAccessibility(page);
    await page.setViewportSize({ width: 3840, height: 2160 });
    await checkWidth(page);
  });
}

test("dialogs and menus pass axe as well", async ({ page, at }) => {
  await open(page, at("logs"));
  for (const name of [/^\+ Filter/, "Columns", "Keys and help", /^Time range/, /^Time zone/, /^Account/, "Views"]) {
    await page.getByRole("button", { name }).click();
    await expect(page.locator(":popover-open").first()).toBeVisible();
    await checkAccessibility(page);
    await page.keyboard.press("Escape");
    await expect(page.locator(":popover-open")).toHaveCount(0);
  }
});

test.describe("on a telephone", () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  /** What is there to be touched and lower or narrower than a finger. */
  const tooSmall = (targets: Locator) =>
    targets.evaluateAll((elements) =>
      elements
        .map((element) => ({ element, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && (box.height < 40 || box.width < 40))
        .map(({ element, box }) => `${element.outerHTML.slice(0, 80)} ${box.width} × ${box.height}`),
    );

  test("what is touched in the list is as large as a finger", async ({ page, at }) => {
    await open(page, at("logs?status=FAILURE&columns=time,status,user,request_id"));
    expect(await tooSmall(page.locator("main").locator(":is(button, select):visible, td.c-id > a, .chip > a"))).toEqual([]);
    await page.setViewportSize({ width: 1024, height: 768 });
    expect(await tooSmall(page.locator("main").locator(":is(button, select):visible, td.c-id > a, .chip > a"))).toEqual([]);
  });

  test("what is touched on a log's page is as large as a finger", async ({ page, at }) => {
    await open(page, at("logs/failed-redemption?status=FAILURE"));
    await page.locator(".json-scroll").first().tap();
    expect(await tooSmall(page.locator("main").locator("button:visible, .log-facts a, .log-ways a, .pane-head a"))).toEqual([]);
    await expect(page.locator(".json-fold").first()).toBeVisible();
  });

  test("the list says its range and its columns are chosen", async ({ page, at }) => {
    await open(page, at("logs?from=-7d"));
    await expect(page.getByRole("button", { name: /^Filters/ })).toContainText("Last 7 days");
    await expect(page.locator("td.c-user").first()).toBeHidden();
    await page.getByRole("button", { name: "Columns" }).click();
    const dialog = page.getByRole("dialog", { name: "Columns" });
    await dialog.getByLabel("Request ID").check();
    await dialog.getByRole("button", { name: "Show these" }).click();
    await expect(page.locator("td.c-id-like").first()).toBeVisible();
    await expect(page.locator("td.c-user", { hasText: "ada@" }).first()).toBeVisible();
    await checkWidth(page);
  });

  test("the sheet of filters cuts nothing, and its bar reaches the bottom", async ({ page, at }) => {
    await open(page, at("logs"));
    await page.getByRole("button", { name: /^Filters/ }).click();
    const cut = await page.locator("#filters label:visible").evaluateAll((labels) =>
      labels.filter((label) => label.scrollWidth > label.clientWidth).map((label) => label.textContent),
    );
    expect(cut).toEqual([]);
    const bar = (await page.locator("#filters > .actions").boundingBox())!;
    expect([bar.x, bar.width, bar.y + bar.height]).toEqual([0, 360, 740]);
    await checkAccessibility(page);
  });

  test("the tabs of a body keep their figures", async ({ page, at }) => {
    await open(page, at("logs/failed-redemption"));
    for (const name of ["Request", "Response"]) {
      const pane = page.getByRole("region", { name, exact: true });
      const right = await pane.locator(".pane-tabs .figure").evaluateAll((figures) => figures.map((figure) => figure.getBoundingClientRect().right));
      expect(Math.max(...right), name).toBeLessThanOrEqual(360);
    }
  });
});
