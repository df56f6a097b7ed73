/**
 * A killed renderer and a killed browser take no acknowledged record and no committed offset with
 * them: the records are there byte for byte. With `relaxed` durability as well: these are not power
 * cuts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlayground, openProgram, running } from "./pages.mjs";

const PARTITIONS = 3;

/**
 * Produces records of different lengths, several sends at a time, and commits offsets meanwhile;
 * tells the test of each acknowledgement as it comes.
 */
const work = (page) =>
  page.evaluate(async (partitions) => {
    const { bytesOf, withAdmin } = await inPage();
    const producer = window.kafka.producer();
    await producer.connect();
    let number = 0;
    const produce = async () => {
      for (;;) {
        const first = number;
        const partition = first % partitions;
        number += 8;
        const messages = Array.from({ length: 8 }, (_, at) => ({
          value: bytesOf(first + at),
          partition,
        }));
        const [{ baseOffset }] = await producer.send({ topic: "orders", messages });
        await window.acknowledged(first, partition, Number(baseOffset));
      }
    };
    for (let sends = 0; sends < 6; sends++) produce().catch(() => {});
    withAdmin(window.kafka, async (admin) => {
      for (let offset = 1; ; offset++) {
        const offsets = [{ partition: 1, offset: `${offset}` }];
        await admin.setOffsets({ groupId: "billing", topic: "orders", partitions: offsets });
        await window.committed(offset);
      }
    }).catch(() => {});
  }, PARTITIONS);

/** What the test was told, and a way to wait for more of it. */
async function listen(browser) {
  const told = { sends: [], offset: 0, wake: () => {} };
  await browser.context.exposeFunction("acknowledged", (...send) => {
    told.sends.push(send);
    told.wake();
  });
  await browser.context.exposeFunction("committed", (offset) => {
    told.offset = offset;
    told.wake();
  });
  told.more = async (sends, commits) => {
    const wanted = [told.sends.length + sends, told.offset + commits];
    while (told.sends.length < wanted[0] || told.offset < wanted[1]) {
      await new Promise((resolve) => (told.wake = resolve));
    }
  };
  return told;
}

/** Reads everything and compares it with what was acknowledged. */
async function check(page, told) {
  const found = await page.evaluate(async (sends) => {
    const { bytesOf, committed, ends, readAll } = await inPage();
    const all = await ends(window.kafka, "orders");
    const count = Object.values(all).reduce((a, b) => a + b);
    const records = await readAll(window.kafka, "orders", count, `reader-${Math.random()}`);
    const at = new Map(records.map(({ partition, offset, value }) => [`${partition}@${offset}`, value]));
    const wrong = [];
    for (const [first, partition, base] of sends) {
      for (let n = 0; n < 8; n++) {
        const place = `${partition}@${base + n}`;
        const [value, wanted] = [at.get(place), bytesOf(first + n)];
        const same = value?.length === wanted.length && wanted.every((byte, i) => byte === value[i]);
        if (!same) wrong.push(place);
      }
    }
    const holes = Object.entries(all).flatMap(([name, end]) =>
      Array.from({ length: end }, (_, n) => `${name.slice("orders-".length)}@${n}`).filter((place) => !at.has(place)),
    );
    const offsets = await committed(window.kafka, "billing", "orders");
    return { wrong, holes, offset: offsets["orders-1"] };
  }, told.sends);
  assert.deepEqual(found.wrong, [], "acknowledged records that are not there as they were sent");
  assert.deepEqual(found.holes, [], "offsets below the log end without a record");
  assert.ok(found.offset >= told.offset, `committed ${told.offset}, found ${found.offset}`);
}

/** Waits until the playground's broker serves, and has `window.kafka` for the functions above. */
const inPlayground = async (page) => {
  await running(page);
  await page.evaluate(() => void (window.kafka = window.partita));
};

/** The same with the package, whose broker flushes nothing to the disk. */
const inProgram = (page) =>
  page.evaluate(async () => {
    window.broker = await Broker.open("crash", { durability: "relaxed" });
    window.kafka = new Kafka({ brokers: [window.broker], logLevel: 0 });
  });

for (const [where, start, ready] of [
  ["the playground, strict", openPlayground, inPlayground],
  ["the package, relaxed", openProgram, inProgram],
]) {
  test(`a killed renderer and a killed browser lose nothing acknowledged (${where})`, async (t) => {
    const { browser, page, open } = await start(t);
    browser.expectErrors();
    await ready(page);
    await page.evaluate(
      async (partitions) => (await inPage()).createTopic(window.kafka, "orders", partitions),
      PARTITIONS,
    );
    let tab = page;
    let told = await listen(browser);
    for (const kill of ["renderer", "browser", "renderer", "browser"]) {
      await work(tab);
      await told.more(40, 10);
      if (kill === "browser") {
        await browser.kill();
        await browser.start();
        const before = told;
        told = Object.assign(await listen(browser), { sends: before.sends, offset: before.offset });
      } else {
        await browser.killRenderers();
      }
      tab = await open();
      await ready(tab);
      await check(tab, told);
    }
  });
}
