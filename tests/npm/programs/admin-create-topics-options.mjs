// createTopics: configs, explicit replicas, validateOnly, waitForLeaders, defaults.

import { outcome } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { ConfigResourceTypes } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const admin = kafka.admin()
  await admin.connect()
  const names = Object.fromEntries(['configured', 'assigned', 'checked', 'quick', 'plain'].map(name => [name, uniq(name)]))
  const partitions = async topic => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length
  const config = async (name, ...configNames) => {
    const { resources: [{ configEntries }] } = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name, configNames }] })
    return configEntries.map(({ configName, configValue, isDefault, configSource }) => ({ configName, configValue, isDefault, configSource }))
      .sort((a, b) => (a.configName < b.configName ? -1 : 1))
  }

  log('with configs', await admin.createTopics({
    topics: [{
      topic: names.configured,
      numPartitions: 2,
      replicationFactor: 1,
      configEntries: [{ name: 'cleanup.policy', value: 'compact' }, { name: 'max.message.bytes', value: '2000' }],
    }],
    timeout: 5000,
  }))
  log('its configs', await config(names.configured, 'cleanup.policy', 'max.message.bytes', 'compression.type'))
  log('its partitions', await partitions(names.configured))

  const { brokers: [{ nodeId }] } = await admin.describeCluster()
  log('explicit replicas', await admin.createTopics({
    topics: [{ topic: names.assigned, replicaAssignment: [{ partition: 0, replicas: [nodeId] }, { partition: 1, replicas: [nodeId] }] }],
  }))
  log('their partitions', await partitions(names.assigned))

  log('validateOnly', await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic: names.checked, numPartitions: 3 }] }))
  log('created nothing', (await admin.listTopics()).includes(names.checked))
  log('validateOnly of what is wrong', await outcome(() => admin.createTopics({
    validateOnly: true, waitForLeaders: false, topics: [{ topic: names.checked, configEntries: [{ name: 'cleanup.policy', value: 'shred' }] }],
  })))
  log('waiting for the leaders of a topic that is not there', await outcome(() => admin.createTopics({ validateOnly: true, topics: [{ topic: names.checked }] })))
  log('not waiting for leaders', await admin.createTopics({ waitForLeaders: false, topics: [{ topic: names.quick }] }))
  log('nothing but a name', await admin.createTopics({ topics: [{ topic: names.plain }] }))
  log('default partitions', await partitions(names.plain))
  log('default configs', await config(names.plain, 'cleanup.policy', 'max.message.bytes', 'compression.type'))
}
