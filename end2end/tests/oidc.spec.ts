import type { Page } from "@playwright/test";
import { ADA, fill } from "../support/data";
import { CLIENT, IdentityProvider } from "../support/provider";
import { Server } from "../support/server";
import { alive, checkAccessibility, expect, test } from "../support/test";

// The provider's own pages ask for a font of a site that is not reached.
test.use({ person: "", expectedErrors: /font|Refused to|violates|Failed to load resource/ });

/** Signs in on the provider's own pages. */
async function atProvider(page: Page, name: string) {
  await page.locator('input[name="login"]').fill(name);
  await page.locator('input[name="password"]').fill("anything");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

test("people sign in by an identity provider that somebody else wrote", async ({ page, browser }) => {
  const provider = await IdentityProvider.listen();
  const server = Server.create({
    AUDIT_LOG_OIDC_ISSUER: provider.issuer,
    AUDIT_LOG_OIDC_CLIENT_ID: CLIENT.id,
    AUDIT_LOG_OIDC_CLIENT_SECRET: CLIENT.secret,
    AUDIT_LOG_OIDC_NAME: "Acme ID",
  });
  try {
    const facts = await fill(server);
    provider.serve(`${facts.address}/sign-in/oidc/callback`);

    // Somebody who has an account by the address that the provider vouches for comes where they wanted.
    const wanted = `${facts.address}/projects/${facts.project}/logs?status=FAILURE`;
    await page.goto(wanted);
    await checkAccessibility(page);
    await page.getByRole("link", { name: "Sign in with Acme ID" }).click();
    await atProvider(page, ADA.split("@")[0]);
    await expect(page).toHaveURL(wanted);
    await expect(page.getByRole("table").first()).toBeVisible();
    await page.goto(`${facts.address}/projects/${facts.project}/logs?origin=self&endpoint=GET_sign-in_oidc_callback`);
    await expect(page.locator("table.logs tbody tr")).toHaveCount(1);
    await expect(page.locator("table.logs tbody")).not.toContainText("code=");

    // Somebody new belongs nowhere yet, and has no password.
    const another = await browser.newContext({ storageState: { cookies: [], origins: [] } });
    const newcomer = await another.newPage();
    await newcomer.goto(`${facts.address}/sign-in`);
    await newcomer.getByRole("link", { name: "Sign in with Acme ID" }).click();
    await atProvider(newcomer, "newcomer");
    await expect(newcomer).toHaveURL(`${facts.address}/account`);
    await expect(newcomer.getByRole("main")).toContainText("newcomer@example.com");
    await expect(newcomer.getByRole("main")).toContainText("You belong to no project yet");
    await expect(newcomer.getByRole("main")).toContainText("you sign in by your identity provider");
    await another.close();

    // Somebody whose address is not vouched for does not come in.
    const third = await browser.newContext({ storageState: { cookies: [], origins: [] } });
    const unverified = await third.newPage();
    await unverified.goto(`${facts.address}/sign-in`);
    await unverified.getByRole("link", { name: "Sign in with Acme ID" }).click();
    await atProvider(unverified, "unverified");
    await expect(unverified.getByRole("alert")).toContainText("does not vouch for your e-mail address");

    // Nobody is sent in by somebody else's link.
    await unverified.goto(`${facts.address}/sign-in/oidc/callback?code=stolen&state=forged`);
    await expect(unverified.getByRole("alert")).toContainText("was not begun here");
    await third.close();
  } finally {
    await server.remove();
    await provider.close();
  }
});

test("a provider that is away is told, and passwords still let in", async ({ page }) => {
  const server = Server.create({ AUDIT_LOG_OIDC_ISSUER: "http://127.0.0.1:9", AUDIT_LOG_OIDC_CLIENT_ID: CLIENT.id });
  try {
    const facts = await fill(server);
    await page.goto(`${facts.address}/sign-in`);
    await page.getByRole("link", { name: "Sign in with single sign-on" }).click();
    await expect(page.getByRole("alert")).toContainText("did not answer as it should");
    await page.getByLabel("E-mail").fill(ADA);
    await page.getByLabel("Password").fill("correct horse battery staple");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await expect(page).toHaveURL(/\/logs/);
    // The page's code comes from the server that goes now.
    await alive(page);
  } finally {
    await server.remove();
  }
});
