/** When the default timeout of calls is over, which all of them share: the oldest is the first. */
import { type Call, Phase } from './call.ts'

/** The earliest deadline: that of the oldest call still waiting, since all wait equally long. */
export function deadlineOf(calls: Pick<readonly Call[], 'length' | 'at'>): number {
  // Asked after every read and write: an iterator each time would cost as much as a call.
  for (let i = 0; i < calls.length; i++) {
    const { phase, deadlineMs } = calls.at(i)!
    if (phase !== Phase.settled && deadlineMs !== Infinity) return deadlineMs
  }
  return Infinity
}

export function callsDue(calls: Iterable<Call>, nowMs: number): Call[] {
  const due: Call[] = []
  for (const call of calls) {
    if (call.phase === Phase.settled || call.deadlineMs === Infinity) continue
    if (call.deadlineMs > nowMs) break
    due.push(call)
  }
  return due
}
