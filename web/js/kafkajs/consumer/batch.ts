/**
 * Batches as KafkaJS gives them, made from records that cross the wasm's border packed: all bytes in
 * one buffer, with a table of lengths (`core/src/records/packed.rs`).
 */
import { toBuffer } from "../bytes.js";
import type { WireBatch } from "../glue.js";
import type * as types from "./types.js";

const decoder = new TextDecoder();

/** Two words of the table as a number; exact up to 2^53, which no offset or time exceeds. */
const whole = (low: number, high: number): number => high * 2 ** 32 + (low >>> 0);

/**
 * The messages of a batch, one after another, each made when it is asked for. Keys, values and
 * headers are views of the batch's one buffer.
 */
export function* messagesOf({ data, table, count }: WireBatch): Generator<types.RecordBatchEntry> {
  let word = 0;
  let at = 0;
  const next = (): number => table[word++] as number;
  const bytes = (length: number): Buffer | null => {
    if (length < 0) return null;
    const from = at;
    at += length;
    return toBuffer(data.subarray(from, at));
  };
  for (let left = count; left > 0; left -= 1) {
    const offset = String(whole(next(), next()));
    const timestamp = String(whole(next(), next()));
    const key = bytes(next());
    const value = bytes(next());
    const headers: types.RecordBatchEntry["headers"] = {};
    for (let more = next(); more > 0; more -= 1) {
      const length = next();
      const name = decoder.decode(data.subarray(at, at + length));
      at += length;
      addHeader(headers as Record<string, unknown>, name, bytes(next()));
    }
    const message = {
      magicByte: 2,
      attributes: 0,
      timestamp,
      offset,
      key,
      value,
      headers,
      isControlRecord: false,
    };
    yield message;
  }
}

/** Headers of one name become a list, as in KafkaJS. Names may be those of `Object`'s own. */
function addHeader(headers: Record<string, unknown>, name: string, value: Buffer | null): void {
  const known = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (Array.isArray(known)) {
    known.push(value);
    return;
  }
  Object.defineProperty(headers, name, {
    value: known === undefined ? value : [known, value],
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** What is known of a batch without looking at its messages. */
export class BatchHead {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: string;
  #first: string;
  #last: string;

  constructor({ topic, partition, highWatermark, firstOffset, lastOffset }: WireBatch) {
    this.topic = topic;
    this.partition = partition;
    this.highWatermark = highWatermark;
    this.#first = firstOffset;
    this.#last = lastOffset;
  }

  firstOffset(): string {
    return this.#first;
  }

  lastOffset(): string {
    return this.#last;
  }

  /** How many offsets there are after the batch's last. */
  offsetLag(): string {
    return this.#lag(this.#last);
  }

  /** How many offsets there are after the batch's first. */
  offsetLagLow(): string {
    return this.#lag(this.#first);
  }

  #lag(offset: string): string {
    return String(BigInt(this.highWatermark) - 1n - BigInt(offset));
  }
}

/** KafkaJS's batch. */
export class Batch extends BatchHead implements types.Batch {
  readonly messages: types.KafkaMessage[];
  /** The same messages: what consumers do not see does not come this far. */
  readonly rawMessages: types.KafkaMessage[];

  constructor(wire: WireBatch) {
    super(wire);
    this.messages = [...messagesOf(wire)];
    this.rawMessages = this.messages;
  }

  isEmpty(): boolean {
    return this.messages.length === 0;
  }
}
