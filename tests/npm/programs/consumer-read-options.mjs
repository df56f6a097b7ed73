// Options that change how records arrive but not which: waits, minimum sizes, isolation, rack.

import { inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: ['a', 'b', 'c'].map(value => ({ value })) })
  const variants = {
    'defaults but for the wait': {},
    'minBytes above what there is': { minBytes: 100_000 },
    'readUncommitted': { readUncommitted: true },
    'a rack': { rackId: 'rack-1' },
    'one request in flight': { maxInFlightRequests: 1 },
    'small sizes': { maxBytes: 10, maxBytesPerPartition: 10 },
  }
  for (const [label, config] of Object.entries(variants)) {
    const consumer = kafka.consumer({ groupId: uniq(label.replace(/\W+/g, '-')), maxWaitTimeInMs: 50, ...config })
    const box = inbox()
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message: { offset, value } }) => box.push(`${offset} ${value}`) })
    await box.count(3)
    await consumer.disconnect()
    log(label, box.items)
  }
}
