// producer.sendBatch: several topics, a topic named twice, nothing to send; order within a partition.

import { readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const [first, second] = [uniq('first'), uniq('second')]
  await withTopics(kafka, [{ topic: first, numPartitions: 1 }, { topic: second, numPartitions: 2 }])
  const producer = kafka.producer()
  await producer.connect()
  const sorted = results =>
    [...results].sort((a, b) => (a.topicName < b.topicName ? -1 : a.topicName > b.topicName ? 1 : a.partition - b.partition))

  log('three entries, two topics', sorted(await producer.sendBatch({
    topicMessages: [
      { topic: first, messages: [{ value: '1' }, { value: '2' }] },
      { topic: second, messages: [{ value: 'a', partition: 0 }, { value: 'b', partition: 1 }] },
      { topic: first, messages: [{ value: '3' }] },
    ],
  })))
  log('again, acks 1', sorted(await producer.sendBatch({
    acks: 1,
    topicMessages: [{ topic: second, messages: [{ value: 'c', partition: 1 }] }, { topic: first, messages: [{ value: '4' }] }],
  })))
  log('acks 0', await producer.sendBatch({ acks: 0, topicMessages: [{ topic: first, messages: [{ value: '5' }] }] }))
  log('no topics', await producer.sendBatch({ topicMessages: [] }))
  log('no argument fields', await producer.sendBatch({}))
  log('a topic without messages', await producer.sendBatch({ topicMessages: [{ topic: first, messages: [] }] }))

  const values = async (topic, count) =>
    (await readAll(kafka, topic, count)).map(({ partition, offset, value }) => `${partition}@${offset} ${value}`)
  log('first topic', await values(first, 5))
  log('second topic', await values(second, 3))
}
