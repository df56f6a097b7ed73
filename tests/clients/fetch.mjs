// Asks a broker what it has stored, in bytes: one Fetch by hand, so that no client stands between.

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

/** Fetch, version 11, of partition 0 from its beginning: the record batches. */
const fetchBatches = async (address, topic) => {
  const [, host, port] = /^(.*):(\d+)$/.exec(address)
  const partition = [int32(0), int32(-1), int64(0n), int64(-1n), int32(MAX_BYTES)]
  const body = Buffer.concat([
    int16(1), int16(11), int32(1), string('test'),
    int32(-1), int32(0), int32(1), int32(MAX_BYTES), Buffer.of(0), int32(0), int32(-1),
    int32(1), string(topic), int32(1), ...partition,
    int32(0), string(''),
  ])
  const socket = connect(Number(port), host)
  await once(socket, 'connect')
  socket.write(Buffer.concat([int32(body.length), body]))
  let response = Buffer.alloc(0)
  while (response.length < 4 || response.length < 4 + response.readInt32BE(0)) {
    const [chunk] = await once(socket, 'data')
    response = Buffer.concat([response, chunk])
  }
  socket.destroy()
  // Length, correlation id, throttle time, error code, session id; one topic; one partition: its number, error code,
  // high watermark, last stable offset, log start offset, no aborted transactions, preferred replica.
  const head = 4 + 4 + 4 + 2 + 4 + 4 + string(topic).length + 4
  const errorCode = response.readInt16BE(head + 4)
  if (errorCode !== 0) throw new Error(`Fetch of ${topic}: error code ${errorCode}`)
  const records = head + 4 + 2 + 8 + 8 + 8 + 4 + 4
  return response.subarray(records + 4, records + 4 + response.readInt32BE(records))
}

/** The codecs of a topic's batches in partition 0, each named once. */
export const storedCodecs = async (address, topic) => {
  const batches = await fetchBatches(address, topic)
  const codecs = new Set()
  // Base offset, length, leader epoch, magic, CRC, attributes.
  for (let at = 0; at < batches.length; at += 8 + 4 + batches.readInt32BE(at + 8)) {
    codecs.add(CODECS[batches.readInt16BE(at + 8 + 4 + 4 + 1 + 4) & 7])
  }
  return [...codecs]
}
