// partitionsConsumedConcurrently: that many partitions at a time, each in order; one at a time by default.

import { deferred, inbox, within, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 3 }])
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 30 }, (_, i) => ({ value: `${i}`, partition: i % 3 })) })

  const read = async (label, partitionsConsumedConcurrently, mode) => {
    const groupId = uniq(label.replace(/\W+/g, '-'))
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const wanted = partitionsConsumedConcurrently ?? 1
    const together = deferred()
    let [inside, most] = [0, 0]
    const box = inbox()
    const enter = async () => {
      inside += 1
      most = Math.max(most, inside)
      if (most === wanted) together.resolve()
      // The first handlers wait for each other: it takes that many at once for any of them to go on.
      await within(together.promise, `${wanted} handlers at once`)
      await new Promise(resolve => setTimeout(resolve))
      inside -= 1
    }
    await consumer.run({
      partitionsConsumedConcurrently,
      ...(mode === 'eachMessage'
        ? { eachMessage: async ({ partition, message }) => { await enter(); box.push({ partition, offset: message.offset }) } }
        : { eachBatch: async ({ batch: { partition, messages } }) => { await enter(); for (const { offset } of messages) box.push({ partition, offset }) } }),
    })
    await box.count(30)
    await consumer.disconnect()
    log(label, {
      most,
      offsets: [0, 1, 2].map(wanted => box.items.filter(({ partition }) => partition === wanted).map(({ offset }) => offset).join(' ')),
    })
  }
  await read('three, eachMessage', 3, 'eachMessage')
  await read('two, eachMessage', 2, 'eachMessage')
  await read('default, eachMessage', undefined, 'eachMessage')
  await read('three, eachBatch', 3, 'eachBatch')
  await read('default, eachBatch', undefined, 'eachBatch')
}
