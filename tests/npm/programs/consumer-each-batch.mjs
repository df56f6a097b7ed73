// eachBatch: the batch and its methods, resolveOffset with and without eachBatchAutoResolve, uncommittedOffsets.

import { byPosition, inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 6 }, (_, i) => ({ value: `v${i}` })) })
  const offsetsOf = ({ topics }) => topics.map(({ topic, partitions }) => ({
    topic, partitions: partitions.map(({ partition, offset }) => ({ partition: Number(partition), offset: String(offset) })),
  }))
  const describe = batch => ({
    topic: batch.topic,
    partition: batch.partition,
    highWatermark: batch.highWatermark,
    messages: batch.messages.map(({ offset, value }) => `${offset} ${value}`),
    isEmpty: batch.isEmpty(),
    firstOffset: batch.firstOffset(),
    lastOffset: batch.lastOffset(),
    offsetLag: batch.offsetLag(),
    offsetLagLow: batch.offsetLagLow(),
  })

  const groupId = uniq('readers')
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  const commits = listen(consumer, 'COMMIT_OFFSETS')
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const calls = inbox()
  await consumer.run({
    eachBatchAutoResolve: false,
    eachBatch: async payload => {
      const { batch, resolveOffset, heartbeat, commitOffsetsIfNecessary, uncommittedOffsets, isRunning, isStale } = payload
      const call = { batch: describe(batch), isRunning: isRunning(), isStale: isStale(), before: offsetsOf(uncommittedOffsets()) }
      if (calls.items.length === 0) {
        call.payload = Object.entries(payload).map(([name, value]) => `${name}: ${typeof value}`).sort()
        call.heartbeat = await heartbeat()
        call.commitOffsetsIfNecessary = await commitOffsetsIfNecessary()
      }
      if (calls.items.length < 2) {
        // Two of the messages at a time: the rest must come again.
        call.resolveOffset = resolveOffset(batch.messages[0].offset)
        resolveOffset(batch.messages[1].offset)
      } else {
        for (const { offset } of batch.messages) resolveOffset(offset)
      }
      call.after = offsetsOf(uncommittedOffsets())
      calls.push(call)
    },
  })
  await calls.count(3)
  await commits.count(3)
  log('first call', calls.items[0])
  log('second call, the rest again', calls.items[1])
  log('third call', calls.items[2])
  log('commits', commits.items.map(({ payload }) => offsetsOf(payload)))
  await producer.send({ topic, messages: [{ value: 'v6' }] })
  await calls.count(4)
  await commits.count(4)
  log('next batch', calls.items[3])
  await consumer.disconnect()
  log('committed', await admin.fetchOffsets({ groupId, topics: [topic] }))

  const auto = kafka.consumer({ groupId: uniq('auto'), maxWaitTimeInMs: 100 })
  await auto.connect()
  await auto.subscribe({ topics: [topic], fromBeginning: true })
  const seen = inbox()
  await auto.run({
    eachBatch: async ({ batch }) => {
      for (const { offset } of batch.messages) seen.push({ partition: batch.partition, offset })
    },
  })
  await seen.count(7)
  await producer.send({ topic, messages: [{ value: 'v7' }] })
  await seen.count(8)
  log('auto resolve: each once', byPosition(seen.items).map(({ offset }) => offset))
}
