/**
 * Bytes and text, in Node and in pages. KafkaJS gives keys, values and headers as Node's `Buffer`;
 * where there is none, they are arrays of bytes that print like one.
 */

const encoder = new TextEncoder();

/** The bytes of a key or value: text is UTF-8. */
export function toBytes(value: string | Uint8Array): Uint8Array {
  return value instanceof Uint8Array ? value : encoder.encode(String(value));
}

/** Any number of 32 bits. */
export function randomUint32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

/** What programs use of a `Buffer`, on plain bytes. */
export class Bytes extends Uint8Array {
  /** Text, by default of UTF-8. */
  override toString(encoding = "utf8", start = 0, end = this.length): string {
    const bytes = this.subarray(start, end);
    switch (encoding) {
      case "utf8":
      case "utf-8":
        return new TextDecoder().decode(bytes);
      case "latin1":
      case "binary":
        return binary(bytes);
      case "ascii":
        return binary(bytes.map((byte) => byte & 0x7f));
      case "base64":
        return btoa(binary(bytes));
      case "hex":
        return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      default:
        throw new TypeError(`Unknown encoding: ${encoding}`);
    }
  }

  toJSON(): { type: "Buffer"; data: number[] } {
    return { type: "Buffer", data: Array.from(this) };
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, at) => byte === other[at]);
  }
}

const binary = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

/** The same bytes as a `Buffer`, or as what stands in for it; nothing is copied. */
export function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return typeof Buffer === "undefined"
    ? (new Bytes(buffer as ArrayBuffer, byteOffset, byteLength) as unknown as Buffer)
    : Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
