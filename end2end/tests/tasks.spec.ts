import { readFileSync } from "node:fs";
import { type Facts } from "../support/data";
import { checkAccessibility, checkWidth, expect, hide, open, test } from "../support/test";

const CSV = `id,method,url,status_code,created_at
in-1,GET,https://api.example.com/v1/imported/1,200,
in-2,GET,https://api.example.com/v1/imported/2,99,
in-3,POST,https://api.example.com/v1/imported/3,201,
in-4,GET,https://api.example.com/v1/imported/4,200,yesterday
`;

async function call(facts: Facts, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${facts.address}/v1/${path}`, {
    method,
    headers: { "content-type": "application/json", "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

test("a file with two bad rows is imported, and both files come back", async ({ page, at }) => {
  await open(page, at("tasks"));
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByLabel("File").setInputFiles({ name: "requests.csv", mimeType: "text/csv", buffer: Buffer.from(CSV) });
  await page.getByRole("group", { name: "Import logs" }).getByRole("button", { name: "Import" }).click();
  await expect(page).toHaveURL(/\/tasks\/aa_/);
  await expect(page.getByText("Done", { exact: true }).first()).toBeVisible();
  const failed = page.getByRole("table").filter({ hasText: "in-2" });
  await expect(failed).toContainText("99");
  await expect(failed).toContainText("in-4");
  await checkAccessibility(page);

  const [original] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download import file", exact: true }).click()]);
  expect(original.suggestedFilename()).toBe("requests.csv");
  expect(readFileSync((await original.path())!, "utf8")).toBe(CSV);
  const [rejected] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download rejected rows", exact: true }).click()]);
  const rows = readFileSync((await rejected.path())!, "utf8").trim().split("\r\n");
  expect(rows[0]).toBe("id,method,url,status_code,created_at,unreadable_record,reason");
  expect(rows.slice(1).map((row) => row.split(",")[0])).toEqual(["in-2", "in-4"]);

  await open(page, at("logs/in-3"));
  await expect(page.locator("main")).toContainText("/v1/imported/3");
});

test("a task that an application reports moves before one's eyes", async ({ page, at, facts }) => {
  const id = `aa_moving-${Date.now()}`;
  await call(facts, "POST", "async-actions", { type: "VOUCHERS.IMPORT_CSV", id, status: "IN_PROGRESS", progress: 10 });
  await open(page, at(`tasks?type=VOUCHERS.IMPORT_CSV`));
  const row = page.getByRole("row").filter({ has: page.locator(`a[href*="${id}"]`) });
  await expect(row).toContainText("10 %");
  await page.evaluate(() => Reflect.set(window, "samePage", true));
  await call(facts, "PATCH", `async-actions/${id}`, { progress: 60 });
  await expect(row).toContainText("60 %");
  await call(facts, "PATCH", `async-actions/${id}`, { status: "DONE", operation_status: "SUCCESS", result: { message: "all of it", done_count: 3 } });
  await expect(row).toContainText("Done");
  expect(await page.evaluate(() => Reflect.get(window, "samePage")), "no reload").toBe(true);
  await row.getByRole("link").first().click();
  await expect(page.getByText("all of it").first()).toBeVisible();
});

test("the list of tasks is filtered by its controls, and shared by its address", async ({ page, at, facts }) => {
  const stem = `aa_filter-${Date.now()}`;
  for (const [end, status] of [["one", "DONE"], ["two", "FAILED"]]) {
    await call(facts, "POST", "async-actions", { type: `X.${end.toUpperCase()}`, id: `${stem}-${end}`, status, request_id: stem });
  }
  await open(page, at(`tasks?request_id=${stem}`));
  const rows = page.locator("table.records tbody tr");
  await expect(rows).toHaveCount(2);
  await page.getByLabel("Status", { exact: true }).selectOption("FAILED");
  await expect(page).toHaveURL(/status=FAILED/);
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("X.TWO");
  await page.reload();
  await expect(rows).toHaveCount(1);
  await page.goBack();
  await expect(rows).toHaveCount(2);
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await checkAccessibility(page);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await checkWidth(page);
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("tasks are read, filtered and opened", async ({ page, at, facts }) => {
    const id = `aa_plain-${Date.now()}`;
    await call(facts, "POST", "async-actions", { type: "X.PLAIN", id, status: "DONE" });
    await page.goto(at("tasks?type=X.PLAIN"));
    await expect(page.locator("table.records tbody tr").first()).toContainText("Done");
    await page.locator(`a[href*="${id}"]`).first().click();
    await expect(page.getByText("X.PLAIN").first()).toBeVisible();
  });
});

test("what runs is asked after while the page is seen, and not while it is hidden", async ({ page, at, facts }) => {
  const id = `aa_hidden-${Date.now()}`;
  await call(facts, "POST", "async-actions", { type: "X.HIDDEN", id, status: "IN_PROGRESS", progress: 10 });
  // The page's clock goes on by our hand alone.
  await page.clock.install();
  await open(page, at("tasks?type=X.HIDDEN"));
  const row = page.getByRole("row").filter({ has: page.locator(`a[href*="${id}"]`) });
  await expect(row).toContainText("10 %");
  let asked = 0;
  page.on("request", (request) => (asked += Number(/\/api\/tasks/.test(request.url()))));
  const answered = () => page.waitForResponse((answer) => /\/api\/tasks/.test(answer.url()));
  // An answer may still come to what was asked before this listened.
  await expect(async () => {
    await page.clock.runFor(2_500);
    expect(asked).toBeGreaterThan(0);
  }).toPass();
  await hide(page, true);
  await call(facts, "PATCH", `async-actions/${id}`, { progress: 70 });
  asked = 0;
  await page.clock.runFor(60_000);
  // Whatever was asked by then has left the page before this answer comes.
  await page.evaluate(() => fetch("/health/live").then((answer) => answer.status));
  expect(asked, "nothing is asked while nobody looks").toBe(0);
  await expect(row).toContainText("10 %");

  await hide(page, false);
  await Promise.all([answered(), page.clock.runFor(2_500)]);
  await expect(row).toContainText("70 %");
  await call(facts, "PATCH", `async-actions/${id}`, { status: "DONE", operation_status: "SUCCESS" });
  await Promise.all([answered(), page.clock.runFor(2_500)]);
  await expect(row).toContainText("Done");
  // Live hears of what is new.
  asked = 0;
  await call(facts, "POST", "async-actions", { type: "HEARD.OF", status: "DONE", operation_status: "SUCCESS" });
  await expect(async () => {
    await page.clock.runFor(1_000);
    expect(asked).toBeGreaterThan(0);
  }).toPass();
  await page.getByRole("button", { name: "Live" }).click();
  asked = 0;
  await page.clock.runFor(60_000);
  await page.evaluate(() => fetch("/health/live").then((answer) => answer.status));
  expect(asked, "nor once nothing runs and nobody wants it live").toBe(0);
});

test("back from a task is back at the place in the list", async ({ page, at, facts }) => {
  const type = `PLACE.${Date.now()}`;
  for (let made = 0; made < 60; made++) {
    await call(facts, "POST", "async-actions", { type, status: "DONE", operation_status: "SUCCESS" });
  }
  await page.setViewportSize({ width: 1440, height: 600 });
  await open(page, at(`tasks?type=${type}&limit=25`));
  await page.getByRole("button", { name: "Older", exact: true }).click();
  await expect(page).toHaveURL(/after=/);
  const address = page.url();
  const link = page.locator("table.records tbody td.c-id > a").nth(20);
  await expect(link).toBeAttached();
  const id = (await link.getAttribute("title"))!;
  await link.scrollIntoViewIfNeeded();
  const scrolled = () => page.getByRole("region", { name: "Background tasks" }).evaluate((rows) => rows.scrollTop);
  const place = await scrolled();
  expect(place).toBeGreaterThan(200);
  for (const back of [() => page.goBack(), () => page.getByRole("main").getByRole("link", { name: "Background tasks", exact: true }).click()]) {
    await link.click();
    await expect(page.getByRole("heading", { name: type })).toBeVisible();
    await back();
    await expect(page).toHaveURL(address);
    await expect(page.locator(`table.records a[title="${id}"]`)).toBeFocused();
    expect(await scrolled()).toBe(place);
  }
  await page.getByRole("navigation", { name: "Project" }).getByRole("link", { name: "Background tasks" }).click();
  await expect(page).not.toHaveURL(/after=/);
  expect(await scrolled()).toBe(0);
});

test("a list that is left just as something moves leaves nothing behind", async ({ page, at, facts }) => {
  const type = `LEFT.${Date.now()}`;
  await call(facts, "POST", "async-actions", { type, status: "DONE", operation_status: "SUCCESS" });
  // Frames are held back, so that one that was asked for comes when the list has gone.
  await page.addInitScript(() => {
    const frames: FrameRequestCallback[] = [];
    const ask = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (frame) => (Reflect.get(window, "holdsFrames") ? frames.push(frame) : ask(frame));
    Reflect.set(window, "heldFrames", frames);
  });
  const followed = page.waitForResponse(/\/live\/.*\/records/);
  await open(page, at(`tasks?type=${type}`));
  await followed;
  const held = () => page.evaluate(() => (Reflect.get(window, "heldFrames") as unknown[]).length);
  await expect(async () => {
    await page.evaluate(() => Reflect.set(window, "holdsFrames", true));
    await call(facts, "POST", "async-actions", { type, status: "DONE", operation_status: "SUCCESS" });
    await expect.poll(held, { timeout: 2_000 }).toBeGreaterThan(0);
  }).toPass();
  await page.locator("table.records tbody td.c-id > a").first().click();
  await expect(page.getByRole("heading", { name: type })).toBeVisible();
  await page.evaluate(() => {
    for (const frame of Reflect.get(window, "heldFrames") as FrameRequestCallback[]) frame(performance.now());
  });
  await page.getByRole("main").getByRole("link", { name: "Background tasks", exact: true }).click();
  await expect(page.locator("table.records tbody tr").first()).toBeVisible();
});
