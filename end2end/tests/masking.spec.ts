import { type Facts } from "../support/data";
import { checkAccessibility, checkWidth, expect, open, test } from "../support/test";

// Words that no other test's logs have: the rules are the whole project's.
const SECRET = "mask-me-1729";
const PATTERN = "mask-me-[0-9]+";

/** Sends a log with the secret in it, and gives its id. */
async function send(facts: Facts, id: string): Promise<void> {
  const answer = await fetch(`${facts.address}/v1/logs`, {
    method: "POST",
    headers: { "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token, "content-type": "application/json" },
    body: JSON.stringify({ id, method: "POST", url: "/v1/masked-by-rule", status_code: 200, request: { body: { note: `it is ${SECRET}, hush` } } }),
  });
  expect(answer.status).toBe(201);
}

/** What is stored of it. */
async function stored(facts: Facts, id: string): Promise<unknown> {
  const answer = await fetch(`${facts.address}/v1/logs/${id}`, {
    headers: { "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token },
  });
  return ((await answer.json()) as { request: { body: { note: string } } }).request.body.note;
}

test.describe.configure({ mode: "serial" });

test.describe("rules", () => {
  // Browsers tell every refusal in the console.
  test.use({ expectedErrors: /422/ });

  test("are tried out, saved, and taken out again", async ({ page, at, facts }) => {
    const before = `mask-before-${Date.now()}`;
    await send(facts, before);
    await open(page, at("settings/masking"));
    await expect(page.getByText("This project has no rules of its own")).toBeVisible();
    await page.getByText(/^Built-in rules: \d+ names$/).click();
    await expect(page.getByText("socialsecuritynumber")).toBeVisible();
    await page.getByText(/^Built-in rules: \d+ names$/).click();

    await page.getByRole("button", { name: "Add a rule" }).click();
    const rule = page.getByRole("group", { name: "Rule 1" });
    await expect(rule.getByLabel("Key", { exact: true })).toBeFocused();
    await rule.getByLabel("Kind").selectOption("Pattern in text");
    const text = rule.getByLabel("Pattern", { exact: true });
    await text.fill("mask-me-(");
    await page.getByRole("button", { name: "Try out" }).click();
    await expect(rule.getByRole("alert")).toContainText("At character 9: unclosed group");
    await expect(text).toBeFocused();
    await expect(text).toHaveAttribute("aria-invalid", "true");
    await checkAccessibility(page);
    await text.fill(PATTERN);
    await expect(rule.getByRole("alert")).toHaveCount(0);
    await rule.getByLabel("Why (optional)").fill("a test of masking");

    await page.getByRole("button", { name: "Try out" }).click();
    const tried = page.getByRole("region", { name: "Tried out" });
    await expect(tried).toContainText("Nothing was stored.");
    const log = tried.getByRole("article").filter({ hasText: "/v1/masked-by-rule" }).first();
    await expect(log.locator("del").first()).toHaveText(SECRET);
    await expect(log.locator("ins").first()).toHaveText("masked");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await checkAccessibility(page);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    await checkWidth(page);
    await page.setViewportSize({ width: 1440, height: 900 });
    expect(await stored(facts, before)).toContain(SECRET);

    await expect(page.getByText("There are changes that are not saved.")).toBeVisible();
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("There are changes that are not saved.")).toHaveCount(0);
    const after = `mask-after-${Date.now()}`;
    await send(facts, after);
    expect(await stored(facts, after)).toBe("it is masked, hush");
    expect(await stored(facts, before), "what was stored before stays").toContain(SECRET);

    await open(page, at("settings/masking"));
    await expect(page.getByRole("group", { name: "Rule 1" }).getByLabel("Pattern", { exact: true })).toHaveValue(PATTERN);
    await expect(page.getByRole("group", { name: "Rule 1" }).getByLabel("Why (optional)")).toHaveValue("a test of masking");
    await page.getByRole("button", { name: "Remove rule 1" }).click();
    await expect(page.getByRole("button", { name: "Add a rule" })).toBeFocused();
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("There are changes that are not saved.")).toHaveCount(0);
    const plain = `mask-plain-${Date.now()}`;
    await send(facts, plain);
    expect(await stored(facts, plain)).toContain(SECRET);
  });
});

test("what a browser can tell is told before anything is sent", async ({ page, at }) => {
  await open(page, at("settings/masking"));
  await page.getByRole("button", { name: "Add a rule" }).click();
  await page.getByRole("button", { name: "Add a rule" }).click();
  const first = page.getByRole("group", { name: "Rule 1" });
  const second = page.getByRole("group", { name: "Rule 2" });
  await first.getByLabel("Key", { exact: true }).fill("nickname");
  await second.getByLabel("Kind").selectOption("JSON path");
  await second.getByLabel("Path", { exact: true }).fill("$.a..b");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(second.getByRole("alert")).toContainText("At character 5: two dots are not understood");
  await expect(second.getByLabel("Path", { exact: true })).toBeFocused();
  await page.getByRole("button", { name: "Remove rule 1" }).click();
  await expect(page.getByRole("group", { name: "Rule 1" }).getByLabel("Path", { exact: true })).toHaveValue("$.a..b");
});

test("the menu of the project leads there", async ({ page, at }) => {
  await open(page, at("logs"));
  await page.getByRole("banner").getByRole("button").first().click();
  await page.getByRole("link", { name: "Masking" }).click();
  await expect(page.getByRole("heading", { name: "Masking", level: 1 })).toBeVisible();
});
