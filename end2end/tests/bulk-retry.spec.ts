import { call, Receiver } from "../support/receiver";
import { AUDITOR, type Facts } from "../support/data";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

const SENDOUTS = 40;

/** So many sendouts of a type of their own, all taken by the receiver. */
async function taken(facts: Facts, receiver: Receiver, type: string): Promise<void> {
  await call(facts, "POST", "webhooks", { target_url: receiver.url, events: [type] });
  for (let n = 0; n < SENDOUTS; n += 1) await call(facts, "POST", "events", { type, data: { n } });
  await expect.poll(async () => (await call(facts, "GET", `webhook-sendouts?type=${type}&status=SUCCEEDED&limit=100`)).data.length).toBe(SENDOUTS);
}

const stillDue = async (facts: Facts, type: string): Promise<number> => {
  const { data } = await call(facts, "GET", `webhook-sendouts?type=${type}&limit=100`);
  return data.filter((row: { next_attempt_at: string | null }) => row.next_attempt_at !== null).length;
};

test("all that match are sent again at a pace, stopped half-way, and taken up again", async ({ page, at, facts }) => {
  const receiver = await Receiver.start();
  try {
    const type = `bulk.stopped-${Date.now()}`;
    await taken(facts, receiver, type);
    await open(page, at(`sendouts?type=${type}`));
    await page.getByRole("button", { name: "Retry all that match" }).click();
    const dialog = page.getByRole("dialog", { name: "Retry all that match" });
    await expect(dialog).toContainText(type);
    await expect(dialog.getByRole("definition").filter({ hasText: `${SENDOUTS}, as of` })).toBeVisible();
    await expect(dialog).toContainText("All of them have succeeded");
    // What comes after it was counted is not sent again.
    await call(facts, "POST", "events", { type, data: "later" });
    await dialog.getByLabel("Sendouts per second").fill("4");
    await expect(dialog).toContainText("About 10 s at this pace");
    await dialog.getByRole("button", { name: `Retry ${SENDOUTS} sendouts` }).click();
    const follow = dialog.getByRole("link", { name: "Follow the task" });
    await expect(follow).toBeFocused();
    await follow.click();
    await expect(page).toHaveURL(/\/tasks\/aa_/);
    await expect(page.getByRole("definition").filter({ hasText: `${SENDOUTS}, as of` })).toBeVisible();
    await expect(page.getByRole("definition").filter({ hasText: "4 a second at most" })).toBeVisible();
    const json = page.getByRole("group", { name: "Parameters", exact: true });
    await expect(json).toBeHidden();
    await page.getByText("As JSON", { exact: true }).click();
    await expect(json).toContainText("per_second");
    const bar = page.getByRole("progressbar");
    await expect.poll(async () => Number(await bar.getAttribute("value"))).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Stop it" }).click();
    await expect(page.getByText("Failed", { exact: true }).first()).toBeVisible();
    await expect(page.getByRole("main")).toContainText("Cancelled by ada@example.com");
    const got = Number(await bar.getAttribute("value"));
    expect(got).toBeGreaterThan(0);
    expect(got).toBeLessThan(99);
    // What was due at that moment arrives; the rest stays as it was.
    await expect.poll(() => stillDue(facts, type)).toBe(0);
    const rows = (await call(facts, "GET", `webhook-sendouts?type=${type}&limit=100`)).data as { attempts_count: number }[];
    const again = rows.filter((row) => row.attempts_count === 2).length;
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThan(SENDOUTS);
    expect(receiver.ids).toHaveLength(SENDOUTS + 1 + again);

    await page.getByRole("button", { name: "Retry" }).click();
    await expect(page.getByText("Done", { exact: true }).first()).toBeVisible({ timeout: 30_000 });
    await expect(page.getByRole("main")).toContainText(`${SENDOUTS} sendouts were sent again`);
    await expect.poll(() => receiver.ids.length).toBe(2 * SENDOUTS + 1);
    const times = new Map<string, number>();
    for (const id of receiver.ids) times.set(id, (times.get(id) ?? 0) + 1);
    expect([...times.values()].filter((count) => count === 2)).toHaveLength(SENDOUTS);
    expect([...times.values()].filter((count) => count === 1)).toHaveLength(1);
  } finally {
    receiver.stop();
  }
});

test("the dialog says when there is nothing, closes on Escape, and gives the focus back", async ({ page, at }) => {
  await open(page, at("sendouts?type=never.sent"));
  const button = page.getByRole("button", { name: "Retry all that match" });
  await button.click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("There is nothing to send again");
  await expect(dialog.getByRole("button", { name: /^Retry/ })).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
});

test("the dialog is free of what axe finds, and fits 360 px", async ({ page, at }) => {
  await open(page, at("sendouts"));
  await page.getByRole("button", { name: "Retry all that match" }).click();
  await expect(page.getByRole("dialog")).toContainText("as of");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await checkAccessibility(page);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await checkWidth(page);
  const box = await page.getByRole("dialog").boundingBox();
  expect(box!.x).toBeGreaterThanOrEqual(0);
  expect(box!.x + box!.width).toBeLessThanOrEqual(360);
});

test.describe("an auditor", () => {
  test.use({ person: AUDITOR });

  test("is not offered to send sendouts again", async ({ page, at }) => {
    await open(page, at("sendouts"));
    await expect(page.getByRole("button", { name: "Refresh" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Retry all that match" })).toHaveCount(0);
  });
});
