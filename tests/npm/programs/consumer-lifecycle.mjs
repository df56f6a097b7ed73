// connect, run, stop, disconnect in any order and again; the events of each; what run and stop resolve to.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  const groupId = uniq('readers')
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  const life = listen(consumer, 'CONNECT', 'GROUP_JOIN', 'STOP', 'DISCONNECT', 'CRASH', 'REBALANCING')
  const events = () => life.items.splice(0).map(({ type }) => type)
  const box = inbox()
  const handler = { eachMessage: async ({ message }) => box.push(message.value.toString()) }
  const state = async () => (await admin.describeGroups([groupId])).groups[0].state

  log('stop before connect', await consumer.stop())
  log('disconnect before connect', await consumer.disconnect())
  log('events 1', events())
  log('connect', await consumer.connect())
  log('subscribe', await consumer.subscribe({ topics: [topic], fromBeginning: true }))
  log('events 2', events())
  log('run', await consumer.run(handler))
  log('events when run has resolved', events())
  log('state: running', await state())
  log('run while running', await consumer.run(handler))
  log('events 3', events())
  await producer.send({ topic, messages: [{ value: 'first' }] })
  await box.count(1)
  const stops = [consumer.stop(), consumer.stop()]
  log('two stops', await Promise.all(stops))
  log('events of stop', events())
  log('state: stopped', await state())
  await producer.send({ topic, messages: [{ value: 'second' }] })
  log('run again', await consumer.run(handler))
  await box.count(2)
  log('events of the second run', events())
  log('disconnect while running', await consumer.disconnect())
  log('events of disconnect', events())
  log('state: disconnected', await state())
  await producer.send({ topic, messages: [{ value: 'third' }] })
  await consumer.connect()
  await consumer.run(handler)
  await box.count(3)
  log('after connecting again', box.items)
  await consumer.stop()
  await consumer.stop()
  await consumer.disconnect()
  log('events at the end', events())
}
