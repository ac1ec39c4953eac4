// An OpenID Connect provider, certified and written by others (npm oidc-provider), on loopback. Its own sign-in page takes any name.
import { type Server as HttpServer, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

export const CLIENT = { id: "audit-log", secret: "a-secret-of-the-tests" };

export class IdentityProvider {
  private handle?: ReturnType<Provider["callback"]>;

  private constructor(
    private readonly http: HttpServer,
    readonly issuer: string,
  ) {}

  /** Listens; it answers once its client is known. */
  static async listen(): Promise<IdentityProvider> {
    let self: IdentityProvider | undefined;
    const http = createServer((request, response) => void self?.handle?.(request, response));
    await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
    self = new IdentityProvider(http, `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    return self;
  }

  /** Knows the service under test. A person's name is their address before the @; those that begin with "unverified" are not vouched for. */
  serve(redirect: string): void {
    const provider = new Provider(this.issuer, {
      // For everybody but production, which this is not: it says so at length otherwise.
      clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirect] }],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      cookies: { keys: ["keys-of-the-tests"] },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: !id.startsWith("unverified"), name: `Person ${id}` }),
      }),
    });
    this.handle = provider.callback();
  }

  async close(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise((done) => this.http.close(done));
  }
}
