// The official client, counting which of its methods were called; and what else a journey needs.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { AgentPhoneClient, AgentPhoneError } from "agentphone";

const { AGENTPHONE_BASE_URL: baseUrl, AGENTPHONE_API_KEY: token } = process.env;

/** Every method of every resource, as "resource.method"; found by looking, so that none can be forgotten. */
export function methodsOf(client) {
  const getters = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(client)));
  return getters
    .filter(([, property]) => property.get)
    .flatMap(([resource]) =>
      Object.getOwnPropertyNames(Object.getPrototypeOf(client[resource]))
        .filter((name) => name !== "constructor" && !name.startsWith("_"))
        .map((name) => `${resource}.${name}`),
    );
}

/** A client whose calls are written into `called`; nothing else about it is changed. */
export function counted(called, options = {}) {
  const client = new AgentPhoneClient({ token, baseUrl, ...options });
  const watch = (name, method) => (...parts) => {
    called.add(`${name}.${method}`);
    return client[name][method](...parts);
  };
  return new Proxy(client, {
    get: (_, name) => new Proxy(client[name], { get: (__, method) => watch(name, method) }),
  });
}

export { AgentPhoneError };
export const plain = new AgentPhoneClient({ token, baseUrl });

/** The world around the account: people and time. */
export async function outside(method, path, body) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = await fetch(`${baseUrl}/_sim/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} /_sim/${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

export const settle = () => outside("POST", "clock/run_until_idle");

/** The status that a promise is refused with. */
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AgentPhoneError) return error.statusCode;
    throw error;
  }
  assert.fail("it was not refused");
}

/** A webhook handler that repeats what it hears on the phone, and keeps every event with its signature's verdict. */
export async function handler() {
  const received = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const raw = Buffer.concat(parts);
    const event = JSON.parse(raw.toString("utf8"));
    received.push({ event, raw, headers: request.headers });
    const heard = event.event === "agent.message" && event.channel === "voice" ? event.data.transcript : null;
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(heard === null ? "" : JSON.stringify({ text: `You said: ${heard}` }));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${server.address().port}/webhook`,
    received,
    of: (kind) => received.filter(({ event }) => event.event === kind),
    close: () => server.close(),
  };
}

/** Whether an event was signed with `secret`, over its timestamp and its bytes. */
export function signed({ raw, headers }, secret) {
  const digest = createHmac("sha256", secret).update(`${headers["x-webhook-timestamp"]}.`).update(raw).digest("hex");
  return headers["x-webhook-signature"] === `sha256=${digest}`;
}
