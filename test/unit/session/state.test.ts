import { describe, expect, test } from 'vitest'
import {
  isTerminal,
  linkAfter,
  type LinkState,
  linkTransitions,
  type LinkTrigger,
  sessionAfter,
  type SessionState,
  sessionTransitions,
  type Trigger,
} from '../../../src/session/state.ts'

const sessionTriggers: readonly Trigger[] = [
  'established',
  'established-read-only',
  'disconnected',
  'moved',
  'unheard',
  'refused',
  'data-lost',
  'taken-over',
  'auth-rejected',
  'close-requested',
  'close-finished',
]

/** A dot is no transition. The order of the columns is that of the triggers above. */
const sessionTable: Record<SessionState, string> = {
  connecting: 'connected read-only . . . expired . expired auth-failed closed .',
  connected: '. . suspended suspended . . . . auth-failed closing .',
  'read-only': '. . suspended suspended . . . . auth-failed closing .',
  suspended: 'connected read-only . . lost expired . expired auth-failed closed .',
  lost: 'connected read-only . . . expired expired expired auth-failed closed .',
  closing: '. . closed . . . . . closed . closed',
  expired: '. . . . . . . . . . .',
  'auth-failed': '. . . . . . . . . . .',
  closed: '. . . . . . . . . . .',
}

const linkTriggers: readonly LinkTrigger[] = [
  'dialled',
  'opened',
  'accepted',
  'sasl-begun',
  'sasl-finished',
  'failed',
  'ended',
]

const linkTable: Record<LinkState, string> = {
  idle: 'dialling . . . . . ended',
  dialling: '. handshaking . . . idle ended',
  handshaking: '. . attached authenticating . idle ended',
  authenticating: '. . . . attached idle ended',
  attached: '. . . . . idle ended',
  ended: '. . . . . . .',
}

describe('state', () => {
  test('the tables have the states that are tested here', () => {
    expect(Object.keys(sessionTransitions)).toEqual(Object.keys(sessionTable))
    expect(Object.keys(linkTransitions)).toEqual(Object.keys(linkTable))
  })

  const sessionCells = cellsOf(sessionTable, sessionTriggers)
  test.each(sessionCells)('a session that is $from, $trigger: $to', ({ from, trigger, to }) => {
    const after = () => sessionAfter(from, trigger)
    if (to === '.') expect(after).toThrow(`session: "${trigger}" while "${from}" (SYSTEM_ERROR)`)
    else expect(after()).toBe(to)
  })

  const linkCells = cellsOf(linkTable, linkTriggers)
  test.each(linkCells)('a link that is $from, $trigger: $to', ({ from, trigger, to }) => {
    const after = () => linkAfter(from, trigger)
    if (to === '.') expect(after).toThrow(`link: "${trigger}" while "${from}" (SYSTEM_ERROR)`)
    else expect(after()).toBe(to)
  })

  test('nothing leads out of the terminal states, and they are three', () => {
    const states = Object.keys(sessionTransitions) as SessionState[]
    expect(states.filter(isTerminal)).toEqual(['expired', 'auth-failed', 'closed'])
  })
})

function cellsOf<S extends string, T>(table: Record<S, string>, triggers: readonly T[]) {
  return Object.entries<string>(table).flatMap(([from, row]) => {
    const cells = row.split(' ')
    expect(cells).toHaveLength(triggers.length)
    return triggers.map((trigger, i) => ({ from: from as S, trigger, to: cells[i]! }))
  })
}
