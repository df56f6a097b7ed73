/**
 * When the browser gives no more room: producers hear it in words, nothing acknowledged is touched,
 * and appends go on once there is room again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openPlayground, running, state } from "./pages.mjs";
import { Playground } from "./playground.mjs";

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

/** Sends records of so many bytes until one is refused: how many were acknowledged, and the error. */
const fill = (page, topic, size = 256 * 1024) =>
  page.evaluate(
    async ([topic, size]) => {
      const { bytesOf, rejection } = await inPage();
      const producer = window.partita.producer({ retry: { retries: 1, initialRetryTime: 50 } });
      await producer.connect();
      let error;
      let count = 0;
      for (; count < 10_000 && !error; count++) {
        const value = bytesOf(count, size);
        error = await rejection(producer.send({ topic, messages: [{ value }] }));
      }
      await producer.disconnect();
      return { acknowledged: count - 1, error };
    },
    [topic, size],
  );

/** Sends one record of that size; resolves to why it was refused, if it was. */
const sendTo = (page, topic, size = 256 * 1024) =>
  page.evaluate(
    async ([topic, size]) => {
      const { bytesOf, rejection, send } = await inPage();
      return rejection(send(window.partita, topic, [{ value: bytesOf(1, size) }]));
    },
    [topic, size],
  );

const deleteTopic = (page, topic) =>
  page.evaluate(
    async (topic) =>
      (await inPage()).withAdmin(window.partita, (admin) => admin.deleteTopics({ topics: [topic] })),
    topic,
  );

/** Commits an offset of the group `billing`; resolves to why that failed, if it did. */
const commit = (page, topic, offset) =>
  page.evaluate(
    async ([topic, offset]) => {
      const { rejection, withAdmin } = await inPage();
      const partitions = [{ partition: 0, offset }];
      const set = (admin) => admin.setOffsets({ groupId: "billing", topic, partitions });
      return rejection(withAdmin(window.partita, set));
    },
    [topic, offset],
  );

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
  assert.ok(acknowledged >= 8 && acknowledged < 10_000, `${acknowledged} records fitted`);

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
  await eventually(() => sendTo(page, "large"), (refused) => refused === undefined);
  await full.waitFor({ state: "detached" });
  await deleteTopic(page, "large");
  await eventually(() => sendTo(page, "small"), (refused) => refused === undefined);
  const ends = await page.evaluate(async () => (await inPage()).ends(window.partita, "small"));
  assert.deepEqual(ends, { "small-0": 2 });
});

test("a full database still opens, takes commits and deletes, and is of use again after that", async (t) => {
  const { browser, page } = await openPlayground(t, { before: quota(48 * MIB) });
  browser.expectErrors();
  await page.evaluate(async () => {
    const { createTopic, send } = await inPage();
    await createTopic(window.partita, "small", 1);
    await createTopic(window.partita, "large", 1);
    await send(window.partita, "small", [{ value: "before" }]);
  });
  // To the brim: what does not fit as large records may fit as small ones.
  await fill(page, "large");
  const { acknowledged } = await fill(page, "small", 100);
  await state(page, "full");
  for (let offset = 1; offset <= 100; offset++) {
    assert.equal(await commit(page, "small", `${offset}`), undefined);
  }
  // That commits are stored does not mean that records are.
  await state(page, "full");
  assert.equal((await sendTo(page, "small", 100)).name, "PartitaQuotaExceeded");

  await page.reload();
  await state(page, "full");
  const seen = await page.evaluate(async () => {
    const { committed, ends } = await inPage();
    return {
      ends: await ends(window.partita, "small"),
      committed: await committed(window.partita, "billing", "small"),
    };
  });
  assert.deepEqual(seen, { ends: { "small-0": acknowledged + 1 }, committed: { "small-0": 100 } });
  await deleteTopic(page, "large");
  await running(page);
  assert.equal(await sendTo(page, "small"), undefined);
});

