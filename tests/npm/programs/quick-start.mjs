// The program that KafkaJS's introduction gives, but for the loop that waits.

import { inbox } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const topic = uniq('test-topic')
  const kafka = new Kafka({ clientId: 'my-app', brokers })
  const producer = kafka.producer()
  const consumer = kafka.consumer({ groupId: uniq('test-group') })
  const box = inbox()

  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'Hello KafkaJS user!' }] })

  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => {
      box.push({ topic, partition, offset: message.offset, value: message.value.toString() })
    },
  })

  await box.count(1)
  log('read', box.items)
  await producer.disconnect()
}
