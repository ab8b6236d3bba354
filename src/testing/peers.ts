/** Whom a member asks what it cannot know by itself: its leader or, while it has lost sight of that, nobody. */
import { type Link } from './link.ts'
import { type Peers } from './member-state.ts'
import { type Replica } from './replica.ts'
import { type Write } from './write.ts'

/** The same questions as those of {@link Peers}, with the member that asks. */
export interface Authority {
  decide<T>(origin: Replica, write: Write<T>): void
  catchUp(origin: Replica, link: Link, answer: () => void): void
  touch(id: bigint): void
  hasSession(origin: Replica, id: bigint): boolean
  resumeSession(
    origin: Replica,
    id: bigint,
    timeoutMsWanted: number,
    link: Link,
    answer: (timeoutMs: number | null) => void,
  ): void
}

/** What a member makes of it while its leader does not answer: it knows what it has heard of. */
const nobody: Authority = {
  decide: (origin, { link }) => waitForEver(origin, link),
  catchUp: waitForEver,
  touch: () => undefined,
  hasSession: (origin, id) => origin.hasHeardOf(id),
  resumeSession: (origin, _id, _timeoutMsWanted, link) => waitForEver(origin, link),
}

/** A leader, and who is together with it: the leader is one of them. */
interface Reach extends Authority {
  readonly leader: Replica
  readonly together: readonly Replica[]
}

/** `reach` says whom `origin` can ask at the moment: null for nobody. */
export function peersOf(origin: Replica, reach: () => Reach | null): Peers {
  const authority = () => reach() ?? nobody
  return {
    role: () => (reach()?.leader === origin ? 'leader' : 'follower'),
    followers: () => {
      const reached = reach()
      return reached?.leader === origin ? reached.together.length - 1 : 0
    },
    decide: (write) => authority().decide(origin, write),
    catchUp: (link, answer) => authority().catchUp(origin, link, answer),
    touch: (id) => authority().touch(id),
    hasSession: (id) => authority().hasSession(origin, id),
    resumeSession: (id, timeoutMsWanted, link, answer) => {
      authority().resumeSession(origin, id, timeoutMsWanted, link, answer)
    },
  }
}

/** A transaction that no member can hear of. */
const never = 1n << 62n

/** Whoever asks waits, with all that is asked behind it, until the connection ends. */
export function waitForEver({ state }: Replica, link: Link | null): void {
  state.answers.add(link, never, () => undefined)
}
