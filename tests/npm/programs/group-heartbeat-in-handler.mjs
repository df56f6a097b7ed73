// heartbeat() inside a long handler: it tells of a rebalance by rejecting; the message comes again afterwards.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  // Each member has a Kafka of its own: KafkaJS's consumers of one Kafka share what they know of their group's offsets,
  // and one that joins can make the others crash.
  const another = () => new Kafka({ clientId: 'shop', brokers })
  const kafka = another()
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 2 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'a', partition: 0 }, { value: 'b', partition: 1 }] })
  const groupId = uniq('workers')
  const config = { groupId, maxWaitTimeInMs: 50, heartbeatInterval: 20 }

  const first = another().consumer(config)
  const events = listen(first, 'GROUP_JOIN', 'REBALANCING')
  const entered = inbox()
  const done = inbox()
  const failures = []
  await first.connect()
  await first.subscribe({ topics: [topic], fromBeginning: true })
  await first.run({
    eachMessage: async ({ message: { value }, heartbeat }) => {
      entered.push(value.toString())
      while (failures.length === 0) {
        try {
          await heartbeat()
        } catch (error) {
          failures.push(error)
          throw error
        }
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      done.push(value.toString())
    },
  })
  await entered.count(1)

  const second = another().consumer(config)
  await second.connect()
  await second.subscribe({ topics: [topic], fromBeginning: true })
  await second.run({ eachMessage: async ({ message: { value } }) => done.push(value.toString()) })
  await done.count(2)
  log('what heartbeat said', failures)
  log('events of the first member', events.items.map(({ type }) => type).slice(0, 3))
  log('each message was done', [...done.items].sort())
}
