// What the module exports, the values of its enumerations, the methods of each client.

export default async function ({ Kafka, brokers, kafkajs, log }) {
  const enumerations = [
    'logLevel', 'CompressionTypes', 'ConfigResourceTypes', 'ConfigSource',
    'AclResourceTypes', 'AclOperationTypes', 'AclPermissionTypes', 'ResourcePatternTypes',
  ]
  for (const name of enumerations) log(name, kafkajs[name])
  for (const name of ['Partitioners', 'PartitionAssigners', 'CompressionCodecs', 'AssignerProtocol']) log(name, kafkajs[name])
  log('Kafka is a class', typeof kafkajs.Kafka)
  const kafka = new Kafka({ brokers })
  const methods = client => Object.entries(client).map(([name, value]) => `${name}: ${typeof value}`).sort()
  log('Kafka', ['producer', 'consumer', 'admin', 'logger'].map(name => typeof kafka[name]))
  log('producer', methods(kafka.producer()))
  log('consumer', methods(kafka.consumer({ groupId: 'g' })))
  const { CompressionCodecs, CompressionTypes } = kafkajs
  const codec = CompressionCodecs[CompressionTypes.Snappy]
  CompressionCodecs[CompressionTypes.Snappy] = codec
  log('codecs may be assigned', CompressionCodecs[CompressionTypes.Snappy] === codec)
}
