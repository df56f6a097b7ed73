// commitOffsets and commitOffsetsIfNecessary(offsets): by hand, with metadata, back and forth; a restart resumes there.

import { byPosition, inbox, listen, outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 2 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 8 }, (_, i) => ({ value: `${i}`, partition: i % 2 })) })
  const groupId = uniq('readers')
  const committed = () => admin.fetchOffsets({ groupId, topics: [topic] })
  const start = async handler => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, retry: { retries: 1, initialRetryTime: 20 } })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ autoCommit: false, ...handler })
    return consumer
  }
  const box = inbox()
  const collect = { eachMessage: async ({ partition, message }) => box.push({ partition, offset: message.offset }) }
  const consumer = await start(collect)
  const commits = listen(consumer, 'COMMIT_OFFSETS')
  await box.count(8)
  log('nothing committed', await committed())
  log('one partition', await consumer.commitOffsets([{ topic, partition: 0, offset: '2' }]))
  log('after it', await committed())
  log('both, with metadata', await consumer.commitOffsets([
    { topic, partition: 0, offset: '3', metadata: 'checkpoint 7' },
    { topic, partition: 1, offset: '1', metadata: '' },
  ]))
  log('after both', await committed())
  await consumer.commitOffsets([{ topic, partition: 0, offset: '1', metadata: null }])
  log('backwards', await committed())
  await consumer.commitOffsets([{ topic, partition: 1, offset: '100' }])
  log('beyond the end', await committed())
  await consumer.commitOffsets([{ topic, partition: 1, offset: '9007199254740993' }])
  log('more than a double holds', await committed())
  await consumer.commitOffsets([{ topic, partition: 1, offset: '3' }])
  log('events', commits.items.map(({ payload: { groupId, topics } }) => ({
    groupId,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, offset, metadata }) => ({ partition: Number(partition), offset: String(offset), metadata: metadata ?? null })),
    })),
  })))
  log('metadata that is too long', await outcome(() => consumer.commitOffsets([{ topic, partition: 0, offset: '1', metadata: 'x'.repeat(5000) }])))
  log('an unknown partition', await outcome(() => consumer.commitOffsets([{ topic, partition: 7, offset: '1' }])))
  log('unchanged', await committed())
  const other = uniq('other')
  await admin.createTopics({ topics: [{ topic: other }] })
  log('a topic that is not subscribed', await outcome(() => consumer.commitOffsets([{ topic: other, partition: 0, offset: '7' }])))
  log('it is committed', await admin.fetchOffsets({ groupId, topics: [other] }))
  log('committing does not move the position', box.items.length)
  await consumer.disconnect()

  box.items.length = 0
  const again = await start(collect)
  await box.count(4)
  log('a restart resumes from there', byPosition(box.items))
  await again.disconnect()

  const batches = inbox()
  let sought = false
  const third = await start({
    eachBatch: async ({ batch, commitOffsetsIfNecessary }) => {
      if (!sought) return
      const offset = batch.messages[0].offset
      batches.push(await commitOffsetsIfNecessary({ topics: [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset }] }] }))
    },
  })
  await third.commitOffsets([{ topic, partition: 0, offset: '4' }])
  third.seek({ topic, partition: 0, offset: '2' })
  third.seek({ topic, partition: 1, offset: '2' })
  sought = true
  await batches.count(2)
  await third.disconnect()
  log('commitOffsetsIfNecessary of given offsets', await committed())
}
