import { type Facts } from "../support/data";
import { alive, checkAccessibility, checkWidth, expect, open, test } from "../support/test";

/** What a call with a key is answered. */
async function status(facts: Facts, appId: string, token: string): Promise<number> {
  const answer = await fetch(`${facts.address}/v1/logs`, { headers: { "x-app-id": appId, "x-app-token": token } });
  await answer.text();
  return answer.status;
}

test("a key is made, used, rotated and revoked", async ({ page, at, facts }) => {
  const name = `shop ${Date.now()}`;
  await open(page, at("settings/keys"));
  await page.getByRole("button", { name: "Add key" }).click();
  await expect(page.getByLabel("Name", { exact: true })).toBeFocused();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Add key" }).click();
  await expect(page.getByRole("alert")).toContainText("Scopes");
  await page.getByLabel(/^read /).check();
  await page.getByLabel("Expires").selectOption("In 30 days");
  await page.getByLabel("Calls a minute").fill("600");
  await page.getByRole("button", { name: "Add key" }).click();

  const article = page.getByRole("article", { name });
  const token = page.getByLabel("Token", { exact: true });
  await expect(token).toHaveValue(/^als_/);
  const first = await token.inputValue();
  const appId = (await article.locator(".fresh-secret code").last().textContent())!;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await checkAccessibility(page);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await checkWidth(page);
  await page.setViewportSize({ width: 1440, height: 900 });
  await article.getByRole("button", { name: "I have kept it" }).click();
  await expect(token).toHaveCount(0);
  await expect(article).toContainText("600 a minute");
  expect(await status(facts, appId, first)).toBe(200);

  await article.getByRole("button", { name: "Edit" }).click();
  await article.getByLabel("Name").fill(`${name} renamed`);
  await article.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: `${name} renamed` })).toBeVisible();
  const renamed = page.getByRole("article", { name: `${name} renamed` });

  await renamed.getByRole("button", { name: "Rotate token" }).click();
  await checkAccessibility(page);
  await page.getByRole("dialog").getByLabel("The old token stays valid").selectOption("1 hour");
  await page.getByRole("button", { name: "Rotate it" }).click();
  await expect(token).toHaveValue(/^als_/);
  const second = await token.inputValue();
  expect(second).not.toBe(first);
  expect(await status(facts, appId, first)).toBe(200);
  expect(await status(facts, appId, second)).toBe(200);
  await expect(renamed).toContainText("is taken, too, until");

  await renamed.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("button", { name: "Revoke it" }).click();
  await expect(page.getByRole("heading", { name: "Keys in use" })).toBeFocused();
  await expect(renamed).toContainText("Revoked");
  expect(await status(facts, appId, second)).toBe(401);
});

test.describe("an origin that is none", () => {
  // Browsers tell every refusal in the console.
  test.use({ expectedErrors: /409/ });

  test("a client-side key names its origins and can only send", async ({ page, at }) => {
    const name = `browser ${Date.now()}`;
    await open(page, at("settings/keys"));
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Kind").selectOption({ value: "client" });
    await expect(page.getByLabel(/^read /)).toHaveCount(0);
    await page.getByLabel(/^logs:write/).check();
    await page.getByRole("button", { name: "Add key" }).click();
    await expect(page.getByRole("alert")).toContainText("Origins");
    await page.getByLabel("Origins").fill("https://shop.example/path");
    await page.getByRole("button", { name: "Add key" }).click();
    await expect(page.getByRole("alert")).toContainText("is no origin");
    await page.getByLabel("Origins").fill("https://Shop.example");
    await page.getByRole("button", { name: "Add key" }).click();
    await expect(page.getByLabel("Token", { exact: true })).toHaveValue(/^alc_/);
    await expect(page.getByRole("article", { name })).toContainText("https://shop.example");
    await checkAccessibility(page);
  });
});

test("what is typed before the page wakes stays", async ({ page, at }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(at("settings/keys"), { waitUntil: "domcontentloaded" });
  const name = `early ${Date.now()}`;
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel(/^read /).check();
  await page.getByLabel("Expires").selectOption("In 30 days");
  await page.getByLabel("Calls a minute").fill("600");
  await expect(page.locator("html")).not.toHaveAttribute("data-awake");
  release();
  await alive(page);
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue(name);
  await page.getByRole("button", { name: "Add key" }).click();
  const article = page.getByRole("article", { name });
  await expect(page.getByLabel("Token", { exact: true })).toHaveValue(/^als_/);
  await expect(article).toContainText("600 a minute");
  await expect(article).toContainText("read");
  await expect(article).toContainText("Expires");
});
