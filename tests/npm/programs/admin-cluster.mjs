// describeCluster, the admin's events, its logger, work without connect.

import { listen, outcome } from '../support.mjs'

export default async function ({ Kafka, brokers, uniq, log }) {
  const kafka = new Kafka({ clientId: 'shop', brokers })
  const early = kafka.admin()
  log('without connect', (await early.listTopics()).length >= 0)
  const admin = kafka.admin()
  log('events', admin.events)
  const life = listen(admin, 'CONNECT', 'DISCONNECT')
  const requests = listen(admin, 'REQUEST')
  await admin.connect()
  const cluster = await admin.describeCluster()
  log('cluster', cluster)
  log('types', [cluster.brokers[0].nodeId, cluster.brokers[0].host, cluster.brokers[0].port, cluster.controller, cluster.clusterId].map(it => typeof it))
  log('the controller is one of the brokers', cluster.brokers.some(({ nodeId }) => nodeId === cluster.controller))
  await admin.createTopics({ topics: [{ topic: uniq('orders') }] })
  const names = new Set(requests.items.map(({ payload: { apiName, apiKey } }) => `${apiKey} ${apiName}`))
  log('requests', ['3 Metadata', '19 CreateTopics'].filter(name => names.has(name)))
  log('REQUEST', requests.items.find(({ payload }) => payload.apiName === 'CreateTopics'))
  await admin.disconnect()
  log('life', life.items.map(({ type, payload }) => ({ type, payload: payload ?? null })))
  log('unknown event', await outcome(() => admin.on('admin.nothing', () => {})))
  log('logger', Object.entries(admin.logger()).map(([name, value]) => `${name}: ${typeof value}`).sort())
  log('methods', Object.entries(admin).map(([name, value]) => `${name}: ${typeof value}`).sort())
}
