import { expect, test } from 'vitest'
import { Reporter } from '../../../src/client/reporter.ts'

/** A reporter, and the lines that it has logged once its turn is over. */
function logging() {
  const lines: string[] = []
  const note = (line: string) => {
    lines.push(line)
  }
  return { lines, reporter: new Reporter({ debug: note, info: note, warn: note, error: note }) }
}

// Names come from /zookeeper/config, and words from servers, resolvers and OpenSSL.
test('what others say forges no lines of a log, whatever it contains', async () => {
  const { lines, reporter } = logging()
  const server = 'zk1\u001b[2K:2181'
  const cause = new Error('gone\nzoowire: session 0x1 is connected\u2028\u0085')
  reporter.link({ link: 'idle', trigger: 'failed', server, cause })
  reporter.stall({ kind: 'server', ms: 1, server })
  const change = { state: 'lost', previous: 'suspended', reason: 'unheard' } as const
  const ids = { sessionId: 1n, previousSessionId: null }
  reporter.state({ ...change, ...ids, server, cause })
  reporter.retry({
    ...{ op: 'getData', path: '/a\r/b', attempt: 1, delayMs: 1, reason: 'policy' },
    error: cause,
  })
  await Promise.resolve()
  expect(lines).toHaveLength(4)
  for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
  expect(lines[0]).toContain('zk1\\u001b[2K:2181: failed: gone\\u000azoowire')
})
