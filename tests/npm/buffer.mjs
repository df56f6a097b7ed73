// As much of Node's `Buffer` as the programs use, for pages: programs for KafkaJS bring one in their bundles.

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const fromHex = text => Uint8Array.from(text.match(/../g) ?? [], byte => parseInt(byte, 16))
const fromBase64 = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
const toHex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

// Of the same name, for programs that look at it.
class Buffer extends Uint8Array {
  static from(source, encodingOrOffset, length) {
    if (typeof source === 'string') {
      const read = { hex: fromHex, base64: fromBase64 }[encodingOrOffset] ?? (text => encoder.encode(text))
      return Buffer.from(read(source))
    }
    if (source instanceof ArrayBuffer) return new Buffer(source, encodingOrOffset, length)
    return new Buffer(Uint8Array.from(source).buffer)
  }

  static alloc(size) {
    return new Buffer(size)
  }

  static isBuffer(value) {
    return value instanceof Buffer
  }

  equals(other) {
    return this.length === other.length && this.every((byte, at) => byte === other[at])
  }

  toString(encoding = 'utf8') {
    return encoding === 'hex' ? toHex(this) : decoder.decode(this)
  }
}

if (globalThis.Buffer === undefined) globalThis.Buffer = Buffer
