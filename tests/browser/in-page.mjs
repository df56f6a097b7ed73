/**
 * What tests do inside a page, with any `Kafka`: `window.partita`, or the package's.
 *
 * A page gets it with `await inPage()` (see pages.mjs). Results are plain values, so that they reach
 * the test.
 */
import { readAll } from "../npm/support.mjs";

export * from "../npm/support.mjs";

/** Does something with a connected admin. */
export async function withAdmin(kafka, act) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
}

export const createTopic = (kafka, topic, numPartitions, configEntries = []) =>
  withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions, configEntries }] }),
  );

/** The log end of each partition: `{ "orders-0": 3 }`. */
export const ends = (kafka, topic) =>
  withAdmin(kafka, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topic);
    return named(topic, offsets.map(({ partition, high }) => [partition, Number(high)]));
  });

/** The committed offset of each partition: `{ "orders-0": 3 }`; -1 where there is none. */
export const committed = (kafka, groupId, topic) =>
  withAdmin(kafka, async (admin) => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return named(topic, partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  });

const named = (topic, pairs) => {
  pairs.sort(([a], [b]) => a - b);
  return Object.fromEntries(pairs.map(([partition, value]) => [`${topic}-${partition}`, value]));
};

/** Sends messages; resolves to `["orders-0@0", …]`, where each batch begins. */
export async function send(kafka, topic, messages, options = {}) {
  const producer = kafka.producer();
  await producer.connect();
  try {
    const results = await producer.send({ topic, messages, ...options });
    return results.map(({ partition, baseOffset }) => `${topic}-${partition}@${baseOffset}`).sort();
  } finally {
    await producer.disconnect();
  }
}

/** All values of a topic as text, by place: `{ "orders-0@0": "one" }`. */
export async function values(kafka, topic, count) {
  const records = await readAll(kafka, topic, count, `reader-${Math.random()}`);
  const entries = records.map(({ partition, offset, value }) => [
    `${topic}-${partition}@${offset}`,
    new TextDecoder().decode(value),
  ]);
  return Object.fromEntries(entries);
}

/** Bytes that can be made again from their number, and that no compression makes smaller. */
export function bytesOf(number, length = 100 + (number % 400)) {
  const bytes = new Uint8Array(length);
  let state = (number + 1) * 2654435761;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

/** What a promise was rejected with, as plain values; undefined if it was not. */
export const rejection = (promise) =>
  promise.then(
    () => undefined,
    (error) => described(error),
  );

const described = (error) => ({
  name: error.name,
  message: error.message,
  type: error.type,
  code: error.code,
  retriable: error.retriable,
  help: error.help,
  failure: error.failure,
  topic: error.topic,
  cause: error.cause && described(error.cause),
});

/**
 * Sends one record after the other until `stopSending`, as `globalThis.sending`. What was
 * acknowledged is in `acknowledged`, by place; `onAcknowledged` hears of each.
 */
export async function keepSending(kafka, topic, { onAcknowledged = () => {} } = {}) {
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  const sending = { acknowledged: {}, count: 0, stopped: false };
  globalThis.sending = sending;
  sending.ended = (async () => {
    for (let n = 0; !sending.stopped; n++) {
      const value = `${topic} ${n}`;
      const [{ partition, baseOffset }] = await producer.send({ topic, messages: [{ value }] });
      const place = `${topic}-${partition}@${baseOffset}`;
      sending.acknowledged[place] = value;
      sending.count++;
      onAcknowledged(place, value);
    }
    await producer.disconnect();
  })();
  sending.ended.catch((error) => (sending.failed = error));
}

/** Ends it; resolves to what was acknowledged. */
export async function stopSending() {
  const { sending } = globalThis;
  sending.stopped = true;
  await sending.ended;
  return sending.acknowledged;
}

/**
 * A member of a group on `orders`: what it was given is in `places`, which partitions it has in
 * `assigned`. `acknowledge()` commits what it was given so far, if it does not do so itself. What
 * else is given is for `kafka.consumer`.
 */
export async function member(kafka, { fromBeginning = true, byHand = false, ...config } = {}) {
  const consumer = kafka.consumer({
    groupId: "billing",
    sessionTimeout: 6_000,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 200,
    ...config,
  });
  const it = { consumer, places: [], assigned: undefined };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    it.assigned = (payload.memberAssignment.orders ?? []).map((number) => `orders-${number}`).sort();
  });
  await consumer.connect();
  await consumer.subscribe({ topics: ["orders"], fromBeginning });
  await consumer.run({
    autoCommit: !byHand,
    autoCommitThreshold: 1,
    eachMessage: async ({ topic, partition, message }) => {
      it.places.push(`${topic}-${partition}@${message.offset}`);
    },
  });
  it.acknowledge = () => {
    const next = new Map();
    for (const place of it.places) {
      const [, partition, offset] = /^orders-(\d+)@(\d+)$/.exec(place);
      next.set(Number(partition), String(Number(offset) + 1));
    }
    const offsets = [...next].map(([partition, offset]) => ({ topic: "orders", partition, offset }));
    return consumer.commitOffsets(offsets);
  };
  return it;
}

/**
 * A `Kafka` on the same brokers that can `die`: from then on nothing of what its clients say leaves
 * them, as when the thread of a program is killed.
 */
export function mortal(kafka) {
  const { kafkajs, brokers } = kafka;
  const ports = [];
  const mortals = [...brokers].map((broker) => ({
    name: broker.name,
    connect: (onPort) => {
      const port = broker.connect(onPort);
      ports.push(port);
      return port;
    },
  }));
  const mortal = new kafkajs.Kafka({ clientId: "mortal", brokers: mortals });
  return { kafka: mortal, die: () => ports.forEach((port) => port.close()) };
}

/** Reads until it gets what is wanted; fails with what was there instead. */
export async function eventually(read, wanted, limit = 120_000) {
  const deadline = performance.now() + limit;
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`not in time: ${wanted}\nlast seen: ${JSON.stringify(value)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until exactly these were given, in whatever order. */
export const received = (it, places) =>
  eventually(
    () => JSON.stringify([...it.places].sort()),
    (seen) => seen === JSON.stringify([...places].sort()),
  );

/** Waits until a member has as many partitions as that; resolves to them. */
export const owns = (it, count) => eventually(() => it.assigned, (assigned) => assigned?.length === count);

/** Waits until the group's saved offset in that partition is that. */
export const committedIs = (kafka, groupId, place, wanted) =>
  eventually(
    async () => (await committed(kafka, groupId, "orders"))[place],
    (offset) => offset === wanted,
  );

/** Fails with both values when they differ. */
export function same(found, wanted) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`found ${a}\nwanted ${b}`);
}
