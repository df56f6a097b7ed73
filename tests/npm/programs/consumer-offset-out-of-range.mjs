// A committed offset that the log no longer has, or not yet: the position goes to the topic's default.

import { fetches, inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: ['0', '1', '2', '3', '4'].map(value => ({ value })) })
  const commit = async (groupId, offset) => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50 })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic] })
    await consumer.run({ autoCommit: false, eachMessage: async () => {} })
    await consumer.commitOffsets([{ topic, partition: 0, offset }])
    await consumer.disconnect()
  }
  const cases = ['beyond-earliest', 'beyond-latest', 'below-earliest', 'below-latest']
  const groups = cases.map(uniq)
  await Promise.all(groups.map(groupId => commit(groupId, groupId.startsWith('beyond') ? '50' : '1')))
  await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
  log('log', await admin.fetchTopicOffsets(topic))

  const read = async (groupId, fromBeginning) => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50 })
    const box = inbox()
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning })
    await consumer.run({ eachMessage: async ({ message: { offset } }) => box.push(offset) })
    await fetches(consumer, 3)
    return box
  }
  const boxes = await Promise.all(groups.map(groupId => read(groupId, groupId.includes('earliest'))))
  await producer.send({ topic, messages: [{ value: '5' }] })
  for (const [i, groupId] of groups.entries()) {
    await boxes[i].until(all => all.includes('5'), `${groupId}: the last record`)
    log(cases[i], boxes[i].items)
  }
}
