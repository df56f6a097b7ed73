// What one member did and committed, its successor does not see again; what it did not commit comes again.

import { byPosition, inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  // Each member has a Kafka of its own: KafkaJS's consumers of one Kafka share what they know of their group's offsets,
  // and one that joins can make the others crash.
  const another = () => new Kafka({ clientId: 'shop', brokers })
  const kafka = another()
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 2 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, partition: i % 2 })) })
  const groupId = uniq('workers')
  const start = async options => {
    const consumer = another().consumer({ groupId, maxWaitTimeInMs: 50, heartbeatInterval: 20 })
    const box = inbox()
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ ...options, eachMessage: async ({ partition, message: { offset } }) => box.push({ partition, offset }) })
    return { consumer, box }
  }
  const first = await start({ autoCommit: false })
  await first.box.count(10)
  await first.consumer.commitOffsets([{ topic, partition: 0, offset: '3' }])
  await first.consumer.disconnect()
  const second = await start()
  await second.box.count(7)
  log('the successor', byPosition(second.box.items))
  await second.consumer.disconnect()
  log('committed', await admin.fetchOffsets({ groupId, topics: [topic] }))
  await producer.send({ topic, messages: [{ value: '10', partition: 0 }] })
  const third = await start()
  await third.box.count(1)
  log('the next one', third.box.items)
}
