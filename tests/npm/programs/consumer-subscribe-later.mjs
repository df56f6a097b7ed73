// Between two runs: another topic beside the first, or from elsewhere; what was read is not read again.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const [orders, payments] = [uniq('orders'), uniq('payments')]
  await withTopics(kafka, [{ topic: orders, numPartitions: 1 }, { topic: payments, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  const send = value => producer.sendBatch({ topicMessages: [orders, payments].map(topic => ({ topic, messages: [{ value }] })) })
  await send('first')
  const consumer = kafka.consumer({ groupId: uniq('readers'), maxWaitTimeInMs: 100 })
  const joins = listen(consumer, 'GROUP_JOIN')
  const box = inbox()
  const run = () => consumer.run({ eachMessage: async ({ topic, message: { value } }) => box.push(`${topic} ${value}`) })
  await consumer.connect()
  await consumer.subscribe({ topics: [orders], fromBeginning: true })
  await run()
  await box.count(1)
  await consumer.stop()
  log('one topic', [...box.items])
  await consumer.subscribe({ topics: [payments], fromBeginning: true })
  await send('second')
  await run()
  await box.count(4)
  log('two topics', [...box.items].sort())
  await consumer.disconnect()
  await send('third')
  await consumer.connect()
  await run()
  await box.count(6)
  log('after connecting again', [...box.items].sort())
  log('assigned', joins.items.map(({ payload: { memberAssignment } }) => Object.keys(memberAssignment).sort()))
}
