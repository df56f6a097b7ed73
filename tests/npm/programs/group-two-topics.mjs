// The round-robin assigner over several topics, and members of one group that subscribe to different topics.

import { inbox, unordered, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  // Each member has a Kafka of its own: KafkaJS's consumers of one Kafka share what they know of their group's offsets,
  // and one that joins can make the others crash.
  const another = () => new Kafka({ clientId: 'shop', brokers })
  const kafka = another()
  const [orders, payments] = [uniq('orders'), uniq('payments')]
  await withTopics(kafka, [{ topic: orders, numPartitions: 3 }, { topic: payments, numPartitions: 3 }])
  const groupId = uniq('workers')
  const joins = inbox()
  const members = []
  const start = async topics => {
    const consumer = another().consumer({ groupId, maxWaitTimeInMs: 50, heartbeatInterval: 20 })
    const member = { assigned: null }
    members.push(member)
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      member.assigned = payload.memberAssignment
      member.leaderId = payload.leaderId
      joins.push(payload)
    })
    await consumer.connect()
    await consumer.subscribe({ topics })
    await consumer.run({ eachMessage: async () => {} })
  }
  const count = assigned => Object.values(assigned).flat().length
  await start([orders, payments])
  log('alone', Object.entries(members[0].assigned).sort().map(([topic, partitions]) => ({ topic, partitions })))
  await start([orders, payments])
  await joins.until(
    () => members.every(({ assigned }) => assigned && count(assigned) === 3),
    'three partitions each'
  )
  const all = members.flatMap(({ assigned }) => Object.entries(assigned).flatMap(([topic, partitions]) => partitions.map(partition => `${topic} ${partition}`)))
  log('two members', { counts: members.map(({ assigned }) => count(assigned)), together: unordered(all) })
}
