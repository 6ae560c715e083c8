// An account's life through the official TypeScript SDK. Prints one line of JSON: which methods there are, and which
// of them were called.

import assert from "node:assert/strict";
import { counted, handler, methodsOf, outside, plain, refusal, settle, signed } from "./client.mjs";

const PERSON = "+14155552671";
const FRIEND = "+12125552672";
const called = new Set();
const sdk = counted(called);
const hook = await handler();

/** Tell a part of the story; what goes wrong in it is reported with its title. */
async function chapter(title, tell) {
  try {
    await tell();
  } catch (error) {
    throw new Error(`${title}: ${error.message}`, { cause: error });
  }
}

const agent = await sdk.agents.createAgent({ name: "Support", voiceMode: "webhook", beginMessage: "Acme, hello!" });
const number = await sdk.numbers.createNumber({ areaCode: "415", agentId: agent.id });
const secret = (await sdk.webhooks.createOrUpdateWebhook({ body: { url: hook.url, contextLimit: 5 } })).secret;

await chapter("agents", async () => {
  const { data: voices } = await sdk.agents.listVoices();
  assert.ok(voices.length > 0);
  const second = await sdk.agents.createAgent({ name: "Sales", voice: voices[0].voice_id, voiceSpeed: 1.25 });
  assert.deepEqual((await sdk.agents.listAgents()).data.map((a) => a.id), [second.id, agent.id]);
  const changed = await sdk.agents.updateAgent({ agent_id: second.id, name: "Returns", language: "fr-FR" });
  assert.deepEqual(await sdk.agents.getAgent({ agent_id: second.id }), changed);
  assert.equal(changed.name, "Returns");
  const spare = await sdk.numbers.createNumber();
  await sdk.agents.attachNumberToAgent({ agent_id: second.id, numberId: spare.id });
  assert.equal((await sdk.numbers.getNumber({ number_id: spare.id })).agentId, second.id);
  await sdk.agents.detachNumberFromAgent({ agent_id: second.id, number_id: spare.id });
  await sdk.numbers.deleteNumber({ number_id: spare.id });
  assert.deepEqual((await sdk.numbers.listNumbers()).data.map((n) => n.id), [number.id]);
  assert.equal((await sdk.agents.deleteAgent({ agent_id: second.id })).success, true);
  assert.equal(await refusal(sdk.agents.getAgent({ agent_id: second.id })), 404);
});

await chapter("webhooks", async () => {
  assert.equal((await sdk.webhooks.getWebhook()).secret, secret);
  assert.equal((await sdk.webhooks.testWebhook()).success, true);
  assert.ok(signed(hook.received.at(-1), secret));
  assert.equal(hook.received.at(-1).event.test, true);
});

await chapter("texts", async () => {
  const got = await outside("POST", "messages", { from: PERSON, to: number.phoneNumber, body: "Are you open?" });
  await settle();
  const [heard] = hook.of("agent.message").filter(({ event }) => event.channel === "sms" && !event.test);
  assert.equal(heard.event.data.message, "Are you open?");
  assert.ok(signed(heard, secret));
  const sent = await sdk.messages.sendMessage({ agent_id: agent.id, to_number: PERSON, body: "Until six" });
  assert.deepEqual([sent.status, sent.from_number], ["sent", number.phoneNumber]);
  const thread = got.conversation_id;
  const { data: texts } = await sdk.numbers.getMessages({ number_id: number.id, limit: 10 });
  assert.deepEqual(texts.map((m) => [m.direction, m.body]), [["outbound", "Until six"], ["inbound", "Are you open?"]]);
  assert.equal(texts[1].from_, PERSON);
  assert.deepEqual((await sdk.conversations.listConversations()).data.map((c) => c.id), [thread]);
  assert.deepEqual((await sdk.agents.listAgentConversations({ agent_id: agent.id })).data.map((c) => c.id), [thread]);
  const remembered = await sdk.conversations.updateConversation({ conversation_id: thread, metadata: { step: 2 } });
  assert.deepEqual(remembered.metadata, { step: 2 });
  const whole = await sdk.conversations.getConversation({ conversation_id: thread, message_limit: 1 });
  assert.deepEqual(whole.messages.map((m) => m.body), ["Until six"]);
  const page = await sdk.conversations.getConversationMessages({ conversation_id: thread, before: sent.id });
  assert.deepEqual([page.data.map((m) => m.body), page.hasMore], [["Are you open?"], false]);
});

await chapter("iMessage", async () => {
  const line = await sdk.numbers.createNumber({ type: "imessage", agentId: agent.id });
  const inbound = { from: PERSON, to: line.phoneNumber, body: "Look", channel: "imessage" };
  const got = await outside("POST", "messages", inbound);
  const asked = { conversation_id: got.conversation_id };
  await sdk.conversations.sendTypingIndicator(asked);
  await sdk.conversations.setChatBackground({ ...asked, image_url: "https://example.com/sky.png" });
  await sdk.conversations.removeChatBackground(asked);
  await sdk.messages.sendReaction({ message_id: got.message_id, reaction: "love" });
  const { messages } = await sdk.conversations.getConversation(asked);
  assert.deepEqual(messages.at(-1).reactions.map((r) => r.reactionType), ["love"]);
  const told = await sdk.contacts.getContactCapabilities({ phone_number: PERSON });
  assert.equal(told.phoneNumber, PERSON);
  await sdk.numbers.deleteNumber({ number_id: line.id });
});

