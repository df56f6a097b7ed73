// Explicit partitions and timestamps; CreateTime and LogAppendTime as the consumer and the result show them.

import { readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('created')
  const appended = uniq('appended')
  const forever = { name: 'retention.ms', value: '-1' }
  await withTopics(kafka, [
    { topic, numPartitions: 3, configEntries: [forever] },
    { topic: appended, numPartitions: 1, configEntries: [forever, { name: 'message.timestamp.type', value: 'LogAppendTime' }] },
  ])
  const producer = kafka.producer()
  await producer.connect()

  const result = await producer.send({
    topic,
    messages: [
      { partition: 2, value: 'c', timestamp: '1700000000300' },
      { partition: 0, value: 'a', timestamp: '1700000000100' },
      { partition: 2, value: 'd', timestamp: '1700000000400' },
      { partition: 1, value: 'b', timestamp: '1700000000200' },
    ],
  })
  log('result by partition', [...result].sort((a, b) => a.partition - b.partition))
  await producer.send({ topic, messages: [{ partition: 0, value: 'now' }, { partition: 0, value: 'now too' }] })
  await producer.send({ topic, messages: [{ partition: 1, value: 'zero', timestamp: '0' }] })
  const pick = ({ partition, offset, value, timestamp }) => ({ partition, offset, value, timestamp })
  log('CreateTime', (await readAll(kafka, topic, 7)).map(pick))

  log('result of LogAppendTime', await producer.send({ topic: appended, messages: [{ value: 'x', timestamp: '1700000000000' }] }))
  log('LogAppendTime', (await readAll(kafka, appended, 1)).map(pick))
}
