// describeConfigs and alterConfigs of topics: values, sources, synonyms, replacing, validateOnly.

import { settled, withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { ConfigResourceTypes: { TOPIC }, ConfigSource } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const [orders, payments] = [uniq('orders'), uniq('payments')]
  const admin = await withTopics(kafka, [
    { topic: orders, numPartitions: 1, configEntries: [{ name: 'max.message.bytes', value: '5000' }] },
    { topic: payments, numPartitions: 1 },
  ])
  const sorted = ({ resources }) => ({
    resources: [...resources].sort((a, b) => (a.resourceName < b.resourceName ? -1 : 1)).map(({ configEntries, ...resource }) => ({
      ...resource, configEntries: [...configEntries].sort((a, b) => (a.configName < b.configName ? -1 : 1)),
    })),
  })
  const describe = async (configNames, options, ...names) =>
    sorted(await admin.describeConfigs({ resources: names.map(name => ({ type: TOPIC, name, configNames })), ...options }))
  const values = async name => {
    const { resources: [{ configEntries }] } = await describe(undefined, {}, name)
    return configEntries.filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG).map(({ configName, configValue, isDefault }) => `${configName}=${configValue}, ${isDefault}`)
  }
  log('fields of the result', Object.keys(await admin.describeConfigs({ resources: [{ type: TOPIC, name: orders }] })).sort())
  log('some configs of two topics', await describe(['max.message.bytes', 'cleanup.policy'], {}, orders, payments))
  log('with synonyms', await describe(['max.message.bytes', 'cleanup.policy'], { includeSynonyms: true }, orders))
  log('one that does not exist', await describe(['no.such.config'], {}, orders))
  log('without names: all', (await describe(undefined, {}, payments)).resources[0].configEntries.length > 20)
  log('not default', await values(orders))

  const alter = (name, entries, options) =>
    admin.alterConfigs({ resources: [{ type: TOPIC, name, configEntries: Object.entries(entries).map(([name, value]) => ({ name, value })) }], ...options })
  log('alter', await alter(payments, { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' }))
  log('altered', await settled(() => values(payments), ['cleanup.policy=compact, false', 'message.timestamp.type=LogAppendTime, false']))
  log('alter replaces all', await alter(payments, { 'max.message.bytes': '7000' }))
  log('replaced', await settled(() => values(payments), ['max.message.bytes=7000, false']))
  log('validateOnly', await alter(payments, { 'cleanup.policy': 'compact' }, { validateOnly: true }))
  log('not altered', await values(payments))
  log('to defaults', await alter(payments, {}))
  log('all default', await settled(() => values(payments), []))

  await alter(orders, { 'max.message.bytes': '200' })
  log('altered once more', await settled(() => values(orders), ['max.message.bytes=200, false']))
  const producer = kafka.producer()
  await producer.connect()
  log('it acts', await producer.send({ topic: orders, messages: [{ value: 'x'.repeat(300) }] }).catch(error => error))
}
