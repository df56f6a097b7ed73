// Commits by hand in the middle of the work: commitOffsets after each message, commitOffsetsIfNecessary at a threshold.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 6 }, (_, i) => ({ value: `${i}` })) })
  const start = async (group, run) => {
    const groupId = uniq(group)
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
    const commits = listen(consumer, 'COMMIT_OFFSETS')
    const offsets = () => commits.items.map(({ payload }) => String(payload.topics[0].partitions[0].offset))
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run(run(consumer))
    const committed = async () => (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions[0].offset
    return { consumer, offsets, committed }
  }

  const seen = inbox()
  const each = await start('each', consumer => ({
    autoCommit: false,
    eachMessage: async ({ partition, message: { offset } }) => {
      const result = await consumer.commitOffsets([{ topic, partition, offset: `${Number(offset) + 1}` }])
      seen.push([offset, result])
    },
  }))
  await seen.count(6)
  await each.consumer.disconnect()
  log('after each message', { seen: seen.items, commits: each.offsets(), committed: await each.committed() })

  const batches = inbox()
  const some = await start('some', () => ({
    autoCommit: false,
    autoCommitThreshold: 2,
    eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary, uncommittedOffsets }) => {
      const left = []
      for (const { offset } of batch.messages) {
        resolveOffset(offset)
        await commitOffsetsIfNecessary()
        left.push(uncommittedOffsets().topics.flatMap(({ partitions }) => partitions.map(({ offset }) => String(offset))))
      }
      batches.push(left)
    },
  }))
  await batches.count(1)
  await some.consumer.disconnect()
  log('at a threshold', { left: batches.items, commits: some.offsets(), committed: await some.committed() })

  const both = inbox()
  const mixed = await start('mixed', consumer => ({
    eachMessage: async ({ partition, message: { offset } }) => {
      if (offset === '2') await consumer.commitOffsets([{ topic, partition, offset: '3', metadata: 'half' }])
      both.push(offset)
    },
  }))
  await both.count(6)
  await mixed.consumer.disconnect()
  log('beside automatic commits', { commits: mixed.offsets(), committed: await mixed.committed() })
}
