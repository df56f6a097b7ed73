// maxBytesPerPartition: a fetch gives at least one whole record batch; a start inside a batch skips what lies before.

import { inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  for (const size of [1, 3, 2]) {
    await producer.send({
      topic,
      compression: kafkajs.CompressionTypes.GZIP,
      messages: Array.from({ length: size }, (_, i) => ({ value: `${size} ${i}` })),
    })
  }
  const batches = async (groupId, config, expected) => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, ...config })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const box = inbox()
    await consumer.run({
      eachBatch: async ({ batch }) => {
        box.push({ first: batch.firstOffset(), last: batch.lastOffset(), lag: batch.offsetLag(), length: batch.messages.length })
      },
    })
    await box.until(all => all.reduce((sum, { length }) => sum + length, 0) >= expected, `${expected} messages`)
    await consumer.disconnect()
    return box.items
  }
  log('one byte per partition', await batches(uniq('one-byte'), { maxBytesPerPartition: 1 }, 6))
  log('one byte in all', await batches(uniq('one-byte-all'), { maxBytes: 1 }, 6))
  log('as much as there is', await batches(uniq('plenty'), {}, 6))
  await admin.setOffsets({ groupId: uniq('inside'), topic, partitions: [{ partition: 0, offset: '2' }] })
  log('from inside a batch', await batches(uniq('inside'), { maxBytesPerPartition: 1 }, 4))
}
