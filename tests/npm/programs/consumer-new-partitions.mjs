// A topic that grows: the group notices with its next metadata and takes the new partition, from its beginning.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer({ metadataMaxAge: 50 })
  await producer.connect()
  const consumer = kafka.consumer({ groupId: uniq('workers'), maxWaitTimeInMs: 50, metadataMaxAge: 100 })
  const joins = listen(consumer, 'GROUP_JOIN')
  const box = inbox()
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ eachMessage: async ({ partition, message: { value } }) => box.push(`${partition} ${value}`) })
  await producer.send({ topic, messages: [{ value: 'a', partition: 0 }] })
  await box.count(1)
  log('grow', await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }))
  await joins.until(all => all.at(-1).payload.memberAssignment[topic].length === 2, 'two partitions')
  log('assignments', [joins.items[0], joins.items.at(-1)].map(({ payload }) => payload.memberAssignment))
  const other = kafka.producer()
  await other.connect()
  await other.send({ topic, messages: [{ value: 'b', partition: 1 }] })
  await box.count(2)
  log('read', box.items)
}
