// fetchTopicOffsets and fetchTopicOffsetsByTimestamp, before and after deleteTopicRecords.

import { byPartition, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '-1' }] }])
  const producer = kafka.producer()
  await producer.connect()
  const start = 1700000000000
  const offsets = async () => byPartition(await admin.fetchTopicOffsets(topic))
  const at = async time => byPartition(await admin.fetchTopicOffsetsByTimestamp(topic, time)).map(({ partition, offset }) => `${partition}@${offset}`)
  log('empty', await offsets())
  log('empty, by time', await at(start))
  for (const compression of [kafkajs.CompressionTypes.None, kafkajs.CompressionTypes.GZIP]) {
    const first = compression === kafkajs.CompressionTypes.None ? 0 : 10
    await producer.send({
      topic,
      compression,
      messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, partition: i % 2, timestamp: `${start + (first + i) * 1000}` })),
    })
  }
  log('filled', await offsets())
  log('fields', await admin.fetchTopicOffsetsByTimestamp(topic, start).then(list => byPartition(list)[0]))
  log('before all', await at(start - 1))
  log('at the first', await at(start))
  log('between', await at(start + 4500))
  log('exactly', await at(start + 4000))
  log('inside a compressed batch', await at(start + 15_500))
  log('at the last', await at(start + 19_000))
  log('after all', await at(start + 19_001))
  log('no time given', await at(undefined))

  log('delete records', await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }, { partition: 1, offset: '-1' }] }))
  log('after deleting', await offsets())
  log('before all, after deleting', await at(start))
  log('delete what is deleted', await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] }))
  log('unchanged', await offsets())
  log('append goes on', (await producer.send({ topic, messages: [{ value: 'x', partition: 1 }] })).map(({ baseOffset, logStartOffset }) => ({ baseOffset, logStartOffset })))
}
