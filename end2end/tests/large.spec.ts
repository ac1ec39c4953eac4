import { type Browser, type Page } from "@playwright/test";
import { hugeBody, sendHuge } from "../support/data";
import { expect, open, test } from "../support/test";

// A trace takes snapshots of the page on the page's own thread, whose tasks are measured here.
test.use({ trace: "off", screenshot: "off" });
test.describe.configure({ timeout: 180_000 });

const pane = (page: Page) => page.getByRole("region", { name: "Response", exact: true });
const lines = (page: Page) => pane(page).locator(".json-row");

/**
 * Follows the tasks of the page's own thread from now on; gives those that took it more than 50 ms. Counted is what the thread worked:
 * on a busy machine a task of 5 ms may stand on the clock for 300 while other processes have their turn.
 */
async function watchTasks(browser: Browser, page: Page): Promise<() => Promise<number[]>> {
  await browser.startTracing(page, { categories: ["toplevel"] });
  return async () => {
    await page.waitForTimeout(200);
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
    const thread = (event: TraceEvent) => `${event.pid} ${event.tid}`;
    const own = new Set(traceEvents.filter((event) => event.args?.name === "CrRendererMain").map(thread));
    const tasks = traceEvents.filter((event) => event.name.endsWith("RunTask") && event.ph === "X" && own.has(thread(event)));
    expect(tasks.length, "tasks in the trace").toBeGreaterThan(10);
    return tasks.map((task) => (task.tdur ?? task.dur) / 1_000).filter((worked) => worked > 50);
  };
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds on the clock. */
  dur: number;
  /** Microseconds that the thread worked. */
  tdur?: number;
  args?: { name?: string };
}

test("a body of 50 MB never freezes the page", async ({ browser, page, at, facts }) => {
  await sendHuge(facts);
  await open(page, at("logs/huge-answer"));
  const longTasks = await watchTasks(browser, page);
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

test("9,000 levels are folded and unfolded", async ({ browser, page, at }) => {
  await open(page, at("logs/deep-nest"));
  const longTasks = await watchTasks(browser, page);
  const response = pane(page);
  await response.locator(".json-scroll").hover();
  await response.getByRole("button", { name: "Expand all" }).click();
  await response.locator(".json-scroll").focus();
  await page.keyboard.press("End");
  await expect(response).toContainText("]");
  expect(await lines(page).count()).toBeLessThan(300);
  expect(await longTasks()).toEqual([]);
});
