import { createHmac } from "node:crypto";
import { PASSWORD } from "../support/data";
import { alive, checkAccessibility, checkWidth, expect, open, signIn, test } from "../support/test";

/** Bytes of a text in base 32 (RFC 4648). */
function bytes(text: string): Buffer {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...text].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}

/** What an authenticator shows (RFC 6238), so many steps from now. */
function code(secret: string, steps = 0): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac("sha1", bytes(secret)).update(counter).digest();
  const at = digest[digest.length - 1] & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("a second factor is set up, asked for, and turned off", async ({ page, at, facts, browser }) => {
  const email = `second-${Date.now()}@example.com`;
  await open(page, at("settings/members"));
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  const link = await page.getByLabel(`Link for ${email}`).inputValue();
  await page.context().clearCookies();
  await page.goto(link);
  await page.getByLabel("Choose a password").fill(PASSWORD);
  await page.getByRole("button", { name: "Join the project" }).click();
  await open(page, `${facts.address}/account`);

  await page.locator("#begin-password").fill(PASSWORD);
  await page.getByRole("button", { name: "Set up a second factor" }).click();
  await expect(page.getByRole("img", { name: "The secret as a QR code" })).toBeVisible();
  await alive(page);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await checkAccessibility(page);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await checkWidth(page);
  await page.setViewportSize({ width: 1440, height: 900 });
  const secret = (await page.locator(".second-secret").textContent())!;
  const recovery = (await page.locator(".second-codes").textContent())!.split("\n");
  expect(recovery).toHaveLength(10);
  await page.getByLabel("Code", { exact: true }).fill("12345");
  await page.getByRole("button", { name: "Turn it on" }).click();
  await expect(page.getByRole("alert")).toContainText("The code is wrong");
  await page.getByLabel("Code", { exact: true }).fill(code(secret));
  await page.getByRole("button", { name: "Turn it on" }).click();
  await expect(page.getByRole("main")).toContainText("10 recovery codes left");

  const context = await browser.newContext({ javaScriptEnabled: false, storageState: { cookies: [], origins: [] } });
  const elsewhere = await context.newPage();
  await signIn(elsewhere, facts.address, email);
  await expect(elsewhere).toHaveURL(/\/sign-in\/code/);
  await elsewhere.getByLabel("Code of your authenticator").fill("000000");
  await elsewhere.getByRole("button", { name: "Sign in" }).click();
  await expect(elsewhere.getByRole("alert")).toContainText("The code is wrong");
  // The step that turned it on was taken: the next one is, too, within one step to either side.
  await elsewhere.getByLabel("Code of your authenticator").fill(code(secret, 1));
  await elsewhere.getByRole("button", { name: "Sign in" }).click();
  await expect(elsewhere).toHaveURL(/\/logs/);
  await context.close();

  await page.locator("#off-password").fill(PASSWORD);
  await page.locator("#off-code").fill(recovery[0]);
  await page.getByRole("button", { name: "Turn it off" }).click();
  await expect(page.getByRole("status").first()).toContainText("The second factor is off");
});
