#!/usr/bin/env node
/**
 * The test server as a program, for tests in other languages: prints its connect string when it
 * listens, and ends on SIGTERM or SIGINT.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { digestOf } from './acl.ts'
import { TestEnsemble } from './ensemble.ts'
import { type TreeOption } from './preload.ts'
import { profileNames, type ProfileName } from './profile.ts'
import { TestServer, type TestServerOptions } from './server.ts'

const usage = `Usage: zoowire-test-server [options]

Starts a ZooKeeper server in memory, and prints its connect string. SIGTERM or SIGINT ends it.

  --port N                  default: a free one
  --host NAME               default: 127.0.0.1
  --members N               so many servers of one ensemble, each on a free port
  --election-time MS        how long they take to find another leader; default: 0
  --profile NAME            whose behaviour: ${profileNames.join(', ')}
  --tree FILE               znodes that are there from the start: {"/app": "data", ...}
  --tick-time MS            default: 200
  --min-session-timeout MS  default: two ticks
  --max-session-timeout MS  default: 60000
  --container-check MS      how often containers and TTL znodes are looked at; default: 1000
  --enforce-quota           refuses what is more than a hard limit
  --super USER:PASSWORD     who may do everything; or
  --super-digest USER:HASH
  --tls-cert FILE           speaks TLS with this certificate (PEM)
  --tls-key FILE            and its key
  --tls-ca FILE             demands certificates of clients that this authority has signed
  --help
`

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

const options = {
  port: text,
  host: text,
  members: text,
  'election-time': text,
  profile: text,
  tree: text,
  'tick-time': text,
  'min-session-timeout': text,
  'max-session-timeout': text,
  'container-check': text,
  'enforce-quota': flag,
  super: text,
  'super-digest': text,
  'tls-cert': text,
  'tls-key': text,
  'tls-ca': text,
  help: flag,
} as const

type Values = ReturnType<typeof parse>

async function main(): Promise<void> {
  const values = parse()
  if (values.help === true) return void process.stdout.write(usage)
  const server = await start(values)
  const end = () => void server.close()
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  process.stdout.write(`${server.connectString}\n`)
}

function parse() {
  return parseArgs({ options }).values
}

function start(values: Values): Promise<TestServer | TestEnsemble> {
  const members = numberOf('members', values.members)
  const electionTime = numberOf('election-time', values['election-time']) ?? 0
  if (members === undefined && electionTime > 0) throw new Error('--election-time needs --members')
  if (members === undefined) return TestServer.start(optionsOf(values))
  if (values.port !== undefined) throw new Error('--members take free ports, and no --port')
  return TestEnsemble.start({ ...optionsOf(values), members, electionTime })
}

function optionsOf(values: Values): TestServerOptions {
  return {
    ...given('port', numberOf('port', values.port)),
    ...given('host', values.host),
    ...given('profile', profileOf(values.profile)),
    ...given('tree', treeOf(values.tree)),
    ...given('tickTime', numberOf('tick-time', values['tick-time'])),
    ...given('minSessionTimeout', numberOf('min-session-timeout', values['min-session-timeout'])),
    ...given('maxSessionTimeout', numberOf('max-session-timeout', values['max-session-timeout'])),
    ...given('containerCheckInterval', numberOf('container-check', values['container-check'])),
    ...given('enforceQuota', values['enforce-quota']),
    ...given('superDigest', superDigestOf(values)),
    ...given('tls', tlsOf(values)),
  }
}

/** No key at all for what was not given: that is not the same as `undefined`. */
function given<K extends keyof TestServerOptions>(
  name: K,
  value: TestServerOptions[K] | undefined,
): Pick<TestServerOptions, K> | undefined {
  return value === undefined ? undefined : ({ [name]: value } as Pick<TestServerOptions, K>)
}

function numberOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^\d{1,9}$/.test(value)) throw new Error(`--${name} needs a number, not ${value}`)
  return Number(value)
}

function profileOf(value: string | undefined): ProfileName | undefined {
  const name = profileNames.find((candidate) => candidate === value)
  if (name !== undefined || value === undefined) return name
  throw new Error(`--profile is one of ${profileNames.join(', ')}, not ${value}`)
}

function treeOf(file: string | undefined): TreeOption | undefined {
  if (file === undefined) return undefined
  const tree: unknown = JSON.parse(readFileSync(file, 'utf8'))
  const isTree =
    typeof tree === 'object' &&
    tree !== null &&
    Object.values(tree).every((data) => data === null || typeof data === 'string')
  if (!isTree) throw new Error(`--tree needs an object of texts by path, which ${file} is not`)
  return tree as TreeOption
}

function superDigestOf({ super: user, 'super-digest': digest }: Values): string | undefined {
  return user === undefined ? digest : digestOf(user)
}

function tlsOf(values: Values): TestServerOptions['tls'] {
  const { 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca } = values
  if (cert === undefined && key === undefined && ca === undefined) return undefined
  if (cert === undefined || key === undefined) throw new Error('TLS needs --tls-cert and --tls-key')
  const tls = { cert: readFileSync(cert), key: readFileSync(key) }
  return ca === undefined ? tls : { ...tls, ca: readFileSync(ca), requestCert: true }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
})
