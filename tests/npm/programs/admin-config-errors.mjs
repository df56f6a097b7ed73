// What describeConfigs and alterConfigs refuse.

import { outcome, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { ConfigResourceTypes: { TOPIC, BROKER } } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers, retry: { retries: 1, initialRetryTime: 20 } })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const describe = resources => outcome(() => admin.describeConfigs({ resources }))
  log('describe: nothing', await describe(undefined))
  log('describe: no list', await describe('orders'))
  log('describe: an empty list', await describe([]))
  log('describe: an unknown type', await describe([{ type: 77, name: topic }]))
  log('describe: no name', await describe([{ type: TOPIC }]))
  log('describe: a name that is no string', await describe([{ type: TOPIC, name: 5 }]))
  log('describe: configNames is no list', await describe([{ type: TOPIC, name: topic, configNames: 'retention.ms' }]))
  log('describe: an unknown topic', await describe([{ type: TOPIC, name: uniq('unknown') }]))
  log('describe: an invalid topic', await describe([{ type: TOPIC, name: 'not a topic!' }]))

  const entries = [{ name: 'max.message.bytes', value: '1000' }]
  const alter = resources => outcome(() => admin.alterConfigs({ resources }))
  log('alter: nothing', await alter(undefined))
  log('alter: no list', await alter('orders'))
  log('alter: an empty list', await alter([]))
  log('alter: an unknown type', await alter([{ type: 77, name: topic, configEntries: entries }]))
  log('alter: no name', await alter([{ type: TOPIC, configEntries: entries }]))
  log('alter: no entries', await alter([{ type: TOPIC, name: topic }]))
  log('alter: a value that is no string', await alter([{ type: TOPIC, name: topic, configEntries: [{ name: 'retention.ms', value: 5 }] }]))
  log('alter: an entry without name', await alter([{ type: TOPIC, name: topic, configEntries: [{ value: '5' }] }]))
  log('alter: an unknown topic', await alter([{ type: TOPIC, name: uniq('unknown'), configEntries: entries }]))
  log('alter: an unknown config', await alter([{ type: TOPIC, name: topic, configEntries: [{ name: 'no.such.config', value: '1' }] }]))
  log('alter: an invalid value', await alter([{ type: TOPIC, name: topic, configEntries: [{ name: 'retention.ms', value: 'soon' }] }]))
  log('alter: a value out of range', await alter([{ type: TOPIC, name: topic, configEntries: [{ name: 'max.message.bytes', value: '-2' }] }]))
  log('alter: a good and a bad topic', await alter([
    { type: TOPIC, name: topic, configEntries: entries },
    { type: TOPIC, name: uniq('unknown'), configEntries: entries },
  ]))
  log('types', { TOPIC, BROKER })
}
