// The package's types: a program in TypeScript for KafkaJS compiles unchanged, and our clients pass for KafkaJS's.
//
// The program imports from 'client', which is KafkaJS first, to prove the program, and then the built package. That
// TypeScript finds the types, however it looks for them, is tried on the package as it is installed.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { install } from './install.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** Checks files of `types/` with tsc; `modules` says what the names they import stand for. */
const compile = async (files, modules) => {
  const folder = await mkdtemp(`${root}target/types-`)
  const config = `${folder}/tsconfig.json`
  const compilerOptions = {
    target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: ['node'],
    typeRoots: [`${root}node_modules/@types`], strict: true, exactOptionalPropertyTypes: true, noEmit: true,
    paths: Object.fromEntries(Object.entries(modules).map(([name, path]) => [name, [`${root}${path}`]])),
  }
  try {
    await writeFile(config, JSON.stringify({ compilerOptions, files: files.map(file => `${root}tests/npm/types/${file}`) }))
    await run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', config])
  } catch (error) {
    assert.fail(error.stdout || error)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const KAFKAJS = 'node_modules/kafkajs/types/index.d.ts'
const OURS = 'dist/npm/types/entry/index.d.ts'

test("the program compiles with KafkaJS's types", () => compile(['program.ts'], { client: KAFKAJS }))
test('the program compiles with ours', () => compile(['program.ts'], { client: OURS }))
test("ours are assignable to KafkaJS's", () => compile(['assignable.ts'], { partita: OURS, kafkajs: KAFKAJS }))

/** The names that declarations export, as TypeScript sees them. */
const exported = file => {
  const options = { moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext, types: [] }
  const program = ts.createProgram([root + file], options)
  const checker = program.getTypeChecker()
  const symbol = checker.getSymbolAtLocation(program.getSourceFile(root + file))
  return checker.getExportsOfModule(symbol).map(({ name }) => name).sort()
}

/** KafkaJS's names that we have not, all of what is not served: COMPATIBILITY.md says which. */
const LEFT_OUT = [
  // ACLs and reassignments of partitions.
  'Acl', 'AclEntry', 'AclFilter', 'AclResource', 'DeleteAclFilterResponses', 'DeleteAclResponse', 'DescribeAclResource',
  'DescribeAclResponse', 'MatchingAcl', 'ListPartitionReassignmentsResponse', 'OngoingPartitionReassignment',
  'OngoingTopicReassignment', 'PartitionReassignment',
  // The insides of KafkaJS's client: `Broker`, which is ours here, and all of `Cluster` but what assigners ask.
  'ApiVersions', 'BrokerMetadata', 'ConsumerGroup', 'CoordinatorMetadata',
  // What its declarations need for themselves.
  'ValueOf', 'Without', 'XOR',
].sort()

/** Our names that KafkaJS has not. Its classes of errors are there, but for their types. */
const OWN = [
  'Address', 'Broker', 'BrokerAddress', 'BrokerConstructor', 'BrokerFailure', 'BrokerLike', 'BrokerOptions',
  'BuiltInAssigner', 'Failure', 'IncrementalResourceConfig', 'ListenOptions', 'Notice', 'NoticeEvent', 'PartitaError',
  'PartitaQuotaExceeded', 'Status', 'StickyPartitioner', 'load',
]
const UNTYPED_ERRORS = [
  'KafkaJSConnectionClosedError', 'KafkaJSCreateTopicError', 'KafkaJSFetcherRebalanceError', 'KafkaJSInvalidLongError',
  'KafkaJSInvalidVarIntError', 'KafkaJSInvariantViolation', 'KafkaJSMemberIdRequired', 'KafkaJSNoBrokerAvailableError',
]

test("the names that the types export are KafkaJS's, without those left out and with those of our own", () => {
  const theirs = exported(KAFKAJS)
  const ours = exported(OURS)
  assert.deepEqual(theirs.filter(name => !ours.includes(name)), LEFT_OUT)
  const own = [...OWN, ...UNTYPED_ERRORS].filter(name => name !== 'Broker').sort()
  assert.deepEqual(ours.filter(name => !theirs.includes(name)), own)
})

describe('the types of the installed package are found', () => {
  const BODY = `
const message: Message = { key: 'k', value: Buffer.from('v') }
export const open: Promise<Broker> = Broker.open('orders', { storage: 'memory' })
export const kafka: Kafka = new Kafka({ brokers: ['localhost:9092'] })
export const sent = kafka.producer().send({ topic: 'orders', messages: [message] })
export const code = (error: unknown): number => (error instanceof KafkaJSProtocolError ? error.code : 0)
// @ts-expect-error the types are there, and are not any
export const wrong: number = kafka
`
  const IMPORT = "import { Broker, Kafka, KafkaJSProtocolError } from 'partita'\nimport type { Message } from 'partita'"
  const REQUIRE = "import partita = require('partita')\nimport { Broker, Kafka, KafkaJSProtocolError } from 'partita'\n" +
    "import type { Message } from 'partita'\nexport const same: typeof partita.Kafka = Kafka"

  let installed
  before(async () => {
    installed = await install()
    const { folder } = installed
    await mkdir(join(folder, 'node_modules/@types'))
    for (const name of ['@types/node', 'undici-types']) {
      await symlink(`${root}node_modules/${name}`, join(folder, 'node_modules', name))
    }
    for (const [file, head] of [['import.ts', IMPORT], ['module.mts', IMPORT], ['commonjs.cts', REQUIRE]]) {
      await writeFile(join(folder, file), head + BODY)
    }
  })
  after(() => installed.remove())

  /** What tsc says of a file; nothing if it is right. */
  const tsc = async (file, ...options) => {
    const args = ['--noEmit', '--strict', '--target', 'es2022', ...options, file]
    const child = run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, ...args], { cwd: installed.folder })
    return child.then(() => '', ({ stdout }) => stdout)
  }
  const WAYS = {
    'node16, in a CommonJS module': ['commonjs.cts', '--module', 'node16'],
    'node16, in a module': ['module.mts', '--module', 'node16'],
    'nodenext, in a CommonJS module': ['commonjs.cts', '--module', 'nodenext'],
    'node, which is node10': ['import.ts', '--module', 'commonjs', '--moduleResolution', 'node10'],
    bundler: ['import.ts', '--module', 'esnext', '--moduleResolution', 'bundler'],
    'bundler, in a CommonJS module': ['commonjs.cts', '--module', 'preserve'],
  }
  for (const [name, args] of Object.entries(WAYS)) {
    test(`by ${name}`, async () => assert.equal(await tsc(...args), ''))
  }

  test('without types of the browser, where libraries are not checked', async () => {
    assert.equal(await tsc(...WAYS['node16, in a CommonJS module'], '--lib', 'es2022', '--skipLibCheck'), '')
  })

  test('and name @types/node themselves, as KafkaJS does, where TypeScript does not look for it by itself', async () => {
    assert.equal(await tsc(...WAYS.bundler, '--typeRoots', 'none'), '')
    await rm(join(installed.folder, 'node_modules/@types'), { recursive: true })
    assert.match(await tsc(...WAYS.bundler), /Cannot find type definition file for 'node'/)
  })
})
