#!/usr/bin/env node
/**
 * The test server as a program, for tests in other languages: prints its connect string when it
 * listens, and ends on SIGTERM or SIGINT.
 */
import { parseArgs } from 'node:util'
import { TestServer, type TestServerOptions } from './server.ts'

const usage = `Usage: zoowire-test-server [options]

Starts a ZooKeeper server in memory, and prints its connect string. SIGTERM or SIGINT ends it.

  --port N                  default: a free one
  --host NAME               default: 127.0.0.1
  --tick-time MS            default: 200
  --min-session-timeout MS  default: two ticks
  --max-session-timeout MS  default: 60000
  --super-digest USER:HASH  who may do everything
  --help
`

const number = { type: 'string' } as const
const text = { type: 'string' } as const

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2))
  if (options === null) return void process.stdout.write(usage)
  const server = await TestServer.start(options)
  const end = () => void server.close()
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  process.stdout.write(`${server.connectString}\n`)
}

/** Null if all that is wanted is help. */
function optionsOf(args: readonly string[]): TestServerOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: number,
      host: text,
      'tick-time': number,
      'min-session-timeout': number,
      'max-session-timeout': number,
      'super-digest': text,
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return null
  const numbers = {
    port: numberOf('port', values.port),
    tickTime: numberOf('tick-time', values['tick-time']),
    minSessionTimeout: numberOf('min-session-timeout', values['min-session-timeout']),
    maxSessionTimeout: numberOf('max-session-timeout', values['max-session-timeout']),
  }
  const texts = { host: values.host, superDigest: values['super-digest'] }
  const given = Object.entries({ ...numbers, ...texts }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given)
}

function numberOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^\d{1,9}$/.test(value)) throw new Error(`--${name} needs a number, not ${value}`)
  return Number(value)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
})
