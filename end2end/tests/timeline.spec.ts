import { call, Receiver } from "../support/receiver";
import { send, type Facts } from "../support/data";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

/** A log, a reported task, and an event with one sendout, all of one request; the sendout's id. */
async function story(facts: Facts, receiver: Receiver, request: string): Promise<string> {
  await send(facts, JSON.stringify({ id: `${request}-log`, method: "POST", url: "/v1/orders", status_code: 201, request_id: request }));
  await call(facts, "POST", "async-actions", { type: "ORDERS.BOOK", id: `${request}-task`, request_id: request, status: "IN_PROGRESS" });
  await call(facts, "POST", "webhooks", { target_url: receiver.url, events: [request] });
  const { sendouts } = await call(facts, "POST", "events", { type: request, data: { total: 12 }, group_id: request });
  await expect.poll(async () => (await call(facts, "GET", `webhook-sendouts/${sendouts[0]}`)).status).toBe("SUCCEEDED");
  return sendouts[0];
}

test("log, task, event, sendout and attempt tell one story, from wherever one begins", async ({ page, at, facts }) => {
  const receiver = await Receiver.start();
  try {
    const request = `story-${Date.now()}`;
    const sendout = await story(facts, receiver, request);
    await open(page, at(`logs/${request}-log`));
    const timeline = page.getByRole("region", { name: "Timeline" });
    const rows = timeline.locator("tbody tr");
    await expect(rows).toHaveCount(5);
    await expect(rows.nth(0)).toContainText("this page");
    for (const [place, words] of ["Log", "Task", "Event", "Sendout", "Attempt"].entries()) await expect(rows.nth(place)).toContainText(words);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await checkAccessibility(page);
    }

    await rows.nth(1).getByRole("link").click();
    await expect(page).toHaveURL(new RegExp(`/tasks/${request}-task`));
    await expect(rows.filter({ hasText: "this page" })).toContainText("In progress");
    // The request id leads to the story, not to a list of logs that may be empty.
    await page.getByRole("link", { name: request, exact: true }).first().click();
    await expect(page).toHaveURL(/#timeline$/);
    await rows.nth(4).getByRole("link").click();
    await expect(page).toHaveURL(new RegExp(`/sendouts/${sendout}#attempt-1$`));
    await expect(rows).toHaveCount(5);

    await page.getByRole("button", { name: "Retry" }).click();
    await expect(rows, "what happens meanwhile is told").toHaveCount(6, { timeout: 20_000 });
    await rows.nth(0).getByRole("link").click();
    await expect(page).toHaveURL(new RegExp(`/logs/${request}-log$`));
    await page.setViewportSize({ width: 360, height: 740 });
    await checkWidth(page);
  } finally {
    receiver.stop();
  }
});

test("a log of no request says that nothing can belong to it", async ({ page, at, facts }) => {
  await send(facts, JSON.stringify({ id: "alone", method: "GET", url: "/v1/alone", status_code: 200 }));
  await open(page, at("logs/alone"));
  const timeline = page.getByRole("region", { name: "Timeline" });
  await expect(timeline).toContainText("It has no request id");
  await expect(timeline.locator("tbody tr")).toHaveCount(1);
  await open(page, at("logs/failed-redemption"));
  await expect(timeline).toContainText("Nothing else has its request id, req-failed-1.");
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("the timeline is there", async ({ page, at }) => {
    await page.goto(at("logs/failed-redemption"));
    await expect(page.getByRole("region", { name: "Timeline" }).locator("tbody tr")).toHaveCount(1);
  });
});
