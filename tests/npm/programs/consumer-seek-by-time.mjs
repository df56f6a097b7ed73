// Starting at a point in time: fetchTopicOffsetsByTimestamp, then seek.

import { byPosition, inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '-1' }] }])
  const producer = kafka.producer()
  await producer.connect()
  const start = 1700000000000
  await producer.send({
    topic,
    messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, partition: i % 2, timestamp: `${start + i * 1000}` })),
  })
  const positions = byPosition(await admin.fetchTopicOffsetsByTimestamp(topic, start + 6500))
  log('positions', positions)
  const consumer = kafka.consumer({ groupId: uniq('since'), maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic] })
  const box = inbox()
  consumer.run({ eachMessage: async ({ partition, message: { offset, value, timestamp } }) => box.push({ partition, offset, value, timestamp }) })
  for (const { partition, offset } of positions) consumer.seek({ topic, partition, offset })
  await box.count(3)
  log('read', byPosition(box.items))
}