test("where others have taken all room of the origin, the broker still opens and frees what it has", async (t) => {
  const { browser, page } = await openPlayground(t, { before: quota(48 * MIB) });
  browser.expectErrors();
  await page.evaluate(async () => {
    const { bytesOf, createTopic, send } = await inPage();
    await createTopic(window.partita, "large", 1);
    for (let n = 0; n < 32; n++) {
      await send(window.partita, "large", [{ value: bytesOf(n, 256 * 1024) }]);
    }
  });
  await page.evaluate(async () => {
    const { bytesOf } = await inPage();
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open("another", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("values");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const put = (size) =>
      new Promise((resolve) => {
        const transaction = database.transaction("values", "readwrite");
        transaction.oncomplete = () => resolve(true);
        transaction.onabort = () => resolve(false);
        transaction.objectStore("values").put(bytesOf(1, size), Math.random());
      });
    for (let size = 1024 * 1024; size > 0; size >>= 2) {
      while (await put(size));
    }
    database.close();
  });
  await page.reload();
  await state(page, "full");
  assert.equal((await sendTo(page, "large", 100)).name, "PartitaQuotaExceeded");
  const ends = await page.evaluate(async () => (await inPage()).ends(window.partita, "large"));
  assert.deepEqual(ends, { "large-0": 32 });
  await deleteTopic(page, "large");
  await running(page);
});

test("many small chunks can be deleted as well, and give their room back", async (t) => {
  const { browser, page } = await openPlayground(t, { before: quota(40 * MIB) });
  browser.expectErrors();
  const create = (topic) =>
    page.evaluate(async (topic) => (await inPage()).createTopic(window.partita, topic, 1), topic);
  await create("small");
  // One after the other: each becomes a chunk that the browser keeps inside its tree.
  const first = await fill(page, "small", 24 * 1024);
  assert.equal(first.error.name, "PartitaQuotaExceeded");
  for (let offset = 1; offset <= 20; offset++) {
    assert.equal(await commit(page, "small", `${offset}`), undefined);
  }
  await page.reload();
  await page.locator("[data-broker=full], [data-broker=running]").waitFor();
  const seen = await page.evaluate(async (count) => {
    const { bytesOf, committed, readAll, same } = await inPage();
    const records = await readAll(window.partita, "small", count);
    for (const { offset, value } of records) same([...value], [...bytesOf(Number(offset), 24 * 1024)]);
    return { count: records.length, committed: await committed(window.partita, "billing", "small") };
  }, first.acknowledged);
  assert.deepEqual(seen, { count: first.acknowledged, committed: { "small-0": 20 } });

  await deleteTopic(page, "small");
  await running(page);
  await create("again");
  const second = await fill(page, "again", 24 * 1024);
  assert.ok(second.acknowledged > first.acknowledged / 2, `${second.acknowledged} records fitted`);
});

test("the page's own clients, over quota: consumers read and acknowledge, and nothing is lost", async (t) => {
  const { browser, page } = await openPlayground(t, { before: quota(24 * MIB) });
  browser.expectErrors();
  const play = new Playground(page);
  await play.createTopic("orders", 1);
  await page.evaluate(async () => (await inPage()).createTopic(window.partita, "large", 1));
  await page.locator('[data-partition="large-0"]').waitFor();
  const producer = await play.addProducer();
  await page.getByLabel(`Topic of ${producer}`).selectOption("orders");
  const consumer = await play.addConsumer({ byHand: true });
  await play.settled(consumer, 1);
  const places = [await play.send(producer, "one"), await play.send(producer, "two")];
  await play.received(consumer, places);
  await fill(page, "large");
  await state(page, "full");

  const before = await play.partition("orders-0");
  const form = page.getByRole("form", { name: `Send one record from ${producer}`, exact: true });
  await form.getByRole("button", { name: "Send one record" }).click();
  await page.locator(`[data-producer="${producer}"]`).filter({ hasText: /full|retr|fail/i }).waitFor();
  assert.deepEqual(await play.partition("orders-0"), before);
  await play.acknowledge(consumer, "orders-0@1");
  await play.committedIs("billing", "orders-0", 2);
  await state(page, "full");

  // What refused a large record may have room for a small one: after a reload nobody knows yet.
  await page.reload();
  await page.locator("[data-broker=full], [data-broker=running]").waitFor();
  await play.committedIs("billing", "orders-0", 2);
  await deleteTopic(page, "large");
  await running(page);
  // The page has its clients again; the record that was refused is gone with the page before.
  assert.equal(await play.send(producer, "three"), "orders-0@2");
  await play.received(consumer, ["orders-0@2"]);
});
