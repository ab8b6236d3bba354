/**
 * Which clients move when the list of servers changes, so that each server ends up with the same share
 * of them. No client knows of the others: each throws dice, loaded so that the sum comes out even.
 *
 * Source: Java's `StaticHostProvider.updateServerList`; ZOOKEEPER-1355 has the derivation.
 */
import { type Host } from '../protocol/connect-string.ts'

/** A client that has to move: it draws from `added` with this probability, else from `kept`. */
export interface Move {
  readonly added: readonly Host[]
  readonly kept: readonly Host[]
  readonly addedShare: number
}

/**
 * @param current the server that serves the client now.
 * @returns null for a client that stays where it is.
 */
export function moveOf(
  before: readonly Host[],
  after: readonly Host[],
  current: Host,
  random: () => number,
): Move | null {
  const kept = after.filter((host) => includes(before, host))
  const added = after.filter((host) => !includes(before, host))
  const isKept = includes(after, current)
  if (after.length > before.length) {
    // Every old server has too many clients: those of a removed one all go to new ones.
    const isLeaving = !isKept || random() < 1 - before.length / after.length
    return isLeaving ? { added, kept, addedShare: 1 } : null
  }
  if (isKept) return null // there is less room elsewhere than before
  const keptShare =
    (kept.length * (before.length - after.length)) / (after.length * (before.length - kept.length))
  return { added, kept, addedShare: 1 - keptShare }
}

export function isSameHost(one: Host, other: Host): boolean {
  return one.name === other.name && one.port === other.port
}

function includes(hosts: readonly Host[], host: Host): boolean {
  return hosts.some((one) => isSameHost(one, host))
}
