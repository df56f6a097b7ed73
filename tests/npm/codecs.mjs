// The codecs that a KafkaJS user installs for Snappy, LZ4 and zstd. Our package has them built in.

import snappy from 'kafkajs-snappy'
import lz4 from 'lz4js'
import xxhash from 'lz4js/xxh32.js'
import * as zstd from '@bokuweb/zstd-wasm'

/** Registers the three codecs with KafkaJS, in the way its documentation gives. */
export const useCodecs = async ({ CompressionTypes, CompressionCodecs }) => {
  await zstd.init()
  CompressionCodecs[CompressionTypes.Snappy] = snappy
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: async encoder => independent(Buffer.from(lz4.compress(encoder.buffer))),
    decompress: async buffer => Buffer.from(lz4.decompress(buffer)),
  })
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async encoder => Buffer.from(zstd.compress(encoder.buffer, 1)),
    decompress: async buffer => Buffer.from(zstd.decompress(buffer)),
  })
}

/**
 * lz4js leaves the frame's block-independence flag unset, and Kafka refuses such frames. A frame of one block (up to
 * 4 MiB, more than any batch here) is independent, so the flag may be set; the header checksum follows.
 */
const independent = frame => {
  frame[4] |= 0x20
  frame[6] = (xxhash.hash(0, frame, 4, 2) >> 8) & 0xff
  return frame
}