await chapter("calls", async () => {
  const script = ["Where is my order?", "Thanks"];
  const dialled = { from: PERSON, to: number.phoneNumber, script, wait: true };
  const { call_id } = await outside("POST", "calls", dialled);
  const call = await sdk.calls.getCall({ call_id });
  assert.deepEqual([call.status, call.direction, call.fromNumber], ["completed", "inbound", PERSON]);
  const { data: rows } = await sdk.calls.getCallTranscript({ call_id });
  assert.deepEqual(rows.map((t) => t.response), [null, "You said: Where is my order?", "You said: Thanks"]);
  const made = await sdk.calls.createOutboundCall({ agentId: agent.id, toNumber: FRIEND, initialGreeting: "Good day" });
  assert.deepEqual([made.direction, made.toNumber], ["outbound", FRIEND]);
  await sdk.calls.endCall({ call_id: made.id });
  assert.equal(await refusal(sdk.calls.endCall({ call_id: made.id })), 409);
  const newestFirst = [made.id, call_id];
  for (const { data } of [
    await sdk.calls.listCalls(),
    await sdk.calls.listCallsForNumber({ number_id: number.id }),
    await sdk.agents.listAgentCalls({ agent_id: agent.id }),
  ]) {
    assert.deepEqual(data.map((c) => c.id), newestFirst);
  }
  assert.deepEqual((await sdk.calls.listCalls({ direction: "inbound" })).data.map((c) => c.id), [call_id]);
  assert.equal(await refusal(sdk.calls.getCallTranscript({ call_id: "call_of_nobody" })), 404);
});

await chapter("recording and stream", async () => {
  const [{ id: call_id }] = (await sdk.calls.listCalls({ direction: "inbound" })).data;
  // This client has no words for a stream or for audio: it reads both to their end, and hands over what it read.
  const read = (answer) => answer.error.rawBody;
  const events = read(await sdk.calls.streamCallTranscript({ call_id }));
  assert.match(events, /^event: connected\n[^]*event: turn\n[^]*Where is my order\?[^]*event: ended\n/);
  assert.match(read(await sdk.calls.getCallRecording({ call_id })), /^RIFF[^]{4}WAVEfmt /);
  assert.equal(await refusal(sdk.calls.getCallRecording({ call_id: "call_of_nobody" })), 404);
});

await chapter("web call", async () => {
  const web = await sdk.calls.createWebCall({ agentId: agent.id, metadata: { page: "help" } });
  assert.ok(web.accessToken && web.callId);
  assert.deepEqual((await sdk.calls.listCalls({ type: "web" })).data.map((c) => c.id), [web.callId]);
});

await chapter("a hosted call", async () => {
  const hosted = await sdk.agents.createAgent({ name: "Host", voiceMode: "hosted", systemPrompt: "Sell {{what}}" });
  const line = await sdk.numbers.createNumber({ agentId: hosted.id });
  const { call_id } = await outside("POST", "calls", { from: PERSON, to: line.phoneNumber, script: ["Hi"], wait: true });
  const { data: rows } = await sdk.calls.getCallTranscript({ call_id });
  assert.match(rows[1].response, /I was told: Sell {{what}} I heard: Hi$/);
  await sdk.numbers.deleteNumber({ number_id: line.id });
  await sdk.agents.deleteAgent({ agent_id: hosted.id });
});

await chapter("deliveries", async () => {
  await settle();
  const { items, total } = await sdk.webhooks.listDeliveries({ limit: 100, hours: 24 });
  assert.equal(total, hook.received.length);
  assert.deepEqual(new Set(items.map((d) => d.status)), new Set(["success"]));
  const stats = await sdk.webhooks.deliveryStats({ hours: 24 });
  assert.deepEqual([stats.total, stats.failed], [total, 0]);
  assert.equal((await sdk.webhooks.allTimeStats()).total, total);
});

await chapter("an agent's own webhook", async () => {
  const own = { agent_id: agent.id, body: { url: hook.url, timeout: 9 } };
  const set = await sdk.agentWebhooks.createOrUpdateAgentWebhook(own);
  assert.deepEqual(await sdk.agentWebhooks.getAgentWebhook({ agent_id: agent.id }), set);
  assert.equal((await sdk.agentWebhooks.testAgentWebhook({ agent_id: agent.id })).success, true);
  assert.ok(signed(hook.received.at(-1), set.secret));
  await sdk.agentWebhooks.deleteAgentWebhook({ agent_id: agent.id });
  assert.equal(await sdk.agentWebhooks.getAgentWebhook({ agent_id: agent.id }), null);
});

