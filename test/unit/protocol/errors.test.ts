import { describe, expect, test, vi } from 'vitest'
import { errorCodes } from '../../../src/protocol/error-codes.ts'
import { isZooKeeperError, ProtocolError, ZooKeeperError } from '../../../src/protocol/errors.ts'

describe('ZooKeeperError', () => {
  test('has the facts of its code', () => {
    expect(new ZooKeeperError('NO_NODE')).toMatchObject({
      name: 'ZooKeeperError',
      message: 'the znode does not exist (NO_NODE)',
      code: 'NO_NODE',
      errno: -101,
      op: null,
      path: null,
      sessionId: null,
      server: null,
      outcome: 'not-applied',
      retriable: false,
    })
  })

  test('keeps the circumstances it is given', () => {
    const circumstances = {
      op: 'setData',
      path: '/config',
      sessionId: 7n,
      server: 'zk1:2181',
      outcome: 'unknown',
    } as const
    const error = new ZooKeeperError('CONNECTION_LOSS', circumstances)
    expect(error).toMatchObject({ ...circumstances, retriable: true })
  })

  test('names operation and path in its message, and says if nobody knows what it did', () => {
    const { message } = new ZooKeeperError('CONNECTION_LOSS', {
      op: 'setData',
      path: '/config',
      outcome: 'unknown',
    })
    expect(message).toBe(
      'setData /config: the connection was lost; the outcome is unknown (CONNECTION_LOSS)',
    )
  })

  test.for([
    [{ op: 'sync' }, 'sync: the znode does not exist (NO_NODE)'],
    [{ path: '/a' }, '/a: the znode does not exist (NO_NODE)'],
    [{ op: null, path: null }, 'the znode does not exist (NO_NODE)'],
    [{ detail: 'it is gone', op: 'sync' }, 'sync: it is gone (NO_NODE)'],
  ] as const)('with %o says %s', ([context, message]) => {
    expect(new ZooKeeperError('NO_NODE', context).message).toBe(message)
  })

  test('has in detail what went wrong, without what surrounds it', () => {
    const where = { op: 'setData', path: '/config', outcome: 'unknown' } as const
    const general = new ZooKeeperError('CONNECTION_LOSS', where)
    const special = new ZooKeeperError('CONNECTION_LOSS', { ...where, detail: 'it was cut' })
    expect([general.detail, special.detail]).toEqual(['the connection was lost', 'it was cut'])
  })

  test('keeps and prints a number that no table knows', () => {
    const error = new ZooKeeperError('UNKNOWN_ERROR', { errno: -126 })
    expect(error.errno).toBe(-126)
    expect(error.message).toContain('(UNKNOWN_ERROR -126)')
  })

  test('prints no number if there is none', () => {
    expect(new ZooKeeperError('UNKNOWN_ERROR').message).toContain('(UNKNOWN_ERROR)')
  })

  test.for([
    ['ABORTED', 'AbortError'],
    ['TIMEOUT', 'TimeoutError'],
    ['CLOSED', 'ZooKeeperError'],
  ] as const)('%s has the name %s', ([code, name]) => {
    expect(new ZooKeeperError(code).name).toBe(name)
  })

  test('has a cause only if it was given one, even if that is undefined', () => {
    const reason = new Error('why')
    expect(new ZooKeeperError('ABORTED', { cause: reason }).cause).toBe(reason)
    expect('cause' in new ZooKeeperError('ABORTED', { cause: undefined })).toBe(true)
    expect('cause' in new ZooKeeperError('ABORTED')).toBe(false)
  })

  test.for([
    ['a line feed', '\n', '\\u000a'],
    ['the beginning of an escape sequence', '\u001b', '\\u001b'],
    ['NUL', '\0', '\\u0000'],
    ['DEL', '\u007f', '\\u007f'],
    ['a C1 control', '\u009b', '\\u009b'],
    ['a line separator', '\u2028', '\\u2028'],
    ['a paragraph separator', '\u2029', '\\u2029'],
  ] as const)('prints %s of a path in a form that cannot forge a line', ([, raw, escaped]) => {
    const path = `/a${raw}b`
    const error = new ZooKeeperError('NO_NODE', { path, detail: `${raw}!` })
    expect(error.message).toBe(`/a${escaped}b: ${escaped}! (NO_NODE)`)
    expect(error.path).toBe(path)
  })

  test('prints letters of every language as they are', () => {
    expect(new ZooKeeperError('NO_NODE', { path: '/é€\u{1f600}' }).message).toContain(
      '/é€\u{1f600}:',
    )
  })
})

describe('ProtocolError', () => {
  test('is a ZooKeeperError with a code of its own', () => {
    const error = new ProtocolError('a frame is too short', { server: 'zk1:2181' })
    expect(error).toBeInstanceOf(ZooKeeperError)
    expect(error).toMatchObject({ code: 'PROTOCOL_ERROR', errno: null, server: 'zk1:2181' })
    expect(error.message).toBe('a frame is too short (PROTOCOL_ERROR)')
  })
})

describe('isZooKeeperError', () => {
  test('recognises the errors of another copy of the package', async () => {
    vi.resetModules()
    const copy = await import('../../../src/protocol/errors.ts')
    const error: unknown = new copy.ProtocolError('x')
    expect(error).not.toBeInstanceOf(ZooKeeperError)
    expect(isZooKeeperError(error)).toBe(true)
    expect(isZooKeeperError(error, 'PROTOCOL_ERROR')).toBe(true)
    expect(copy.isZooKeeperError(new ZooKeeperError('NO_NODE'), 'NO_NODE')).toBe(true)
  })

  test('tells codes apart', () => {
    expect(isZooKeeperError(new ZooKeeperError('NO_NODE'), 'NODE_EXISTS')).toBe(false)
  })

  test.for([undefined, null, 'NO_NODE', 7, {}, new Error('NO_NODE'), { code: 'NO_NODE' }])(
    'does not take %o for one',
    (value) => {
      expect(isZooKeeperError(value)).toBe(false)
    },
  )
})

test('every code has a meaning without a full stop, since more text follows it', () => {
  for (const { meaning } of Object.values(errorCodes)) expect(meaning).toMatch(/^[^.]+$/)
})

test('an operation that the server does not know names the version that does', () => {
  const error = new ZooKeeperError('UNIMPLEMENTED', { op: 'whoAmI', since: '3.7' })
  expect(error.since).toBe('3.7')
  expect(error.message).toContain('came with ZooKeeper 3.7')
  expect(new ZooKeeperError('UNIMPLEMENTED').since).toBeNull()
})
