/**
 * A storm: tabs of one origin, all of which want to host the broker, produce and commit while they
 * are closed, reloaded, crashed, killed and frozen, also in the middle of a take-over. At the end a
 * broker answers, and everything that was acknowledged is there: where it was said to be, in order,
 * once; of what was not acknowledged, whole batches or nothing.
 *
 * What happens follows from a seed, which is printed; `PARTITA_STORM=SEED` chooses another one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, openProgram } from "./pages.mjs";

const PARTITIONS = 3;
const TABS = 3;
/** The storm ends after so many events, or so many milliseconds. */
const EVENTS = 16;
const STORM_MS = 30_000;
/** A frozen tab loses its place after 3 to 4 s. */
const FREEZE_MS = 5_000;

/** Numbers below 1 that follow from a seed (mulberry32). */
function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A tab's life: it opens the broker, waits for its turn as long as it takes, then produces and
 * commits until it goes. It tells the test what it begins, before, and what was acknowledged.
 */
const live = (page, life) =>
  page.evaluate(
    async ([life, partitions]) => {
      const { createTopic } = await inPage();
      const tell = (what, ...rest) => window.tell(life, what, ...rest);
      const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
      const onStatus = ({ state }) => void tell("status", state);

      const produce = async (kafka, name, partition) => {
        const producer = kafka.producer({ idempotent: true, retry: { retries: 3 } });
        await producer.connect();
        let next = 0;
        const sends = async () => {
          for (;;) {
            const first = next;
            const count = 1 + (first % 5);
            next += count;
            const values = Array.from({ length: count }, (_, at) => `${name}/${first + at}`);
            const messages = values.map((value) => ({ value, partition }));
            void tell("sends", name, first, count);
            const [{ baseOffset }] = await producer.send({ topic: "orders", messages });
            await tell("acknowledged", name, first, count, partition, Number(baseOffset));
          }
        };
        try {
          await Promise.all([sends(), sends(), sends()]);
        } finally {
          await producer.disconnect();
        }
      };
      const commit = async (kafka) => {
        const admin = kafka.admin({ retry: { retries: 3 } });
        await admin.connect();
        try {
          for (let offset = window.offset ?? 1; ; offset++) {
            window.offset = offset + 1;
            await tell("commits", offset);
            const partitions = [{ partition: 0, offset: `${offset}` }];
            await admin.setOffsets({ groupId: life, topic: "orders", partitions });
            await tell("committed", offset);
            await pause();
          }
        } finally {
          await admin.disconnect();
        }
      };
      /** Again and again: what is not acknowledged is left to its fate. */
      const insist = async (what) => {
        for (let attempt = 0; ; attempt++) await what(attempt).catch(pause);
      };
      (async () => {
        const broker = await Broker.open("storm", { onStatus });
        broker.on("status", onStatus);
        const kafka = new Kafka({ brokers: [broker], logLevel: 0 });
        await createTopic(kafka, "orders", partitions).catch(() => {});
        for (let partition = 0; partition < partitions; partition++) {
          insist((attempt) => produce(kafka, `${life}.${partition}.${attempt}`, partition));
        }
        insist(() => commit(kafka));
      })().catch((error) => tell("failed", String(error)));
    },
    [life, PARTITIONS],
  );

/** What the tabs have told. */
class Told {
  /** By name of a producer and number of its first record: `[count, partition, offset]`. */
  sends = new Map();
  /** By life: the offset committed last, and the one that was tried last. */
  commits = new Map();
  /** Whose broker was the last to run. */
  host = undefined;
  acknowledged = 0;
  failed = [];

  hear(life, what, ...rest) {
    switch (what) {
      case "status":
        if (rest[0] === "running") this.host = life;
        break;
      case "sends": {
        const [name, first, count] = rest;
        this.sends.set(`${name}/${first}`, { name, first, count });
        break;
      }
      case "acknowledged": {
        const [name, first, , partition, offset] = rest;
        Object.assign(this.sends.get(`${name}/${first}`), { partition, offset });
        this.acknowledged++;
        break;
      }
      case "commits":
        this.commits.set(life, { done: 0, ...this.commits.get(life), tried: rest[0] });
        break;
      case "committed":
        this.commits.get(life).done = rest[0];
        break;
      case "failed":
        this.failed.push([life, ...rest]);
        break;
    }
  }
}

/** Everything there is: records as `[partition, offset, value]`, and each life's committed offset. */
const read = (page, lives) =>
  page.evaluate(async (lives) => {
    const { committed, ends, readAll } = await inPage();
    const broker = await Broker.open("storm");
    const kafka = new Kafka({ brokers: [broker], logLevel: 0 });
    const all = await ends(kafka, "orders");
    const count = Object.values(all).reduce((a, b) => a + b);
    const records = await readAll(kafka, "orders", count, "reader");
    const text = new TextDecoder();
    const offsets = [];
    for (const life of lives) {
      offsets.push([life, (await committed(kafka, life, "orders"))["orders-0"]]);
    }
    return {
      ends: all,
      records: records.map(({ partition, offset, value }) => [partition, Number(offset), text.decode(value)]),
      offsets,
    };
  }, lives);

