// Kafka's protocol by hand, for what no client shows: stored bytes, and connections that are used badly.

import { once } from 'node:events'
import { connect } from 'node:net'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const MAX_BYTES = 64 << 20

const int16 = value => {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
const int32 = value => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const int64 = value => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
const string = value => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])

const request = (key, version, correlation, ...body) =>
  Buffer.concat([int16(key), int16(version), int32(correlation), string('test'), ...body])

/** ApiVersions, version 0. */
export const apiVersions = correlation => request(18, 0, correlation)

/** Fetch, version 11, of partition 0 from an offset; waits for `minBytes` as long as that. */
export const fetch = (correlation, topic, { offset = 0n, maxWait = 0, minBytes = 1, maxBytes = MAX_BYTES } = {}) =>
  request(
    1, 11, correlation,
    int32(-1), int32(maxWait), int32(minBytes), int32(maxBytes), Buffer.of(0), int32(0), int32(-1),
    int32(1), string(topic), int32(1), int32(0), int32(-1), int64(offset), int64(-1n), int32(maxBytes),
    int32(0), string(''),
  )

/** One connection. Responses are read when they are asked for, and not before. */
export class Connection {
  #socket
  #wake = () => {}

  static async open(address) {
    const [, host, port] = /^(.*):(\d+)$/.exec(address)
    const socket = connect(Number(port), host)
    await once(socket, 'connect')
    return new Connection(socket)
  }

  constructor(socket) {
    this.#socket = socket
    for (const event of ['readable', 'end', 'close']) socket.on(event, () => this.#wake())
  }

  /** Sends frames; what the socket does not take waits. */
  send(...frames) {
    for (const frame of frames) this.#socket.write(Buffer.concat([int32(frame.length), frame]))
  }

  /** Resolves to the next response, which begins with its correlation id. */
  async receive() {
    const [length] = await this.#read(4)
    return Buffer.concat(await this.#read(length.readInt32BE(0)))
  }

  /** That many bytes: in one piece if they are few. */
  async #read(bytes) {
    const pieces = []
    while (bytes > 0) {
      const piece = this.#socket.read(Math.min(bytes, 16_384))
      if (piece) {
        pieces.push(piece)
        bytes -= piece.length
      } else if (this.#socket.readableEnded || this.#socket.destroyed) {
        throw new Error('the connection was closed')
      } else {
        await new Promise(resolve => {
          this.#wake = resolve
        })
      }
    }
    return pieces
  }

  close() {
    this.#socket.destroy()
  }
}

/** The record batches of a response to `fetch`. */
export const batches = (response, topic) => {
  // Correlation id, throttle time, error code, session id; one topic; one partition: its number, error code, high
  // watermark, last stable offset, log start offset, no aborted transactions, preferred replica.
  const head = 4 + 4 + 2 + 4 + 4 + string(topic).length + 4
  const errorCode = response.readInt16BE(head + 4)
  if (errorCode !== 0) throw new Error(`Fetch of ${topic}: error code ${errorCode}`)
  const records = head + 4 + 2 + 8 + 8 + 8 + 4 + 4
  return response.subarray(records + 4, records + 4 + response.readInt32BE(records))
}

/** A topic's batches in partition 0, in order: `{ codec, bytes }`. */
export const storedBatches = async (address, topic) => {
  const connection = await Connection.open(address)
  connection.send(fetch(1, topic))
  const stored = batches(await connection.receive(), topic)
  connection.close()
  const found = []
  let at = 0
  while (at < stored.length) {
    // Base offset, length, leader epoch, magic, CRC, attributes.
    const bytes = 8 + 4 + stored.readInt32BE(at + 8)
    found.push({ codec: CODECS[stored.readInt16BE(at + 8 + 4 + 4 + 1 + 4) & 7], bytes })
    at += bytes
  }
  return found
}
