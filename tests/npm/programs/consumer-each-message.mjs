// eachMessage: its payload, the fields of a message, one call at a time, in order within a partition.

import { byPosition, inbox, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '-1' }] }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({
    topic,
    messages: Array.from({ length: 10 }, (_, i) => ({
      key: i % 3 === 0 ? null : `k${i}`, value: `v${i}`, partition: i % 2, timestamp: `${1700000000000 + i}`, headers: { n: `${i}` },
    })),
  })

  const consumer = kafka.consumer({ groupId: uniq('readers'), maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const box = inbox()
  let inside = 0
  let overlapping = false
  let payloadFields
  let heartbeat
  const ran = await consumer.run({
    eachMessage: async payload => {
      inside += 1
      overlapping ||= inside > 1
      payloadFields ??= Object.entries(payload).map(([name, value]) => `${name}: ${typeof value}`).sort()
      heartbeat ??= await payload.heartbeat()
      await new Promise(resolve => setTimeout(resolve))
      const { partition, message } = payload
      box.push({ topic: payload.topic, partition, offset: message.offset, message })
      inside -= 1
    },
  })
  log('run resolves to', ran)
  await box.count(10)
  log('payload', payloadFields)
  log('heartbeat resolves to', heartbeat)
  log('one at a time', !overlapping)
  const arrived = [0, 1].map(wanted => box.items.filter(({ partition }) => partition === wanted).map(({ offset }) => offset))
  log('order within each partition', arrived)
  const read = byPosition(box.items)
  const pick = ({ key, value, timestamp, attributes, offset, headers }) => ({ key, value, timestamp, attributes, offset, headers })
  log('messages', read.map(({ topic, partition, message }) => ({ topic, partition, message: pick(message) })))
  log('types', Object.entries(pick(read[0].message)).map(([name, value]) => `${name}: ${value === null ? 'null' : value.constructor.name}`))

  await producer.send({ topic, messages: [{ value: 'later', partition: 1 }] })
  await box.count(11)
  log('a later message', pick(box.items[10].message).value)
}
