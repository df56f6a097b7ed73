// seek to '-1' and '-2': the position then follows the topic's fromBeginning, as after a lost offset.

import { fetches, inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: ['0', '1', '2'].map(value => ({ value })) })

  const consumer = kafka.consumer({ groupId: uniq('beginning'), maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const box = inbox()
  await consumer.run({ eachMessage: async ({ message: { offset } }) => box.push(offset) })
  await box.count(3)
  for (const offset of ['-2', '-1']) {
    box.items.length = 0
    consumer.seek({ topic, partition: 0, offset })
    await box.count(3)
    log(`fromBeginning, seek to ${offset}`, box.items)
  }

  const latest = kafka.consumer({ groupId: uniq('end'), maxWaitTimeInMs: 100 })
  await latest.connect()
  await latest.subscribe({ topics: [topic] })
  const tail = inbox()
  await latest.run({ eachMessage: async ({ message: { offset } }) => tail.push(offset) })
  await fetches(latest, 2)
  for (const offset of ['-2', '-1']) {
    latest.seek({ topic, partition: 0, offset })
    await fetches(latest, 2)
  }
  log('not fromBeginning: nothing read', tail.items)
  await producer.send({ topic, messages: [{ value: '3' }] })
  await tail.count(1)
  log('not fromBeginning: what comes next', tail.items)
}
