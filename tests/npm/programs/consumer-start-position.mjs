// Where a group starts: committed offsets first, else the beginning or the end; a restart resumes; groups are apart.

import { fetches, inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  const send = (from, to) =>
    producer.send({ topic, messages: Array.from({ length: to - from }, (_, i) => ({ value: `${from + i}` })) })
  const read = async (groupId, fromBeginning, { count = 0, meanwhile = async () => {} } = {}) => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning })
    const box = inbox()
    await consumer.run({ eachMessage: async ({ message }) => box.push(message.value.toString()) })
    await fetches(consumer, 2)
    await meanwhile()
    await box.count(count)
    await consumer.disconnect()
    return box.items
  }
  await send(0, 3)
  const [first, second] = [uniq('first'), uniq('second')]
  log('first group, from the beginning', await read(first, true, { count: 3 }))
  log('committed', await admin.fetchOffsets({ groupId: first, topics: [topic] }))
  log('again: nothing new', await read(first, true))
  await send(3, 5)
  log('again: what came meanwhile', await read(first, true, { count: 2 }))
  log('again, not from the beginning', await read(first, false, { count: 2, meanwhile: () => send(5, 7) }))
  log('second group, from the end', await read(second, false, { count: 1, meanwhile: () => send(7, 8) }))
  log('committed by the second', await admin.fetchOffsets({ groupId: second, topics: [topic] }))
  log('third group, from the end, nothing comes', await read(uniq('third'), false))
  log('starting commits nothing', await admin.fetchOffsets({ groupId: uniq('third'), topics: [topic] }))
  log('first group again', await read(first, false, { count: 1 }))
}
