// A handler that throws: the message comes again, the ones before it stay done and committed, the group does not move.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 5 }, (_, i) => ({ value: `${i}` })) })
  const start = async (group, handler) => {
    const groupId = uniq(group)
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, retry: { initialRetryTime: 10, retries: 5 } })
    const events = listen(consumer, 'GROUP_JOIN', 'REBALANCING', 'CRASH', 'STOP')
    const commits = listen(consumer, 'COMMIT_OFFSETS')
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run(handler)
    return { groupId, events, commits }
  }
  const offsets = ({ items }) => items.map(({ payload }) => String(payload.topics[0].partitions[0].offset))

  const seen = inbox()
  const messages = await start('messages', {
    eachMessage: async ({ message: { offset } }) => {
      seen.push(offset)
      if (offset === '2' && seen.items.filter(it => it === '2').length < 3) throw new Error('not yet')
    },
  })
  await seen.count(7)
  await messages.commits.until(all => offsets({ items: all }).includes('5'), 'the last commit')
  log('eachMessage', { seen: seen.items, commits: offsets(messages.commits), events: messages.events.items.map(({ type }) => type) })
  log('committed', await admin.fetchOffsets({ groupId: messages.groupId, topics: [topic] }))

  const calls = inbox()
  const batches = await start('batches', {
    eachBatch: async ({ batch, resolveOffset }) => {
      calls.push(batch.messages.map(({ offset }) => offset).join(' '))
      if (calls.items.length === 1) {
        resolveOffset('1')
        throw new Error('half done')
      }
      if (calls.items.length === 2) throw new Error('again')
    },
  })
  await calls.count(3)
  await batches.commits.until(all => offsets({ items: all }).includes('5'), 'the last commit')
  log('eachBatch', { calls: calls.items, commits: offsets(batches.commits), events: batches.events.items.map(({ type }) => type) })

  const quiet = inbox()
  const off = await start('no-auto-commit', {
    autoCommit: false,
    eachMessage: async ({ message: { offset } }) => {
      quiet.push(offset)
      if (quiet.items.length === 2) throw new Error('once')
    },
  })
  await quiet.count(6)
  log('no autoCommit', { seen: quiet.items, commits: offsets(off.commits) })
}
