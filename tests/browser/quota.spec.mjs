/**
 * When the browser gives no more room: producers hear it in words, nothing acknowledged is touched,
 * and appends go on once there is room again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openPlayground } from "./pages.mjs";

const MIB = 1024 * 1024;

/**
 * Lets the page's origin store so much, all in all, as long as this page is open. It must be said
 * before the first write: the browser looks at the quota seldom while there is much room.
 */
const quota = (bytes) => async (page, browser) => {
  const session = await browser.context.newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: bytes });
};

/** Sends records of 256 KiB until one is refused: how many were acknowledged, and the error. */
const fill = (page, topic) =>
  page.evaluate(async (topic) => {
    const { bytesOf, rejection } = await inPage();
    const producer = window.partita.producer({ retry: { retries: 1, initialRetryTime: 50 } });
    await producer.connect();
    let error;
    let count = 0;
    for (; count < 1000 && !error; count++) {
      const value = bytesOf(count, 256 * 1024);
      error = await rejection(producer.send({ topic, messages: [{ value }] }));
    }
    await producer.disconnect();
    return { acknowledged: count - 1, error };
  }, topic);

test("over quota: a typed error, a notice, everything acknowledged readable, and on when there is room", async (t) => {
  const { browser, page } = await openPlayground(t, { before: quota(24 * MIB) });
  browser.expectErrors();
  await page.evaluate(async () => {
    const { createTopic, send } = await inPage();
    await createTopic(window.partita, "small", 1);
    await createTopic(window.partita, "large", 1);
    await send(window.partita, "small", [{ value: "before" }]);
  });
  const { acknowledged, error } = await fill(page, "large");
  assert.ok(acknowledged >= 8 && acknowledged < 1000, `${acknowledged} records fitted`);

  // One of KafkaJS's errors of the protocol, said at once: repeating it would not help.
  assert.equal(error.name, "PartitaQuotaExceeded");
  assert.equal(error.type, "KAFKA_STORAGE_ERROR");
  assert.equal(error.code, 56);
  assert.equal(error.retriable, false);
  assert.equal(error.topic, "large");
  assert.match(error.message, /storage is full/);
  assert.match(error.help, /delete topics or records/);
  const full = page.getByRole("alert").filter({ hasText: /storage is full/i });
  await full.waitFor();

  // All that was acknowledged is there, byte for byte, and the log has no hole.
  const seen = await page.evaluate(async (count) => {
    const { bytesOf, readAll, ends } = await inPage();
    const records = await readAll(window.partita, "large", count);
    const same = (value, wanted) =>
      value.length === wanted.length && wanted.every((byte, at) => byte === value[at]);
    const wrong = records.filter(({ offset, value }) => !same(value, bytesOf(Number(offset), 256 * 1024)));
    return { wrong: wrong.length, ends: await ends(window.partita, "large") };
  }, acknowledged);
  assert.deepEqual(seen, { wrong: 0, ends: { "large-0": acknowledged } });

  // Room is made by deleting records; a topic can be deleted too.
  await page.evaluate(
    async (count) =>
      (await inPage()).withAdmin(window.partita, (admin) =>
        admin.deleteTopicRecords({ topic: "large", partitions: [{ partition: 0, offset: `${count - 2}` }] }),
      ),
    acknowledged,
  );
  const sendTo = (topic) =>
    page.evaluate(async (topic) => {
      const { bytesOf, rejection, send } = await inPage();
      return rejection(send(window.partita, topic, [{ value: bytesOf(1, 256 * 1024) }]));
    }, topic);
  await eventually(() => sendTo("large"), (refused) => refused === undefined);
  await full.waitFor({ state: "detached" });
  await page.evaluate(async () =>
    (await inPage()).withAdmin(window.partita, (admin) => admin.deleteTopics({ topics: ["large"] })),
  );
  await eventually(() => sendTo("small"), (refused) => refused === undefined);
  const ends = await page.evaluate(async () => (await inPage()).ends(window.partita, "small"));
  assert.deepEqual(ends, { "small-0": 2 });
});
