import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { call, Receiver } from "../support/receiver";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

test("an endpoint is added and tested, and its sendout says why it failed", async ({ page, at }) => {
  await open(page, at("settings/webhooks"));
  await page.getByLabel("Target URL").last().fill("http://localhost:9/hook");
  await page.getByLabel("Event types").last().fill("voucher.*");
  await page.getByRole("button", { name: /^Add/ }).click();
  const secret = page.getByLabel("Signing secret");
  await expect(secret).toHaveValue(/^whsec_/);
  await checkAccessibility(page);
  await page.getByRole("button", { name: "I have kept it" }).click();
  await expect(secret).toHaveCount(0);

  const article = page.getByRole("article").filter({ hasText: "localhost:9/hook" });
  await article.getByRole("button", { name: "Send test event" }).click();
  await page.getByRole("link", { name: /^so_/ }).click();
  await expect(page).toHaveURL(/\/sendouts\/so_/);
  await expect(page.getByText("Failed", { exact: true }).first()).toBeVisible();
  await expect(page.locator("#error")).toContainText("127.0.0.1");
  await expect(page.locator("#data")).toContainText("localhost:9");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await checkAccessibility(page);
  }

  await expect(page.locator("summary")).toHaveCount(1);
  await page.getByRole("button", { name: "Retry" }).click();
  await expect(page.locator("summary")).toHaveCount(2);
  await expect(page.locator("summary").first()).toContainText("Attempt 2, by hand");

  await open(page, at("sendouts?status=FAILED"));
  const row = page.locator("table.records tbody tr").first();
  await expect(row).toContainText("Failed");
  await row.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("link", { name: "See error" }).first().click();
  await expect(page).toHaveURL(/\/sendouts\/so_.*#error$/);
});

test("a sendout that succeeded is sent again by hand, and followed until it is answered", async ({ page, at }) => {
  const held: ServerResponse[] = [];
  let holding = false;
  const receiver = createServer((request, answer) => {
    request.resume();
    if (holding) held.push(answer);
    else answer.end("taken");
  });
  await new Promise<void>((ready) => receiver.listen(0, "127.0.0.2", ready));
  const { port } = receiver.address() as AddressInfo;
  try {
    await open(page, at("settings/webhooks"));
    await page.getByLabel("Target URL").last().fill(`http://127.0.0.2:${port}/hook`);
    await page.getByLabel("Event types").last().fill("voucher.held");
    await page.getByRole("button", { name: /^Add/ }).click();
    await page.getByRole("button", { name: "I have kept it" }).click();
    await page.getByRole("article").filter({ hasText: `:${port}/hook` }).getByRole("button", { name: "Send test event" }).click();
    await page.getByRole("link", { name: /^so_/ }).click();
    await expect(page.getByText("Succeeded", { exact: true }).first()).toBeVisible();
    await expect(page.locator("summary")).toHaveCount(1);

    holding = true;
    await page.getByRole("button", { name: "Retry" }).click();
    await expect.poll(() => held.length).toBe(1);
    await expect(page.getByText(/A retry by hand is due/)).toBeVisible();
    held[0].end("taken again");
    await expect(page.locator("summary")).toHaveCount(2);
    await expect(page.getByText(/A retry by hand is due/)).toHaveCount(0);
  } finally {
    for (const answer of held) answer.end();
    receiver.closeAllConnections();
    receiver.close();
  }
});

for (const path of ["sendouts", "sendouts?status=SUCCEEDED&type=none", "settings/webhooks"]) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing on ${path}, ${colorScheme}`, async ({ page, at }) => {
      await page.emulateMedia({ colorScheme });
      await open(page, at(path));
      await checkAccessibility(page);
    });
  }
  test(`${path} fits 360 px`, async ({ page, at }) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open(page, at(path));
    await checkWidth(page);
  });
}

test("whoever works on an endpoint keeps the focus while it changes", async ({ page, at, facts }) => {
  const receiver = await Receiver.start();
  try {
    await call(facts, "POST", "webhooks", { target_url: receiver.url, events: ["focus.kept"] });
    await open(page, at("settings/webhooks"));
    const article = page.getByRole("article").filter({ hasText: receiver.url });
    const press = async (name: string) => {
      const button = article.getByRole("button", { name, exact: true });
      await button.focus();
      await page.keyboard.press("Enter");
    };
    await press("Switch off");
    const on = article.getByRole("button", { name: "Switch on", exact: true });
    await expect(on).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(article.getByRole("button", { name: "Switch off", exact: true })).toBeFocused();

    await press("Send test event");
    await expect(article.getByRole("link", { name: /^so_/ })).toBeVisible();
    await expect(article.getByRole("button", { name: "Send test event" })).toBeFocused();

    await press("Edit");
    await article.getByLabel("Description").fill("kept");
    await article.getByRole("button", { name: "Save" }).focus();
    await page.keyboard.press("Enter");
    await expect(article).toContainText("kept");
    await expect(article.getByRole("button", { name: "Edit", exact: true })).toBeFocused();

    await press("Rotate secret");
    await page.getByRole("button", { name: "Rotate it" }).click();
    await expect(article.getByLabel("Signing secret")).toHaveValue(/^whsec_/);
    await expect(article.getByRole("button", { name: "Rotate secret" })).toBeFocused();
    await article.getByRole("button", { name: "I have kept it" }).click();
    await expect(article.getByRole("heading", { name: receiver.url })).toBeFocused();

    await press("Delete");
    await page.getByRole("button", { name: "Delete it" }).click();
    await expect(article).toHaveCount(0);
    await expect(page.getByRole("heading", { name: "Endpoints" })).toBeFocused();
  } finally {
    receiver.stop();
  }
});

test("two attempts are compared, the last two or those one chooses", async ({ page, at, facts }) => {
  let answered = 0;
  const receiver = await Receiver.start((_, response) => {
    answered += 1;
    response.setHeader("x-turn", String(answered));
    response.statusCode = answered === 1 ? 503 : 200;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ turn: answered, kept: true }));
  });
  try {
    const type = `compare.it-${Date.now()}`;
    await call(facts, "POST", "webhooks", { target_url: receiver.url, events: [type] });
    const { sendouts } = await call(facts, "POST", "events", { type, data: {} });
    for (const attempts of [1, 2, 3]) {
      await expect.poll(async () => (await call(facts, "GET", `webhook-sendouts/${sendouts[0]}`)).attempts_count).toBe(attempts);
      if (attempts < 3) await call(facts, "POST", `webhook-sendouts/${sendouts[0]}/retry`);
    }
    await open(page, at(`sendouts/${sendouts[0]}?tz=utc`));
    const choice = page.getByRole("region", { name: "Two attempts beside each other" });
    await expect(choice.getByLabel("with attempt")).toHaveValue("3");
    await choice.getByLabel("Compare attempt").selectOption("1");
    await choice.getByRole("button", { name: "Compare" }).click();
    await expect(page).toHaveURL(/\/compare\?tz=utc&a=1&b=3$/);
    const rows = page.locator(".compare-row");
    await expect(rows.filter({ hasText: "x-turn" })).toContainText("3");
    await expect(rows.filter({ hasText: "Code" }).first()).toContainText("503");
    await expect(rows.filter({ hasText: "Error" })).toContainText("only in the first");
    await expect(rows.filter({ hasText: '"turn"' }).locator("mark")).toHaveText(["1", "3"]);
    await expect(page.getByRole("main").getByRole("link", { name: "Sendout", exact: true })).toHaveAttribute("href", /\?tz=utc$/);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await checkAccessibility(page);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    await checkWidth(page);
  } finally {
    receiver.stop();
  }
});
