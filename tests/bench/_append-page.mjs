/** The page's half of `append-durable.mjs`: our client on our broker, and the raw limit. */
const POOL = 4 << 20;

/** Bytes that no compression makes smaller, of which values are pieces. */
const pool = new Uint8Array(POOL);
for (let at = 0; at < POOL; at += 65_536) crypto.getRandomValues(pool.subarray(at, at + 65_536));

const raw = new Worker(new URL("./_raw-worker.mjs", import.meta.url), { type: "module" });

let producer;

/** Opens the broker and makes a topic of one partition for each name. */
export async function open(topics) {
  const broker = await Broker.open("bench", { durability: "strict" });
  const kafka = new Kafka({ brokers: [broker] });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 1 })) });
  await admin.disconnect();
  producer = kafka.producer();
  await producer.connect();
}

/** How long IndexedDB takes for that many bytes, in milliseconds. */
export function limit(bytes) {
  return new Promise((resolve, reject) => {
    raw.onmessage = ({ data }) => resolve(data);
    raw.onerror = ({ message }) => reject(new Error(message));
    raw.postMessage({ bytes, durability: "strict" });
  });
}

/** How long our sends take until all are acknowledged, in milliseconds. */
export async function append({ topic, valueBytes, perSend, unanswered, sends }) {
  let at = 0;
  const value = () => {
    at = (at + valueBytes * 7) % (POOL - valueBytes);
    return { value: pool.subarray(at, at + valueBytes) };
  };
  const batches = Array.from({ length: sends }, () => Array.from({ length: perSend }, value));
  const begun = performance.now();
  const lane = async () => {
    for (let messages; (messages = batches.pop()); ) {
      await producer.send({ topic, messages, acks: -1 });
    }
  };
  await Promise.all(Array.from({ length: Math.min(unanswered, sends) }, lane));
  return performance.now() - begun;
}
