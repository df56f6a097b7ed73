/**
 * A hidden tab: the browser lets its timers fire once a minute, and its consumers stay in their
 * group all the same, because their clock is the broker's worker.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMIT } from "./harness.mjs";
import { inPageScript, openProgram } from "./pages.mjs";

const SESSION_MILLIS = 6_000;
const HEARTBEAT_MILLIS = 500;
/** So many heartbeats are several sessions. */
const HEARTBEATS = (3 * SESSION_MILLIS) / HEARTBEAT_MILLIS;

/** What a page's timers are while it is hidden for long: Chromium's intensive throttling. */
const throttle = () => {
  for (const name of ["setTimeout", "setInterval"]) {
    const original = globalThis[name];
    globalThis[name] = (callback, millis = 0, ...rest) =>
      original(callback, Math.max(millis, 60_000), ...rest);
  }
};

test("a consumer whose page has no timers to speak of stays in its group, and consumes", async (t) => {
  const { browser, url } = await openProgram(t);
  const page = await browser.context.newPage();
  await page.addInitScript(throttle);
  await page.addInitScript(inPageScript);
  await page.goto(`${url}program.html`);
  await page.waitForFunction(() => window.loaded);
  await page.evaluate(
    async ([sessionTimeout, heartbeatInterval]) => {
      setTimeout(() => (window.fired = true));
      const broker = await Broker.open("shop");
      const kafka = new Kafka({ brokers: [broker] });
      await (await inPage()).createTopic(kafka, "orders", 1);
      const consumer = kafka.consumer({ groupId: "billing", sessionTimeout, heartbeatInterval });
      Object.assign(window, { kafka, heartbeats: 0, joined: [], values: [] });
      consumer.on(consumer.events.HEARTBEAT, () => window.heartbeats++);
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => window.joined.push(payload.memberId));
      await consumer.connect();
      await consumer.subscribe({ topics: ["orders"], fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message }) => void window.values.push(String(message.value)),
      });
    },
    [SESSION_MILLIS, HEARTBEAT_MILLIS],
  );
  await page.waitForFunction((wanted) => window.heartbeats >= wanted, HEARTBEATS, { timeout: LIMIT });
  assert.equal(await page.evaluate(() => window.fired), undefined, "timers are not throttled");

  const members = await page.evaluate(async () => {
    const admin = window.kafka.admin();
    await admin.connect();
    const { groups } = await admin.describeGroups(["billing"]);
    await admin.disconnect();
    const producer = window.kafka.producer();
    await producer.connect();
    await producer.send({ topic: "orders", messages: [{ value: "one" }] });
    await producer.disconnect();
    return groups[0].members.map(({ memberId }) => memberId);
  });
  await page.waitForFunction(() => window.values.length > 0, undefined, { timeout: LIMIT });
  assert.deepEqual(await page.evaluate(() => window.values), ["one"]);
  // It joined once, and was never put out.
  assert.deepEqual(await page.evaluate(() => window.joined), members);
  assert.equal(members.length, 1);
});
