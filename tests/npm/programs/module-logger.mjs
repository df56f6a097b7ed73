// Loggers: logCreator, levels, namespaces, setLogLevel, what each client's logger is called.

export default async function ({ Kafka, brokers, kafkajs, log }) {
  const { logLevel } = kafkajs
  const entries = []
  const levels = []
  const logCreator = level => {
    levels.push(level)
    return entry => entries.push(entry)
  }
  const kafka = new Kafka({ clientId: 'shop', brokers, logLevel: logLevel.WARN, logCreator })
  log('logCreator is given the level', levels)
  const logger = kafka.logger()
  const all = (logger, text) => ['debug', 'info', 'warn', 'error'].forEach(name => logger[name](`${name} ${text}`))
  const taken = () => entries.splice(0).map(({ namespace, level, label, log: { timestamp, ...rest } }) => ({
    namespace, level, label, log: rest, timestamp: !Number.isNaN(Date.parse(timestamp)),
  }))
  all(logger, 'root')
  log('root, at WARN', taken())
  logger.warn('with more', { topic: 'orders', count: 3 })
  log('more fields', taken())
  all(logger.namespace('Mine'), 'mine')
  log('a namespace', taken())
  all(logger.namespace('Quiet', logLevel.ERROR), 'quiet')
  log('a namespace with its own level', taken())
  all(logger.namespace('A').namespace('B'), 'nested')
  log('namespaces do not nest', taken())
  logger.setLogLevel(logLevel.DEBUG)
  all(logger, 'after setLogLevel')
  log('setLogLevel', taken().map(({ label }) => label))
  logger.setLogLevel(logLevel.NOTHING)
  all(logger, 'silence')
  log('nothing', taken())
  logger.setLogLevel(logLevel.INFO)
  for (const client of [kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner }), kafka.consumer({ groupId: 'g' }), kafka.admin()]) client.logger().info('hello')
  log("the clients' loggers", taken())
}
