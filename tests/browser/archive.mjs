/**
 * Reads what the broker exports: a tar archive of Kafka's `.log` files (`web/src/storage/export.rs`).
 */

/** All logs: `{ "TOPIC_ID-PARTITION": Map of offset to value, as bytes }`. */
export function logs(archive) {
  const found = {};
  for (const { name, body } of files(archive)) {
    const [log, file] = name.split("/");
    found[log] ??= new Map();
    if (!file.endsWith(".log")) continue;
    for (const { offset, value } of records(body)) found[log].set(offset, value);
  }
  return found;
}

/** The values of a topic's partition, by offset as text, found by one value that it has. */
export function logWith(archive, offset, value) {
  const wanted = Buffer.from(value);
  const all = Object.values(logs(archive));
  return all.find((log) => log.get(offset)?.equals(wanted));
}

function* files(archive) {
  for (let at = 0; archive[at] !== 0; ) {
    const text = (from, length) => archive.toString("latin1", at + from, at + from + length);
    const size = parseInt(text(124, 11), 8);
    const body = archive.subarray(at + 512, at + 512 + size);
    yield { name: text(0, 100).replace(/\0.*/s, ""), body };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** The records of batches in Kafka's format 2 that are not compressed. */
function* records(log) {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = log[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n));
    }
  };
  const bytes = () => {
    const length = varint();
    if (length < 0) return null;
    at += length;
    return log.subarray(at - length, at);
  };
  while (at < log.length) {
    const base = Number(log.readBigInt64BE(at));
    const end = at + 12 + log.readInt32BE(at + 8);
    if (log.readInt8(at + 16) !== 2) throw new Error("not a batch in format 2");
    if (log.readInt16BE(at + 21) & 7) throw new Error("the batch is compressed");
    const count = log.readInt32BE(at + 57);
    at += 61;
    for (let record = 0; record < count; record++) {
      const next = varint();
      const ends = at + next;
      at += 1;
      varint();
      const offset = base + varint();
      bytes();
      yield { offset, value: bytes() };
      at = ends;
    }
    at = end;
  }
}
