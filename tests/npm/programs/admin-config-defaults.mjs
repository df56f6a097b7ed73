// The defaults of the topic configs that act, their sources and synonyms; some broker configs.

import { withTopics } from '../support.mjs'

export default async function ({ Kafka, brokers, kafkajs, uniq, log }) {
  const { ConfigResourceTypes: { TOPIC, BROKER } } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const topic = uniq('orders')
  const admin = await withTopics(kafka, [{ topic, numPartitions: 1 }])
  const names = [
    'cleanup.policy', 'compression.type', 'delete.retention.ms', 'file.delete.delay.ms', 'max.compaction.lag.ms', 'max.message.bytes',
    'message.timestamp.after.max.ms', 'message.timestamp.before.max.ms', 'message.timestamp.type', 'min.cleanable.dirty.ratio',
    'min.compaction.lag.ms', 'retention.bytes', 'retention.ms', 'segment.bytes', 'segment.ms',
  ]
  const describe = async (type, name, configNames) => {
    const { resources: [{ configEntries }] } = await admin.describeConfigs({ includeSynonyms: true, resources: [{ type, name, configNames }] })
    return [...configEntries].sort((a, b) => (a.configName < b.configName ? -1 : 1))
  }
  for (const entry of await describe(TOPIC, topic, names)) log(entry.configName, entry)
  const { brokers: [{ nodeId }] } = await admin.describeCluster()
  const broker = await describe(BROKER, String(nodeId), ['num.partitions', 'message.max.bytes', 'auto.create.topics.enable', 'default.replication.factor', 'group.max.session.timeout.ms'])
  for (const entry of broker) log(`broker: ${entry.configName}`, entry)
}
