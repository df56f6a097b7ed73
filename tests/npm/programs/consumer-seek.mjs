// seek: forwards, backwards, from inside a handler, before the first fetch, to partitions of others; what it commits.

import { byPosition, fetches, inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 2 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 5 }, (_, i) => ({ value: `${i}`, partition: 0 })) })
  await producer.send({ topic, messages: [{ value: 'other', partition: 1 }] })

  for (const autoCommit of [true, false]) {
    const groupId = uniq(autoCommit ? 'auto' : 'manual')
    const name = autoCommit ? 'autoCommit' : 'no autoCommit'
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
    const commits = listen(consumer, 'COMMIT_OFFSETS')
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const box = inbox()
    const offsets = partition => box.items.filter(item => item.partition === partition).map(({ offset }) => offset)
    await consumer.run({ autoCommit, eachMessage: async ({ partition, message: { offset } }) => box.push({ partition, offset }) })
    await box.count(6)
    const seek = async (offset, expected) => {
      box.items.length = 0
      const result = consumer.seek({ topic, partition: 0, offset })
      await box.count(expected)
      await fetches(consumer, 2)
      return { result, read: offsets(0), other: offsets(1) }
    }
    log(`${name}: to 2`, await seek('2', 3))
    log(`${name}: to the number 4`, await seek(4, 1))
    log(`${name}: to 0`, await seek('0', 5))
    log(`${name}: to the end`, await seek('5', 0))
    log(`${name}: beyond the end, so to the default`, await seek('50', 5))
    box.items.length = 0
    consumer.seek({ topic, partition: 0, offset: '1' })
    consumer.seek({ topic, partition: 0, offset: '3' })
    await box.count(2)
    await fetches(consumer, 2)
    log(`${name}: the last of two wins`, offsets(0))
    consumer.seek({ topic, partition: 5, offset: '1' })
    consumer.seek({ topic: uniq('unknown'), partition: 0, offset: '1' })
    await fetches(consumer, 2)
    log(`${name}: what is not assigned is left alone`, offsets(0))
    await consumer.disconnect()
    if (autoCommit) log(`${name}: committed`, await admin.fetchOffsets({ groupId, topics: [topic] }))
    log(`${name}: there were COMMIT_OFFSETS events`, commits.items.length > 0)
  }

  const inside = kafka.consumer({ groupId: uniq('inside'), maxWaitTimeInMs: 100 })
  await inside.connect()
  await inside.subscribe({ topics: [topic], fromBeginning: true })
  const seen = inbox()
  await inside.run({
    eachMessage: async ({ partition, message: { offset } }) => {
      if (partition === 0 && offset === '1' && seen.items.length < 2) inside.seek({ topic, partition, offset: '4' })
      if (partition === 0) seen.push(offset)
    },
  })
  await seen.count(3)
  log('from inside eachMessage', seen.items)

  const stale = kafka.consumer({ groupId: uniq('stale'), maxWaitTimeInMs: 100 })
  await stale.connect()
  await stale.subscribe({ topics: [topic], fromBeginning: true })
  const batches = inbox()
  await stale.run({
    eachBatch: async ({ batch: { partition, messages }, isStale, resolveOffset }) => {
      if (partition === 1) return
      const before = isStale()
      if (batches.items.length === 0) {
        resolveOffset(messages[0].offset)
        stale.seek({ topic, partition, offset: '3' })
      }
      batches.push({ first: messages[0].offset, before, after: isStale() })
    },
  })
  await batches.count(2)
  log('isStale in eachBatch', batches.items)

  const early = kafka.consumer({ groupId: uniq('early'), maxWaitTimeInMs: 100 })
  await early.connect()
  await early.subscribe({ topics: [topic], fromBeginning: true })
  const first = inbox()
  const running = early.run({ eachMessage: async ({ partition, message: { offset } }) => first.push({ partition, offset }) })
  early.seek({ topic, partition: 0, offset: '3' })
  await running
  await first.count(3)
  log('right after run, not awaited', byPosition(first.items))
}
