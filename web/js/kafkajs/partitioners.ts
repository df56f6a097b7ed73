/**
 * KafkaJS's partitioners. The default one runs in the wasm; these are for who calls one himself,
 * or wraps it.
 */
import { randomUint32, toBytes } from "./bytes.js";
import type { Message, PartitionMetadata } from "./producer-types.js";

export interface PartitionerArgs {
  topic: string;
  partitionMetadata: PartitionMetadata[];
  message: Message;
}

export type Partitioner = (args: PartitionerArgs) => number;
export type ICustomPartitioner = () => Partitioner;

const toPositive = (number: number): number => number & 0x7fffffff;

/** The key's hash if there is a key, or else the next of the partitions that have a leader. */
const partitioner =
  (hash: (key: Uint8Array) => number): ICustomPartitioner =>
  () => {
    const counters = new Map<string, number>();
    return ({ topic, partitionMetadata, message }) => {
      const { partition, key } = message;
      if (partition !== null && partition !== undefined) return partition;
      const count = partitionMetadata.length;
      if (key !== null && key !== undefined) return toPositive(hash(toBytes(key))) % count;
      const turn = (counters.get(topic) ?? randomUint32()) + 1;
      counters.set(topic, turn);
      const available = partitionMetadata.filter(({ leader }) => leader >= 0);
      const chosen = available[toPositive(turn) % available.length];
      return chosen?.partitionId ?? toPositive(turn) % count;
    };
  };

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** MurmurHash2 as in Kafka's Java client. */
function murmur2(data: Uint8Array): number {
  const at = (i: number): number => data[i] ?? 0;
  const { length } = data;
  let h = SEED ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let k = at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = length - i;
  if (rest >= 3) h ^= at(i + 2) << 16;
  if (rest >= 2) h ^= at(i + 1) << 8;
  if (rest >= 1) h = Math.imul(h ^ at(i), M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}

/**
 * KafkaJS 1's hash, with all of its mistakes: products beyond 32 bits in floating point, and one
 * round more than there are whole words. Who has data partitioned by it needs just this.
 */
function legacyMurmur2(data: Uint8Array): number {
  const { length } = data;
  // Beyond the end, as KafkaJS reads it: `undefined & 0xff` is 0.
  const at = (i: number): number => data[i] ?? 0;
  let h = SEED ^ length;
  for (let i = 0; i < length / 4; i += 1) {
    const i4 = i * 4;
    let k = at(i4) + (at(i4 + 1) << 8) + (at(i4 + 2) << 16) + (at(i4 + 3) << 24);
    k *= M;
    k ^= k >>> 24;
    k *= M;
    h *= M;
    h ^= k;
  }
  const rest = length % 4;
  const tail = length & ~3;
  if (rest >= 3) h ^= at(tail + 2) << 16;
  if (rest >= 2) h ^= at(tail + 1) << 8;
  if (rest >= 1) {
    h ^= at(tail);
    h *= M;
  }
  h ^= h >>> 13;
  h *= M;
  h ^= h >>> 15;
  return h;
}

/** The same as a producer's own: Java's hash for keys, and in turn without. */
export const DefaultPartitioner = partitioner(murmur2);
export const LegacyPartitioner = partitioner(legacyMurmur2);

export const Partitioners = {
  DefaultPartitioner,
  LegacyPartitioner,
  /** KafkaJS's old name of the default one. */
  JavaCompatiblePartitioner: DefaultPartitioner,
};

/**
 * Kafka's sticky partitioner, which KafkaJS has not: messages without a key fill one partition's
 * batch before they go to the next. It runs in the wasm alone.
 */
export const StickyPartitioner: ICustomPartitioner = () => () => {
  throw new TypeError("StickyPartitioner works only as a producer's createPartitioner");
};
