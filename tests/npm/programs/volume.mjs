// Ten thousand records through a few partitions: none lost, none twice, in order; small fetches and large records.

import { inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const [topic, large] = [uniq('orders'), uniq('large')]
  const admin = await withTopics(kafka, [
    { topic, numPartitions: 3 },
    { topic: large, numPartitions: 1, configEntries: [{ name: 'max.message.bytes', value: '8000000' }] },
  ])
  const producer = kafka.producer()
  await producer.connect()
  const codecs = Object.values(kafkajs.CompressionTypes)
  for (let i = 0; i < 20; i += 1) {
    const messages = Array.from({ length: 500 }, (_, j) => {
      const n = i * 500 + j
      return { key: `${n}`, value: `record ${n} `.repeat(10), partition: n % 3 }
    })
    await producer.send({ topic, messages, compression: codecs[i % codecs.length] })
  }
  log('offsets', (await admin.fetchTopicOffsets(topic)).map(({ high }) => Number(high)).sort((a, b) => a - b))

  const read = async (label, topic, config, expected) => {
    const consumer = kafka.consumer({ groupId: uniq(label.replace(/\W+/g, '-')), maxWaitTimeInMs: 50, ...config })
    const box = inbox()
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      partitionsConsumedConcurrently: 3,
      eachMessage: async ({ partition, message: { offset, key, value } }) => box.push({ partition, offset: Number(offset), key, length: value.length }),
    })
    await box.count(expected)
    await consumer.disconnect()
    return box.items
  }
  for (const [label, config] of [['default fetches', {}], ['small fetches', { maxBytes: 20_000, maxBytesPerPartition: 5_000 }]]) {
    const items = await read(label, topic, config, 10_000)
    const last = [-1, -1, -1]
    const ordered = items.every(({ partition, offset, key }) => {
      const inOrder = offset === last[partition] + 1 && Number(key) === offset * 3 + partition
      last[partition] = offset
      return inOrder
    })
    log(label, { records: items.length, ordered })
  }

  for (const size of [3_000_000, 10, 7_000_000]) await producer.send({ topic: large, messages: [{ value: Buffer.alloc(size, 'x') }] })
  log('large records', (await read('large', large, {}, 3)).map(({ offset, length }) => ({ offset, length })))
  log('large records, small fetches', (await read('large, small fetches', large, { maxBytes: 100 }, 3)).map(({ offset, length }) => ({ offset, length })))
}
