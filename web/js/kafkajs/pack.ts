/**
 * Messages side by side in one buffer, with a table of lengths: how they cross into the wasm at
 * once, without an object for each. The form is defined in `core/src/client/producer/record.rs`.
 */
import type { Message } from "./producer-types.js";

const HEAD_WORDS = 2;
const WORDS_PER_RECORD = 6;
const WORDS_PER_HEADER = 2;
/** Up to this length a loop over ASCII text beats the encoder's call. */
const SHORT = 24;
/** A buffer that has grown beyond this is not kept. */
const KEPT = 8 << 20;

const encoder = new TextEncoder();
let bytes = new Uint8Array(64 << 10);

/** Makes room for `size` bytes, of which the first `used` are kept. */
function grow(size: number, used: number): void {
  if (size <= bytes.length) return;
  const larger = new Uint8Array(Math.max(size, 2 * bytes.length));
  larger.set(bytes.subarray(0, used));
  bytes = larger;
}

/** Writes text or bytes; returns where they end. */
function put(value: unknown, at: number): number {
  if (typeof value === "string") {
    const { length } = value;
    grow(at + 3 * length, at);
    if (length <= SHORT) {
      let i = 0;
      for (; i < length; i += 1) {
        const unit = value.charCodeAt(i);
        if (unit > 0x7f) break;
        bytes[at + i] = unit;
      }
      if (i === length) return at + length;
    }
    return at + encoder.encodeInto(value, bytes.subarray(at)).written;
  }
  if (value instanceof Uint8Array) {
    grow(at + value.length, at);
    bytes.set(value, at);
    return at + value.length;
  }
  throw new TypeError(
    `Keys, values and headers are strings, bytes or null; this is ${value === null ? "null" : typeof value}`,
  );
}

/** The names and values of a message's headers; a list is several headers of one name. */
function* headersOf({ headers }: Message): Generator<[string, unknown]> {
  for (const name of Object.keys(headers ?? {})) {
    const value = headers?.[name];
    if (!Array.isArray(value)) yield [name, value];
    else for (const one of value) yield [name, one];
  }
}

/**
 * Packs messages. `partition` says where each goes, −1 where the producer's own partitioner
 * decides. The result is a view that the next call overwrites.
 */
export function pack(messages: readonly Message[], partition: (at: number) => number): Uint8Array {
  let headerCount = 0;
  for (const message of messages) {
    if (message.headers) for (const _ of headersOf(message)) headerCount += 1;
  }
  const headerTable = HEAD_WORDS + messages.length * WORDS_PER_RECORD;
  const tableWords = headerTable + headerCount * WORDS_PER_HEADER;
  // Apart from the data, which may move while it grows.
  const table = new Int32Array(tableWords);
  table[0] = messages.length;
  table[1] = headerCount;
  let word = HEAD_WORDS;
  let headerWord = headerTable;
  let at = tableWords * 4;
  grow(at, 0);
  /** Writes a part; its length goes into the table, −1 for none. */
  const part = (value: unknown): number => {
    if (value === null || value === undefined) return -1;
    const from = at;
    at = put(value, at);
    return at - from;
  };
  messages.forEach((message, index) => {
    table[word] = partition(index);
    table[word + 1] = part(message.key);
    table[word + 2] = part(message.value);
    let headers = 0;
    if (message.headers) {
      for (const [name, value] of headersOf(message)) {
        table[headerWord] = part(name);
        const from = at;
        at = put(value, at);
        table[headerWord + 1] = at - from;
        headerWord += WORDS_PER_HEADER;
        headers += 1;
      }
    }
    table[word + 3] = headers;
    putTimestamp(table, word + 4, message.timestamp);
    word += WORDS_PER_RECORD;
  });
  bytes.set(new Uint8Array(table.buffer), 0);
  const packed = bytes.subarray(0, at);
  if (bytes.length > KEPT) {
    bytes = new Uint8Array(64 << 10);
  }
  return packed;
}

/** Milliseconds in two words, low and high; all ones is the time of the send. */
function putTimestamp(table: Int32Array, word: number, timestamp: unknown): void {
  if (timestamp === undefined || timestamp === null || timestamp === "") {
    table[word] = table[word + 1] = -1;
    return;
  }
  const millis = Number(timestamp);
  if (Number.isSafeInteger(millis)) {
    table[word] = millis | 0;
    table[word + 1] = Math.floor(millis / 2 ** 32);
    return;
  }
  // Throws for what is no whole number.
  const exact = BigInt(timestamp as string);
  table[word] = Number(BigInt.asIntN(32, exact));
  table[word + 1] = Number(BigInt.asIntN(32, exact >> 32n));
}
