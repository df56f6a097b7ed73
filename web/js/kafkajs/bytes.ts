/** Bytes and text, in Node and in pages. */

const encoder = new TextEncoder();

/** The bytes of a key or value: text is UTF-8. */
export function toBytes(value: string | Uint8Array): Uint8Array {
  return value instanceof Uint8Array ? value : encoder.encode(String(value));
}

/** Any number of 32 bits. */
export function randomUint32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
