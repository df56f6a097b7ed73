// The command `partita` itself: its options, what it prints, how it ends.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { Program, command, partita } from './harness.mjs'

const start = (...args) => new Program(process.execPath, [command, ...args], { input: 'ignore' })

/** Runs it to its end: `{ code, lines, errors }`. */
const run = async (...args) => {
  const program = start(...args)
  await program.ended
  return program
}

/** What a client sees at that address: `{ topic: partitions }`, and the brokers. */
const cluster = async address => {
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata()
  const { brokers } = await admin.describeCluster()
  await admin.disconnect()
  return { topics: Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions.length])), brokers }
}

test('--help and --version say so, and end well', async () => {
  const help = await run('--help')
  assert.equal(help.code, 0)
  for (const option of ['--host', '--port', '--data-dir', '--topic', '--set', '--advertise']) {
    assert.ok(help.lines.some(line => line.includes(option)), option)
  }
  const version = await run('--version')
  assert.equal(version.code, 0)
  assert.match(version.lines.join(), /^\d+\.\d+\.\d+/)
})

const wrong = {
  '--prot 9092': /--prot/,
  '--port many': /--port many: give a port/,
  '--port 65536': /65536/,
  '--topic orders': /NAME:PARTITIONS/,
  '--topic orders:0': /orders:0/,
  '--topic or/ders:1': /Topic name is invalid/,
  '--topic orders:1 --topic orders:2': /given twice/,
  '--set num.partitions': /KEY=VALUE/,
  '--set num.partitons=3': /num\.partitons/,
  '--set num.partitions=many': /many/,
  '--advertise here': /HOST:PORT/,
  '--data-dir here': /not there yet/,
  here: /here/,
}
for (const [args, words] of Object.entries(wrong)) {
  test(`partita ${args}: ends with 2 and says what to do`, async () => {
    const port = args.includes('--port') ? [] : ['--port', '0']
    const program = await run(...args.split(' '), ...port)
    assert.equal(program.code, 2)
    assert.deepEqual(program.lines, [])
    assert.match(program.errors, words)
    assert.match(program.errors, /^partita: [^\n]*\n$/)
  })
}

test('a port that is taken: ends with 1 and says what to do', async t => {
  const { address } = await partita(t)
  const program = await run('--port', address.split(':')[1])
  assert.equal(program.code, 1)
  assert.match(program.errors, /^partita: .*EADDRINUSE.*Take another port/)
})

test('topics, configs and the advertised address are what clients see', async t => {
  const { address } = await partita(t, '--topic', 'one:1', '--topic', 'five:5', '--set', 'num.partitions=3')
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'default' }] })
  await admin.disconnect()
  const { topics, brokers } = await cluster(address)
  assert.deepEqual(topics, { one: 1, five: 5, default: 3 })
  assert.deepEqual(brokers.map(({ host, port }) => `${host}:${port}`), [address])

  // Whoever comes in is told to come back through the relay, and does.
  let target
  const relay = createServer(socket => {
    const through = connect(target)
    for (const end of [socket, through]) end.on('error', () => {})
    socket.pipe(through).pipe(socket)
  })
  t.after(() => relay.close())
  await once(relay.listen(0), 'listening')
  const { port } = relay.address()
  const elsewhere = await partita(t, '--advertise', `localhost:${port}`)
  target = elsewhere.address.split(':')[1]
  const told = (await cluster(elsewhere.address)).brokers
  assert.deepEqual(told, [{ nodeId: told[0].nodeId, host: 'localhost', port }])
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal} ends it well, with clients connected`, async t => {
    const { address, program } = await partita(t)
    const producer = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'one' }] })
    program.kill(signal)
    assert.equal(await program.ended, 0)
    assert.equal(program.errors, '')
    assert.deepEqual(program.lines, [`listening on ${address}`])
    await producer.disconnect()
  })
}
