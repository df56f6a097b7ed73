// What kafka.consumer, seek, pause, resume, commitOffsets and on refuse, before and while running.

import { outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  await withTopics(kafka, [{ topic, numPartitions: 1 }])
  log('no groupId', await outcome(() => kafka.consumer({})))
  log('no argument', await outcome(() => kafka.consumer()))
  log('empty groupId', await outcome(() => kafka.consumer({ groupId: '' })))
  log('heartbeat not below session', await outcome(() => kafka.consumer({ groupId: 'g', heartbeatInterval: 30000 })))

  const consumer = kafka.consumer({ groupId: uniq('g'), maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic] })
  const check = async state => {
    const seek = argument => outcome(() => consumer.seek(argument))
    log(`${state}: seek without topic`, await seek({ partition: 0, offset: '0' }))
    log(`${state}: seek without partition`, await seek({ topic, offset: '0' }))
    log(`${state}: seek to no number`, await seek({ topic, partition: 0, offset: 'abc' }))
    log(`${state}: seek to nothing`, await seek({ topic, partition: 0 }))
    log(`${state}: seek to ''`, await seek({ topic, partition: 0, offset: '' }))
    log(`${state}: seek to -3`, await seek({ topic, partition: 0, offset: '-3' }))
    log(`${state}: seek`, await seek({ topic, partition: 0, offset: '0' }))
    const commit = entry => outcome(() => consumer.commitOffsets([entry]))
    log(`${state}: commit without topic`, await commit({ partition: 0, offset: '0' }))
    log(`${state}: commit without partition`, await commit({ topic, offset: '0' }))
    log(`${state}: commit no number`, await commit({ topic, partition: 0, offset: 'abc' }))
    log(`${state}: commit -1`, await commit({ topic, partition: 0, offset: '-1' }))
    log(`${state}: commit metadata that is no string`, await commit({ topic, partition: 0, offset: '0', metadata: 5 }))
    log(`${state}: commit`, await commit({ topic, partition: 0, offset: '0' }))
    log(`${state}: commit nothing`, await outcome(() => consumer.commitOffsets([])))
    for (const name of ['pause', 'resume']) {
      const call = argument => outcome(() => consumer[name](argument))
      log(`${state}: ${name} without topic`, await call([{}]))
      log(`${state}: ${name} undefined`, await call([undefined]))
      log(`${state}: ${name} partitions that are no list`, await call([{ topic, partitions: 0 }]))
      log(`${state}: ${name} partitions that are no numbers`, await call([{ topic, partitions: ['x'] }]))
      log(`${state}: ${name}`, await call([{ topic }]))
    }
    log(`${state}: paused`, consumer.paused())
    log(`${state}: on an unknown event`, await outcome(() => consumer.on('consumer.nothing', () => {})))
    log(`${state}: on a producer's event`, await outcome(() => consumer.on('producer.connect', () => {})))
  }
  await check('before run')
  await consumer.run({ eachMessage: async () => {} })
  await check('running')
  log('run again', await consumer.run({ eachMessage: async () => {} }))
  await consumer.stop()
  await check('stopped')
}
