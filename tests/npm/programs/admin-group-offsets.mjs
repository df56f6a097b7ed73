// fetchOffsets, setOffsets, resetOffsets: a group's offsets without its members.

import { byTopic, inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const [orders, payments] = [uniq('orders'), uniq('payments')]
  const admin = await withTopics(kafka, [{ topic: orders, numPartitions: 2 }, { topic: payments, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.sendBatch({
    topicMessages: [
      { topic: orders, messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, partition: i % 2 })) },
      { topic: payments, messages: [{ value: 'p' }] },
    ],
  })
  const consume = async (groupId, count) => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50 })
    const box = inbox()
    await consumer.connect()
    await consumer.subscribe({ topics: [orders, payments], fromBeginning: true })
    await consumer.run({ eachMessage: async ({ topic, partition, message: { offset } }) => box.push(`${topic} ${partition}@${offset}`) })
    await box.count(count)
    await consumer.disconnect()
    return [...box.items].sort()
  }
  const fetch = async (groupId, options) => byTopic(await admin.fetchOffsets({ groupId, ...options }))
  const reader = uniq('reader')
  await consume(reader, 11)
  log('all topics of the group', await fetch(reader))
  log('an empty list is all', await fetch(reader, { topics: [] }))
  log('one topic', await fetch(reader, { topics: [payments] }))
  log('two topics', await fetch(reader, { topics: [payments, orders] }))
  log('an unknown group', await fetch(uniq('nobody'), { topics: [orders] }))
  log('an unknown group, all topics', await fetch(uniq('nobody')))

  // Each of these takes KafkaJS five seconds: it joins the group with a consumer that has paused everything.
  const [set, fresh, earliest, latest] = ['set', 'fresh', 'earliest', 'latest'].map(uniq)
  await Promise.all([consume(set, 11), consume(earliest, 11), consume(latest, 11)])
  const [toSet, toFresh, toEarliest, toLatest] = await Promise.all([
    admin.setOffsets({ groupId: set, topic: orders, partitions: [{ partition: 0, offset: '2' }] }),
    kafka.admin().setOffsets({ groupId: fresh, topic: orders, partitions: [{ partition: 0, offset: '4' }, { partition: 1, offset: '1' }] }),
    kafka.admin().resetOffsets({ groupId: earliest, topic: orders, earliest: true }),
    kafka.admin().resetOffsets({ groupId: latest, topic: orders }),
  ])
  log('results', [toSet, toFresh, toEarliest, toLatest])
  log('setOffsets', await fetch(set, { topics: [orders, payments] }))
  log('setOffsets of a group that was not there', await fetch(fresh, { topics: [orders] }))
  log('its state', (await admin.describeGroups([fresh])).groups.map(({ state, protocolType }) => ({ state, protocolType })))
  log('resetOffsets to earliest', await fetch(earliest, { topics: [orders] }))
  log('resetOffsets to latest', await fetch(latest, { topics: [orders] }))
  log('read on after setOffsets', await consume(set, 3))
  log('read on in the new group', await consume(fresh, 6))
  log('read on after earliest', await consume(earliest, 10))
}
