// The logs that are exported: the same at every run, so that figures can be compared.

const BATCH = 10_000;
/** The channel of the logs that have bodies: the second file is theirs. */
export const BODIES = "With bodies";
const NEEDLES = 3;

const NARROW = ["id", "created_at", "status", "request_id", "channel", "method", "endpoint", "url", "user_email", "request_duration", "status_code", "ip"];

/** The two files. */
export const FILES = [
  { name: "narrow", title: "no bodies", fields: NARROW, needles: "requests" },
  { name: "bodies", title: "bodies of 1 KB", fields: [...NARROW, "request_body", "response_body"], needles: "trackings", bodies: true },
];

const METHODS = ["GET", "POST", "PUT", "DELETE"];
const CHANNELS = ["API", "WEBSITE", "CLIENT_API", "Node SDK"];
const RESOURCES = ["vouchers", "customers", "orders", "campaigns", "redemptions"];
const WORDS = "voucher customer order discount loyalty points redeemed published summer winter gift card amount currency segment reward tier gold silver bronze birthday referral".split(" ");

/** Marsaglia's xorshift, 32 bits: quick, and the same everywhere. */
function random(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const hex = (next, words) => Array.from({ length: words }, () => next().toString(16).padStart(8, "0")).join("");

function body(next, tracking) {
  let text = "";
  while (text.length < 850) text += `${WORDS[next() % WORDS.length]} ${next() % 10 < 3 ? `${hex(next, 1)} ` : ""}`;
  return { object: "redemption", result: "SUCCESS", tracking_id: tracking, amount: next() % 100_000, detail: text };
}

/** Sends them, and tells which texts stand in one row alone. */
export async function sendLogs(server, rows) {
  const next = random(20_261_122);
  const from = Date.now() - rows * 500;
  const known = { withBodies: 0, requests: [], trackings: [] };
  const every = Math.floor(rows / (NEEDLES + 1) / 5) * 5;
  for (let start = 0; start < rows; start += BATCH) {
    let lines = "";
    for (let number = start; number < Math.min(start + BATCH, rows); number += 1) {
      const resource = RESOURCES[next() % RESOURCES.length];
      const method = METHODS[next() % METHODS.length];
      const failed = next() % 33 === 0;
      const log = {
        created_at: from + number * 500,
        status_code: failed ? 404 : 200,
        request_id: `req-${hex(next, 4)}`,
        channel: CHANNELS[next() % CHANNELS.length],
        method,
        endpoint: `${method}_v1_${resource}_{id}`,
        url: `/v1/${resource}/${resource.slice(0, 3)}_${hex(next, 2)}?for=${WORDS[next() % WORDS.length]}`,
        user_email: `person${next() % 500}@example.com`,
        request_duration: 2 + (next() % 900),
        ip: `203.0.113.${1 + (next() % 254)}`,
      };
      const sought = number > 0 && number % every === 0;
      if (sought && known.requests.length < NEEDLES) known.requests.push(log.request_id);
      if (number % 5 === 0) {
        const tracking = `track_${hex(next, 2)}`;
        known.withBodies += 1;
        if (sought && known.trackings.length < NEEDLES) known.trackings.push(tracking);
        log.channel = BODIES;
        const headers = { "content-type": "application/json" };
        log.request = { headers, body: { source_id: `src-${hex(next, 1)}` } };
        log.response = { headers, body: body(next, tracking) };
      }
      lines += `${JSON.stringify(log)}\n`;
    }
    await server.send(lines);
  }
  return known;
}
