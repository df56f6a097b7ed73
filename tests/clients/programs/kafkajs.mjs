// A client in KafkaJS's shape, for `workflow.mjs`: KafkaJS itself, or the package `partita` over TCP.
//
// PROGRAM MODULE produce ADDRESS TOPIC COUNT FIRST | member ADDRESS TOPIC GROUP | since ADDRESS TOPIC TIMESTAMP COUNT
// A member says what happens to it in lines of JSON on stdout, and leaves in peace when its stdin ends.

const [module, command, address, topic, ...rest] = process.argv.slice(2)
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
const { Kafka, logLevel } = await import(module)
const kafka = new Kafka({ clientId: 'test', brokers: [address], logLevel: logLevel.ERROR })

const say = event => process.stdout.write(`${JSON.stringify(event)}\n`)
const record = ({ partition, message }) =>
  say({ event: 'record', partition, offset: Number(message.offset), key: `${message.key}`, value: `${message.value}` })

const commands = {
  async produce(count, first) {
    const producer = kafka.producer()
    await producer.connect()
    const messages = Array.from({ length: Number(count) }, (_, index) => {
      const number = Number(first) + index
      return { key: `key-${number}`, value: `value-${number}` }
    })
    await producer.send({ topic, messages })
    await producer.disconnect()
  },
  async member(groupId) {
    const timing = { sessionTimeout: 6000, heartbeatInterval: 500, rebalanceTimeout: 6000, maxWaitTimeInMs: 100 }
    const consumer = kafka.consumer({ groupId, ...timing })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      say({ event: 'assigned', partitions: payload.memberAssignment[topic] ?? [] })
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ autoCommitInterval: 200, eachMessage: async payload => record(payload) })
    process.stdin.on('end', () => consumer.disconnect()).resume()
  },
  async since(timestamp, count) {
    const admin = kafka.admin()
    await admin.connect()
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, Number(timestamp))
    await admin.disconnect()
    const consumer = kafka.consumer({ groupId: `since-${topic}`, maxWaitTimeInMs: 100 })
    let left = Number(count)
    await consumer.connect()
    await consumer.subscribe({ topics: [topic] })
    await new Promise(resolve => {
      consumer.run({
        autoCommit: false,
        eachMessage: async payload => {
          record(payload)
          left -= 1
          if (left === 0) resolve()
        },
      })
      for (const { partition, offset } of offsets) consumer.seek({ topic, partition, offset })
    })
    await consumer.disconnect()
  },
}

await commands[command](...rest)
