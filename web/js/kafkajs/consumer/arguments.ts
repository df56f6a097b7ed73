/** What a consumer's methods refuse, in KafkaJS's order and words. */
import { KafkaJSNonRetriableError } from "../errors.js";
import type { TopicPartitionOffsetAndMetadata } from "../types.js";
import type { ConsumerSubscribeTopic, ConsumerSubscribeTopics } from "./types.js";

export function refuse(message: string): never {
  throw new KafkaJSNonRetriableError(message);
}

/** The topics of a subscription. */
export function checkSubscription(
  subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic,
): (string | RegExp)[] {
  const { topic, topics } = subscription as Partial<
    ConsumerSubscribeTopics & ConsumerSubscribeTopic
  >;
  if (!topic && !topics) refuse('Missing required argument "topics"');
  if (topics !== undefined && topics !== null && !Array.isArray(topics)) {
    refuse('Argument "topics" must be an array');
  }
  const wanted = topics ?? [topic as string | RegExp];
  for (const one of wanted) {
    if (typeof one !== "string" && !(one instanceof RegExp)) {
      refuse(
        `Invalid topic ${String(one)} (${typeof one}), the topic name has to be a String or a RegExp`,
      );
    }
  }
  return wanted;
}

/** What is no text must not reach the wasm: its glue takes the length of whatever it is given. */
function checkTopic(topic: unknown): void {
  if (!topic || typeof topic !== "string") refuse(`Invalid topic ${String(topic)}`);
}

/** What is no number, or none of 32 bits: cut to them it would be another partition. */
function isNoPartition(partition: unknown): boolean {
  return (Number(partition) | 0) !== Number(partition);
}

function checkPartition(topic: unknown, partition: unknown): void {
  checkTopic(topic);
  if (isNoPartition(partition)) {
    refuse(`Invalid partition, expected a number received ${String(partition)}`);
  }
}

/** An offset as a whole number, whatever it came as: text, a number, a bigint, KafkaJS's Long. */
function checkOffset(offset: unknown): bigint {
  const text = offset === null || offset === undefined ? "" : String(offset).trim();
  if (!/^[+-]?\d+$/.test(text) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) {
    refuse(`Invalid offset, expected a long received ${String(offset)}`);
  }
  return BigInt(text);
}

export interface Seek {
  topic: string;
  partition: number;
  offset: string;
}

/** −1 and −2 are where a new group would start. */
export function checkSeek({ topic, partition, offset }: Seek): Seek {
  checkPartition(topic, partition);
  const sought = checkOffset(offset);
  if (sought < -2n) refuse("Offset must not be a negative number");
  return { topic, partition: Number(partition), offset: String(sought) };
}

export function checkCommit({
  topic,
  partition,
  offset,
  metadata = null,
}: TopicPartitionOffsetAndMetadata): object {
  checkPartition(topic, partition);
  const committed = checkOffset(offset);
  if (committed < 0n) refuse("Offset must not be a negative number");
  if (metadata !== null && typeof metadata !== "string") {
    refuse(`Invalid offset metadata, expected string or null, received ${String(metadata)}`);
  }
  const own = { topic, partition: Number(partition), offset: String(committed) };
  return metadata === null ? own : { ...own, metadata };
}

/** Topics to pause or resume, each with partitions or none for all. */
export function checkPartitions(
  list: { topic: string; partitions?: number[] }[],
  what: "pause" | "resume",
): [topic: string, partitions: Int32Array | undefined][] {
  for (const one of list) {
    checkTopic(one?.topic);
    const { partitions } = one;
    if (partitions !== undefined && (!Array.isArray(partitions) || partitions.some(isNoPartition))) {
      refuse(
        `Array of valid partitions required to ${what} specific partitions instead of ${String(partitions)}`,
      );
    }
  }
  return list.map(({ topic, partitions }) => [
    topic,
    partitions && Int32Array.from(partitions, Number),
  ]);
}
