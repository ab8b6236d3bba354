import { expect, test } from 'vitest'
import { parseConnectString } from '../../../src/protocol/connect-string.ts'
import { readDirectives } from '../../../src/protocol/digest-md5.ts'
import { parseEnsembleConfig } from '../../../src/protocol/ensemble-config.ts'
import { ZooKeeperError } from '../../../src/protocol/errors.ts'
import { validatePath } from '../../../src/protocol/path.ts'

// Texts that servers or strangers have written are read in a time that grows with their length alone.
// Where it grew with its square, one of these would take ten seconds.

const parsers = {
  connect: parseConnectString,
  path: validatePath,
  config: parseEnsembleConfig,
  challenge: (text: string) => readDirectives(Buffer.from(text)),
  error: (text: string) => new ZooKeeperError('NO_NODE', { detail: text }),
}

const length = 2 ** 17
const units = [' ', '\t', '\n', ' \n', 'a', '0', ',', ':', ';', '/', '.', '[', ']', '=', '"', '\\']
const patterns = [
  ...units,
  ...['a,', 'a:1,', '[:', ':1', ':participant', 'server.1=', ';1', '/a', '/.', 'a="', 'a=b,', '|'],
]
const edges = ['', 'server.1=', 'version=', 'zk://', '[', '/', 'a="', '\u0001', '!']

test.each(Object.keys(parsers) as (keyof typeof parsers)[])(
  'T20: %s, of a hundred thousand signs',
  (name) => {
    const parse = parsers[name]
    for (const pattern of patterns) {
      const text = pattern.repeat(length / pattern.length)
      for (const edge of edges) {
        const startedMs = performance.now()
        try {
          parse(edge + text)
        } catch (error) {
          expect(error).toBeInstanceOf(ZooKeeperError)
        }
        const label = JSON.stringify([edge, pattern])
        expect(performance.now() - startedMs, label).toBeLessThan(2_000)
      }
    }
  },
  60_000,
)
