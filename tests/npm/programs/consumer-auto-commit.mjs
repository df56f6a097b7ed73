// autoCommit: after each batch, by threshold, by interval, on stop; off.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}` })) })
  const read = async (group, options, { until = 10, commits: expected = 0 } = {}) => {
    const groupId = uniq(group)
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
    const commits = listen(consumer, 'COMMIT_OFFSETS')
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const box = inbox()
    await consumer.run({ ...options, eachMessage: async ({ message }) => box.push(message.offset) })
    await box.count(until)
    await commits.count(expected, `${expected} commits of ${group}`)
    await consumer.disconnect()
    return {
      commits: commits.items.map(({ payload }) => payload.topics[0].partitions.map(({ offset }) => String(offset)).join()),
      committed: await admin.fetchOffsets({ groupId, topics: [topic] }),
    }
  }
  log('by default, after the batch', await read('default', {}, { commits: 1 }))
  log('threshold 4', await read('threshold', { autoCommitThreshold: 4 }, { commits: 3 }))
  log('threshold 1', await read('each', { autoCommitThreshold: 1 }, { commits: 10 }))
  log('threshold above the batch', await read('high', { autoCommitThreshold: 100 }, { commits: 1 }))
  log('interval 0', await read('interval', { autoCommitInterval: 0 }, { commits: 10 }))
  log('interval of an hour', await read('hour', { autoCommitInterval: 3_600_000 }, { commits: 1 }))
  log('off', await read('off', { autoCommit: false }))
  log('off, with a threshold', await read('off-threshold', { autoCommit: false, autoCommitThreshold: 1 }))

  const groupId = uniq('stopping')
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  const commits = listen(consumer, 'COMMIT_OFFSETS', 'STOP')
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const seen = []
  let stopped
  const running = inbox()
  await consumer.run({
    eachMessage: async ({ message }) => {
      seen.push(message.offset)
      if (message.offset === '3') {
        stopped = consumer.stop()
        running.push(true)
      }
    },
  })
  await running.count(1)
  await stopped
  log('stop inside the fourth message', { seen, events: commits.items.map(({ type }) => type) })
  log('stop commits what was done', await admin.fetchOffsets({ groupId, topics: [topic] }))
}