await chapter("an agent's deliveries", async () => {
  const deliveries = await sdk.agentWebhooks.listAgentDeliveries({ agent_id: agent.id, limit: 5 });
  assert.ok(Array.isArray(deliveries));
});

await chapter("usage", async () => {
  const usage = await sdk.usage.getUsage();
  assert.equal(usage.numbers.used, 1);
  assert.ok(usage.stats.totalMessages >= 2 && usage.stats.totalCalls >= 2);
  assert.equal((await sdk.usage.getDailyUsage({ days: 3 })).data.length, 3);
  assert.equal((await sdk.usage.getMonthlyUsage({ months: 2 })).data.length, 2);
});

await chapter("usage by number and by agent", async () => {
  assert.ok((await sdk.usage.getUsageByNumber()).data.length >= 1);
  const byAgent = await sdk.usage.getUsageByAgent({ period: "month", tz: "Europe/Paris" });
  assert.ok(byAgent.data.length >= 1);
});

await chapter("contacts", async () => {
  const ann = await sdk.contacts.createContact({ phoneNumber: PERSON, name: "Ann" });
  assert.equal(await refusal(sdk.contacts.createContact({ phoneNumber: PERSON, name: "Ann again" })), 409);
  const changed = await sdk.contacts.updateContact({ contact_id: ann.id, notes: "Likes tea" });
  assert.deepEqual(await sdk.contacts.getContact({ contact_id: ann.id }), changed);
  assert.deepEqual((await sdk.contacts.listContacts({ search: "ann" })).data.map((c) => c.id), [ann.id]);
  await sdk.contacts.deleteContact({ contact_id: ann.id });
  assert.deepEqual((await sdk.contacts.listContacts()).data, []);
});

await chapter("contact cards", async () => {
  const asked = { number_id: number.id };
  const written = await sdk.contactCards.putContactCard({ ...asked, firstName: "Acme", lastName: "Support" });
  assert.equal(written.firstName, "Acme");
  assert.deepEqual(await sdk.contactCards.getContactCard(asked), written);
  await sdk.contactCards.deleteContactCard(asked);
  assert.equal(await refusal(sdk.contactCards.getContactCard(asked)), 404);
});

await chapter("location", async () => {
  await outside("PUT", `people/${PERSON}/location`, { latitude: 37.77, longitude: -122.42 });
  const { pollAfterSeconds } = await sdk.location.refreshLocations();
  await outside("POST", "clock/advance", { seconds: pollAfterSeconds });
  const found = await sdk.location.getLocation({ phone_number: PERSON });
  assert.deepEqual([found.phoneNumber, found.latitude, found.longitude], [PERSON, 37.77, -122.42]);
});

await chapter("sub-accounts", async () => {
  const branch = await sdk.subAccounts.createSubAccount({ name: "Branch" });
  const header = { "X-Sub-Account-Id": branch.id };
  const theirs = await sdk.agents.createAgent({ ...header, name: "Theirs" });
  assert.deepEqual((await sdk.agents.listAgents(header)).data.map((a) => a.id), [theirs.id]);
  assert.equal(await refusal(sdk.agents.getAgent({ agent_id: theirs.id })), 404);
  const renamed = await sdk.subAccounts.updateSubAccount({ sub_account_id: branch.id, name: "Shop" });
  assert.equal(renamed.name, "Shop");
  assert.deepEqual((await sdk.subAccounts.listSubAccounts({ limit: 5 })).data.map((s) => s.id), [branch.id]);
  await sdk.subAccounts.deleteSubAccount({ sub_account_id: branch.id });
  assert.equal(await refusal(sdk.agents.listAgents(header)), 404);
});

await chapter("registration", async () => {
  assert.equal((await sdk.registration.getRegistrationStatus()).campaign_status, "none");
  const registered = await sdk.registration.registerA2P({
    registration_type: "sole_proprietor",
    first_name: "Ann",
    last_name: "Smith",
    email: "ann@example.com",
    phone_number: PERSON,
    street_address: "1 Main Street",
    city: "San Francisco",
    state: "CA",
    zip_code: "94105",
    description: "Tells customers of a small shop when their order can be collected from the counter.",
    use_cases: ["customer_care"],
    message_samples: [
      "Acme: your order 4521 is ready at the counter. Reply STOP to opt out.",
      "Acme: we open at nine tomorrow. Reply HELP for help, STOP to opt out.",
    ],
    consent_flow: "Customers tick a box on the order form to be told by text when the order is ready.",
    opt_in_image_url: "https://example.com/form.png",
    create_sub_account: false,
  });
  assert.equal(registered.ok, true);
  await outside("POST", "registration", { decision: "approve" });
  assert.equal((await sdk.registration.getRegistrationStatus()).campaign_status, "approved");
});

await sdk.webhooks.deleteWebhook();
assert.equal(await sdk.webhooks.getWebhook(), null);
assert.equal(await refusal(counted(new Set(), { token: "sk_live_of_nobody" }).agents.listAgents()), 401);

hook.close();
console.log(JSON.stringify({ methods: methodsOf(plain), called: [...called] }));
