// Every codec, written and read back; small, large and mixed batches in one partition.

import { readAll, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { CompressionTypes, CompressionCodecs } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  log('types', CompressionTypes)
  log('codecs are functions by type', [1, 2, 3, 4].map(type => typeof CompressionCodecs[type]))

  let count = 0
  for (const [name, compression] of Object.entries(CompressionTypes)) {
    const messages = Array.from({ length: 50 }, (_, i) => ({
      key: `${name}-${i}`,
      value: JSON.stringify({ order: i, text: 'to be compressed '.repeat(i) }),
      headers: { codec: name },
    }))
    log(`${name}: fifty`, await producer.send({ topic, compression, messages }))
    log(`${name}: one`, await producer.send({ topic, compression, messages: [{ key: name, value: null }] }))
    count += 51
  }
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24))
  for (const compression of Object.values(CompressionTypes)) {
    await producer.send({ topic, compression, messages: [{ value: noise }] })
    count += 1
  }

  const read = await readAll(kafka, topic, count)
  log('records', read.length)
  log('offsets have no gap', read.every(({ offset }, i) => offset === `${i}`))
  log('some records', read.filter((_, i) => i % 17 === 3).map(({ offset, key, value, headers }) => ({ offset, key, length: value?.length ?? null, headers })))
  log('values survive', read.filter(({ key, value }) => key !== null && value !== null).every(({ key, value }) =>
    JSON.parse(value).order === Number(key.toString().split('-')[1])))
  log('incompressible survives', read.slice(-5).map(({ value }) => value.equals(noise)))
}