/** Compares what there is with what was told. */
function check(told, found) {
  const wrong = [];
  const at = new Map(found.records.map(([partition, offset, value]) => [`${partition}@${offset}`, value]));
  for (const [place, end] of Object.entries(found.ends)) {
    const partition = place.slice("orders-".length);
    for (let offset = 0; offset < end; offset++) {
      if (!at.has(`${partition}@${offset}`)) wrong.push(`no record at ${place}@${offset}`);
    }
  }
  const places = new Map();
  const last = new Map();
  found.records.sort(([p, a], [q, b]) => p - q || a - b);
  for (const [partition, offset, value] of found.records) {
    const place = `${partition}@${offset}`;
    if (places.has(value)) wrong.push(`${value} is at ${places.get(value)} and at ${place}`);
    places.set(value, place);
    const [name, number] = value.split("/");
    if (Number(number) < (last.get(name) ?? 0)) wrong.push(`${value} at ${place} is behind ${last.get(name)}`);
    last.set(name, Number(number));
  }
  for (const { name, first, count, partition, offset } of told.sends.values()) {
    const values = Array.from({ length: count }, (_, n) => `${name}/${first + n}`);
    const there = values.filter((value) => places.has(value)).length;
    if (offset === undefined) {
      if (there !== 0 && there !== count) wrong.push(`half of ${values} is there`);
      continue;
    }
    values.forEach((value, n) => {
      const place = `${partition}@${offset + n}`;
      if (at.get(place) !== value) wrong.push(`${value} was acknowledged at ${place}: ${at.get(place)}`);
    });
  }
  for (const [life, offset] of found.offsets) {
    const { done, tried } = told.commits.get(life);
    // -1: nothing was committed.
    if (!(offset >= (done || -1) && offset <= tried)) wrong.push(`${life} committed ${done}, tried ${tried}: ${offset}`);
  }
  assert.deepEqual(wrong.slice(0, 20), []);
}

test("a storm of tabs that come and go loses nothing acknowledged", async (t) => {
  const seed = Number(process.env.PARTITA_STORM ?? 1);
  t.diagnostic(`PARTITA_STORM=${seed}`);
  const random = chance(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];

  const { browser, page: first, open } = await openProgram(t);
  browser.expectErrors();
  const told = new Told();
  await browser.context.exposeFunction("tell", (...said) => told.hear(...said));
  await first.close();

  let tabs = [];
  let lives = 0;
  const begin = async (page) => {
    const life = `life${lives++}`;
    await live(page, life);
    return { page, life };
  };
  const more = async () => {
    while (tabs.length < TABS) tabs.push(await begin(await open()));
  };
  const without = (tab) => (tabs = tabs.filter((other) => other !== tab));
  const goes = {
    closed: (tab) => (without(tab), tab.page.close()),
    reloaded: async (tab) => {
      without(tab);
      await tab.page.reload();
      await tab.page.waitForFunction(() => window.loaded);
      tabs.push(await begin(tab.page));
    },
    crashed: async (tab) => {
      without(tab);
      await browser.crash(tab.page);
      await tab.page.close();
    },
    frozen: async (tab) => {
      const renderer = await browser.rendererOf(tab.page);
      browser.signal(renderer, "SIGSTOP");
      await sleep(FREEZE_MS);
      browser.signal(renderer, "SIGCONT");
    },
  };
  const progress = async () => {
    const before = told.acknowledged;
    await eventually(() => told.acknowledged, (now) => now > before + 20);
  };

  await more();
  await progress();
  const log = [];
  const end = Date.now() + STORM_MS;
  for (let event = 0; event < EVENTS && Date.now() < end; event++) {
    // Mostly the host, and sometimes before the next one has begun.
    const host = tabs.find(({ life }) => life === told.host);
    const tab = random() < 0.7 ? (host ?? pick(tabs)) : pick(tabs);
    // Only the host: which process is a tab's is found by its work, and the host works all the time.
    const how = random() < 0.2 && tab === host ? "frozen" : pick(["closed", "reloaded", "crashed"]);
    log.push(`${tab.life}${tab === host ? " (the host)" : ""} is ${how}`);
    await goes[how](tab);
    await more();
    // Which tab is the host must be known before one is frozen again.
    if (how === "frozen" || random() < 0.5) await progress();
    else await sleep(random() * 400);
  }
  t.diagnostic(log.join("; "));
  await progress();
  assert.deepEqual(told.failed, []);

  // As they are, in the middle of it.
  const last = await open();
  for (const { page } of tabs) await page.close();
  check(told, await read(last, [...told.commits.keys()]));
  t.diagnostic(`${told.acknowledged} sends were acknowledged`);
});
