// A handler that keeps failing: CRASH with its error, a restart or none, and the events around it.

import { inbox, listen, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] })
  const start = async (group, retry, eachMessage) => {
    const consumer = kafka.consumer({ groupId: uniq(group), maxWaitTimeInMs: 100, retry })
    const events = listen(consumer, 'CONNECT', 'GROUP_JOIN', 'STOP', 'DISCONNECT', 'CRASH')
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ eachMessage })
    return { consumer, events, crash: () => events.until(all => all.some(({ type }) => type === 'consumer.crash'), `${group}: a crash`) }
  }
  const short = ({ items }) => items.map(({ type }) => type)
  const payload = ({ items }) => items.find(({ type }) => type === 'consumer.crash').payload

  const seen = inbox()
  const restarting = await start('restarting', { retries: 1, initialRetryTime: 20 }, async ({ message: { value } }) => {
    seen.push(value.toString())
    if (seen.items.length <= 2) throw new Error('still broken')
  })
  await restarting.crash()
  await seen.count(4)
  await restarting.events.count(8)
  log('restarts', { seen: seen.items, events: short(restarting.events) })
  log('its CRASH', payload(restarting.events))
  log('its message', payload(restarting.events).error.message)
  log("the handler's own error is the cause", payload(restarting.events).error.cause.message)

  let asked
  const staying = await start(
    'staying-down',
    { retries: 0, initialRetryTime: 20, restartOnFailure: async error => { asked = error; return false } },
    async () => { throw new Error('broken for good') }
  )
  await staying.crash()
  log('restartOnFailure says no', { events: short(staying.events), crash: payload(staying.events), asked })

  let answered = 0
  const again = inbox()
  const agreed = await start(
    'restart-agreed',
    { retries: 0, initialRetryTime: 20, restartOnFailure: async () => { answered += 1; return true } },
    async ({ message: { value } }) => { again.push(value.toString()); if (again.items.length === 1) throw new Error('once') }
  )
  await again.count(3)
  log('restartOnFailure says yes', { answered, seen: again.items, restart: payload(agreed.events).restart })

  for (const [name, error] of [
    ['a TypeError', new TypeError('a bug')],
    ['a KafkaJSNonRetriableError', new kafkajs.KafkaJSNonRetriableError('no use')],
    ['an Error that says it is not retriable', Object.assign(new Error('no'), { retriable: false })],
  ]) {
    let calls = 0
    const group = name.replace(/\W+/g, '-')
    const down = await start(group, { retries: 5, initialRetryTime: 20 }, async () => { calls += 1; throw error })
    await down.crash()
    const { error: crash } = payload(down.events)
    log(name, { calls, events: short(down.events), crash: payload(down.events), message: crash.message, cause: crash.cause === error })
  }

  const revived = inbox()
  log('run again after a crash', await (async () => {
    await staying.consumer.connect()
    await staying.consumer.run({ eachMessage: async ({ message: { value } }) => revived.push(value.toString()) })
    await revived.count(2)
    return revived.items
  })())
}
