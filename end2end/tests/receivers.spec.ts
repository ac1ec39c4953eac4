// Receivers as others write them: the libraries of Standard Webhooks and of Svix, unchanged, verify what is sent.
import { createServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo } from "node:net";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { type Facts } from "../support/data";
import { expect, test } from "../support/test";

interface Seen {
  headers: Record<string, string>;
  body: string;
}

const LIBRARIES = { standardwebhooks: StandardWebhook, svix: SvixWebhook };

const flat = (headers: IncomingHttpHeaders) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** A receiver that keeps each request as it came. */
async function receiver() {
  const seen: Seen[] = [];
  const server = createServer((request, answer) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push({ headers: flat(request.headers), body: Buffer.concat(chunks).toString("utf8") });
      answer.end("taken");
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.2", ready));
  const url = `http://127.0.0.2:${(server.address() as AddressInfo).port}/hook`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { seen, url, close };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function call(facts: Facts, method: string, path: string, body?: unknown): Promise<any> {
  const answer = await fetch(`${facts.address}${path}`, {
    method,
    headers: { "content-type": "application/json", "x-app-id": facts.key.app_id, "x-app-token": facts.key.app_token },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  expect(answer.ok, `${method} ${path}: ${answer.status} ${text}`).toBe(true);
  return text ? JSON.parse(text) : undefined;
}

for (const [name, Library] of Object.entries(LIBRARIES)) {
  test(`the library ${name} verifies what is sent, and nothing else`, async ({ facts }) => {
    const { seen, url, close } = await receiver();
    const endpoint = await call(facts, "POST", "/v1/webhooks", { target_url: url, events: [`${name}.*`] });
    const path = `/v1/webhooks/${endpoint.id}`;
    const send = async (type: string) => {
      const before = seen.length;
      await call(facts, "POST", "/v1/events", { type: `${name}.${type}`, data: { words: 'żółć "quoted" 🍵', amount: 12.5 }, entity_id: "v_1" });
      await expect.poll(() => seen.length).toBe(before + 1);
      return seen[before];
    };
    const verify = (secret: string, { headers, body }: Seen) => new Library(secret).verify(body, headers);
    try {
      const first = await send("first");
      const read = verify(endpoint.secret, first);
      expect(read).toMatchObject({ id: first.headers["webhook-id"], type: `${name}.first`, data: { words: 'żółć "quoted" 🍵', amount: 12.5 } });

      const { headers, body } = first;
      const later = String(Number(headers["webhook-timestamp"]) + 1);
      for (const [what, changed] of [
        ["another body", { headers, body: body.replace("12.5", "99.5") }],
        ["another id", { headers: { ...headers, "webhook-id": "so_other" }, body }],
        ["another time", { headers: { ...headers, "webhook-timestamp": later }, body }],
      ] as const) {
        expect(changed, what).not.toEqual(first);
        expect(() => verify(endpoint.secret, changed), what).toThrow(/No matching signature/);
      }

      const { secret: rotated } = await call(facts, "POST", `${path}/rotate-secret`);
      expect(rotated).not.toBe(endpoint.secret);
      const second = await send("second");
      for (const secret of [endpoint.secret, rotated]) {
        expect(verify(secret, second)).toMatchObject({ type: `${name}.second` });
        expect(() => verify(secret, { ...second, body: second.body.replace("12.5", "99.5") })).toThrow(/No matching signature/);
      }
      expect(() => verify(rotated, first), "what was sent before knows the new secret not").toThrow(/No matching signature/);
    } finally {
      await call(facts, "DELETE", path);
      close();
    }
  });
}
