/** Random scripts: what three clients do, one step behind the other, as data that can be shrunk. */
import fc from 'fast-check'
import { bursts, type Call, calls, type Kind } from './calls.ts'

export const clients = ['A', 'B', 'C'] as const
export type Client = (typeof clients)[number]

export type Deed =
  /** Another connection, the same session: the old one is closed before, or by the server. */
  | 'resumes'
  | 'takes over'
  /** Somebody tries to take over with another password. */
  | 'is impersonated'
  /** The session ends, and the next begins. */
  | 'begins anew'
  /** Says nothing until its session has ended, and comes back. */
  | 'expires'
  | 'does nothing'

export type Step =
  | ({ readonly client: Client } & Call)
  /** All at once, before anything is answered. */
  | { readonly client: Client; readonly burst: readonly Call[] }
  | { readonly client: Client; readonly does: Deed }

export interface Script {
  readonly kind: Kind
  readonly steps: readonly Step[]
}

const client = fc.constantFrom(...clients)

/** Of so many steps. Shrinking turns those that do not matter into nothing. */
export function scripts(length: number, version: string): fc.Arbitrary<Script> {
  const hasHardLimits = !/^3\.[56]\./.test(version)
  return fc.oneof(
    { weight: 70, arbitrary: scriptsOf('usual', length, version) },
    { weight: 14, arbitrary: scriptsOf(hasHardLimits ? 'quotas' : 'usual', length, version) },
    { weight: 8, arbitrary: scriptsOf('containers', length, version) },
    { weight: 8, arbitrary: scriptsOf('ttls', length, version) },
  )
}

function scriptsOf(kind: Kind, length: number, version: string): fc.Arbitrary<Script> {
  const deed = (...deeds: readonly Deed[]) => {
    return fc.record({ client, does: fc.constantFrom(...deeds) })
  }
  const asking = fc.tuple(client, calls(kind, version)).map(([name, asked]): Step => {
    return { client: name, ...asked }
  })
  const crowding = fc.record({ client, burst: bursts(version) })
  const step = fc.oneof(
    { withCrossShrink: true },
    { weight: 20, arbitrary: deed('does nothing') },
    { weight: 1200, arbitrary: asking },
    // What comes and goes by itself, and quotas, are counted while others are looked at.
    { weight: kind === 'usual' ? 100 : 0, arbitrary: crowding },
    { weight: 40, arbitrary: deed('resumes', 'takes over', 'begins anew') },
    { weight: 5, arbitrary: deed('is impersonated') },
    { weight: 2, arbitrary: deed('expires') },
  )
  const steps = fc.array(step, { minLength: length, maxLength: length })
  return steps.map((all) => ({ kind, steps: all }))
}
