// The pause that handlers receive: this partition stops after the current message, until the function it returns.

import { fetches, inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 2 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({
    topic,
    messages: Array.from({ length: 5 }, (_, i) => [{ value: `${i}`, partition: 0 }, { value: `${i}`, partition: 1 }]).flat(),
  })

  const groupId = uniq('messages')
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const box = inbox()
  const offsets = partition => box.items.filter(item => item.partition === partition).map(({ offset }) => offset)
  let resume
  await consumer.run({
    eachMessage: async ({ partition, message: { offset }, pause }) => {
      if (partition === 0 && offset === '1' && !resume) resume = pause()
      box.push({ partition, offset })
    },
  })
  await box.count(7)
  await fetches(consumer, 3)
  log('eachMessage: paused after the second', { paused: consumer.paused(), read: [offsets(0), offsets(1)] })
  log('committed', (await admin.fetchOffsets({ groupId, topics: [topic] })).map(({ partitions }) => partitions))
  log('resume', { type: typeof resume, result: resume() ?? 'nothing' })
  await box.count(10)
  log('the rest', { paused: consumer.paused(), read: [offsets(0), offsets(1)] })

  const batching = kafka.consumer({ groupId: uniq('batches'), maxWaitTimeInMs: 100 })
  await batching.connect()
  await batching.subscribe({ topics: [topic], fromBeginning: true })
  const batches = inbox()
  let resumeBatch
  await batching.run({
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch: { partition, messages }, pause, resolveOffset }) => {
      if (partition === 1) return
      if (!resumeBatch) {
        resolveOffset(messages[2].offset)
        resumeBatch = pause()
      } else {
        resolveOffset(messages.at(-1).offset)
      }
      batches.push(messages.map(({ offset }) => offset))
    },
  })
  await batches.count(1)
  await fetches(batching, 2)
  log('eachBatch: paused', { paused: batching.paused(), batches: batches.items.length })
  resumeBatch()
  await batches.count(2)
  log('eachBatch: after resuming', batches.items)
}
