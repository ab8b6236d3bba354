import { describe, expect, test } from 'vitest'
import { type WatchEvent } from '../../../src/index.ts'
import { judge, untoldEvents } from '../../support/judge.ts'
import { type LoadReport, type Write } from '../../support/load.ts'
import { type LoggedTransaction } from '../../support/transaction-log.ts'

// The tests on real servers are as good as the judge: here it is shown one untruth at a time.

const sessionId = 7n

describe('judge', () => {
  test('finds nothing where all was told as it was', () => {
    const verdict = judge(told(write(1, 'applied'), write(2, 'not-applied')), [created(1)])
    expect(verdict).toMatchObject({ untruths: [], applied: 1, notApplied: 1 })
  })

  test('lets the log decide what was told as unknown', () => {
    const verdict = judge(told(write(1, 'unknown'), write(2, 'unknown')), [created(2)])
    expect(verdict).toMatchObject({ untruths: [], unknown: { applied: 1, notApplied: 1 } })
  })

  test('finds a write that was told as applied and was not', () => {
    const { untruths } = judge(told(write(1, 'applied')), [])
    expect(untruths).toEqual([`${token(1)} was told as applied (CODE)`])
  })

  test('finds a write that was told as not applied and was', () => {
    const { untruths } = judge(told(write(1, 'not-applied')), [created(1)])
    expect(untruths).toEqual([`${token(1)} was told as not-applied (CODE)`])
  })

  test('finds a write that was done twice', () => {
    const { untruths } = judge(told(write(1, 'applied')), [created(1), created(1, 9n)])
    expect(untruths).toEqual([`${token(1)} was done 2 times`])
  })

  test('finds writes that were done in another order than they were called', () => {
    const writes = told(write(1, 'applied'), write(2, 'applied'))
    expect(judge(writes, [created(2, 1n), created(1, 2n)]).untruths).toEqual([
      `${token(1)} was done after a write that was called later`,
    ])
  })

  test('does not mistake the write of another session for ours', () => {
    const { untruths } = judge(told(write(1, 'applied')), [{ ...created(1), sessionId: 8n }])
    expect(untruths).toHaveLength(1)
  })

  test('finds an answer with a value that its zxid did not have', () => {
    const report = told(write(1, 'applied'))
    const reads = { ...report.reads, answers: [{ token: token(2), mzxid: 1n }] }
    expect(judge({ ...report, reads }, [created(1)]).untruths).toEqual([
      `a read said ${token(2)} of zxid 1`,
    ])
  })

  test('finds answers that showed the past', () => {
    const report = told()
    expect(judge({ ...report, reads: { ...report.reads, stale: 3 } }, []).untruths).toEqual([
      '3 answers were older than one before them',
    ])
  })

  test('finds watches that were called never, or twice', () => {
    const watches = { set: 6, calls: [1, 3, 2] }
    expect(judge({ ...told(), watches }, []).untruths).toEqual([
      '1 one-shot watches were called 0 times',
      '2 one-shot watches were called 2 times',
    ])
  })
})

describe('untold events', () => {
  const history = [1, 2, 3, 4, 5, 6].map((number) => created(number))

  test('are none where everything was told', () => {
    expect(untold([1, 2, 3, 4, 5, 6])).toEqual([])
  })

  test('are none where a resync stands for the rest', () => {
    expect(untold([1, 2, 'resync', 5, 6])).toEqual([])
    expect(untold([1, 'resync', 3, 'resync', 6])).toEqual([])
    expect(untold([1, 2, 'resync', 'resync', 6])).toEqual([])
  })

  test.each([
    ['at the beginning', [2, 3, 4, 5, 6]],
    ['without a resync', [1, 2, 4, 5, 6]],
    ['after the last resync', [1, 'resync', 3, 4, 6]],
    ['at the end', [1, 'resync', 3, 4, 5]],
    ['before the gap that the resync stands for', [1, 3, 'resync', 5, 6]],
  ] as const)('are found %s', (_, events) => {
    expect(untold(events)).toHaveLength(1)
  })

  test('are found where an event was told twice', () => {
    expect(untold([1, 2, 3, 'resync', 3, 4, 5, 6])).toHaveLength(1)
    expect(untold([1, 2, 2, 3, 4, 5, 6])).toHaveLength(1)
  })

  function untold(events: readonly (number | 'resync')[]): string[] {
    return untoldEvents(events.map(eventOf), history, '/made')
  }
})

function told(...writes: Write[]): LoadReport {
  const reads = { answered: 0, failed: 0, stale: 0, answers: [] }
  return { sessionId, writes, reads, watches: { set: 0, calls: [0, 0] } }
}

function write(number: number, outcome: Write['outcome']): Write {
  return { token: token(number), outcome, code: 'CODE' }
}

function created(number: number, zxid = BigInt(number)): LoggedTransaction {
  const change = { type: 'create', path: pathOf(number), data: token(number) } as const
  return { zxid, sessionId, cxid: number, type: 1, err: 0, changes: [change] }
}

function eventOf(what: number | 'resync'): WatchEvent {
  if (what === 'resync') return { type: 'resync', path: '/made', zxid: null }
  return { type: 'NodeCreated', path: pathOf(what), zxid: null }
}

function pathOf(number: number): string {
  return `/made/${token(number)}`
}

function token(number: number): string {
  return String(number).padStart(8, '0')
}
