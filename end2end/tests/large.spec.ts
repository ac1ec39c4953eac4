import { type Page } from "@playwright/test";
import { hugeBody, sendHuge } from "../support/data";
import { expect, open, test } from "../support/test";

// A trace takes snapshots of the page on the page's own thread, whose tasks are measured here.
test.use({ trace: "off", screenshot: "off" });
// By the clock on the wall and with no second try: that is what a person feels.
test.describe.configure({ timeout: 180_000 });

const pane = (page: Page) => page.getByRole("region", { name: "Response", exact: true });
const lines = (page: Page) => pane(page).locator(".json-row");

/** Notes every task of the page's own thread that is longer than 50 ms, from now on. */
async function watchTasks(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const tasks: number[] = [];
    Reflect.set(window, "longTasks", tasks);
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
  });
  return async () => {
    await page.evaluate(() => new Promise((done) => setTimeout(done, 200)));
    return page.evaluate(() => Reflect.get(window, "longTasks") as number[]);
  };
}

test("a body of 50 MB never freezes the page", async ({ page, at, facts }) => {
  await sendHuge(facts);
  await open(page, at("logs/huge-answer"));
  const longTasks = await watchTasks(page);
  const response = pane(page);
  const scroll = response.locator(".json-scroll");
  await scroll.hover();
  await expect(response).toContainText("v_0", { timeout: 60_000 });

  const find = response.getByRole("searchbox");
  await find.fill("the-last-needle");
  await find.press("Enter");
  await expect(response.locator("mark.here")).toBeVisible({ timeout: 60_000 });
  await scroll.focus();
  await page.keyboard.press("Home");
  await expect(response).toContainText("v_0");
  for (let turn = 0; turn < 20; turn += 1) await page.mouse.wheel(0, 4_000);
  await response.getByRole("button", { name: "Collapse all" }).click();
  await expect(lines(page)).toHaveCount(1);
  await response.getByRole("button", { name: "Expand all" }).click();
  await expect.poll(() => lines(page).count(), { timeout: 60_000 }).toBeGreaterThan(5);

  expect(await lines(page).count(), "rows outside the window are not in the document").toBeLessThan(300);
  expect(await longTasks(), "tasks of more than 50 ms on the page's own thread").toEqual([]);

  const download = await page.request.get(`${facts.address}/v1/logs/huge-answer/response`, {
    headers: { "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token },
  });
  expect((await download.body()).toString() === hugeBody(50 * 1024 * 1024), "the bytes as they were sent").toBe(true);
});

test("10,000 levels are folded and unfolded", async ({ page, at }) => {
  await open(page, at("logs/deep-nest"));
  const longTasks = await watchTasks(page);
  const response = pane(page);
  await response.locator(".json-scroll").hover();
  await response.getByRole("button", { name: "Expand all" }).click();
  await response.locator(".json-scroll").focus();
  await page.keyboard.press("End");
  await expect(response).toContainText("]");
  expect(await lines(page).count()).toBeLessThan(300);
  expect(await longTasks()).toEqual([]);
});
