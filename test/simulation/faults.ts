import { type Prng } from '../../src/testing/prng.ts'
import { type Replica } from '../../src/testing/replica.ts'
import { type World } from '../../src/simulation/world.ts'

/** What has struck so far. */
export interface Struck {
  /** How often each kind of fault did. */
  readonly counts: Record<string, number>
  /** Sessions that were expired by force. */
  readonly expired: Set<bigint>
}

/** Lets faults strike at random moments, and at `endMs` mends whatever is still broken. */
export function planFaults(
  world: World,
  count: number,
  { fromMs, endMs }: { readonly fromMs: number; readonly endMs: number },
): Struck {
  const counts: Record<string, number> = {}
  const expired = new Set<bigint>()
  const { clock, dice } = world
  const strike = (kind: keyof typeof faults) => {
    clock.timer(fromMs + dice.next() * (endMs - fromMs), () => {
      if (faults[kind](world, dice, expired)) counts[kind] = (counts[kind] ?? 0) + 1
    })
  }
  const kinds = Object.keys(faults) as (keyof typeof faults)[]
  strike('expire')
  for (let i = 1; i < count; i++) strike(dice.pick(kinds))
  clock.timer(endMs, () => {
    world.mend()
  })
  return { counts, expired }
}

/** Each returns whether there was anything to strike. */
const faults = {
  cut: (world, dice) => onConnection(world, dice, (connection) => connection.cut()),

  silence: (world, dice) => onConnection(world, dice, (connection) => connection.silence()),

  hold: (world, dice) =>
    onConnection(world, dice, (connection) => connection.hold(dice.int(10, 5_000))),

  cutAfterBytes: (world, dice) =>
    onConnection(world, dice, (connection) => {
      const pipe = dice.chance(0.5) ? connection.toServer : connection.toClient
      let left = dice.int(0, 200)
      const at = ({ length }: Buffer) => {
        if (length >= left) return left
        left -= length
        return null
      }
      pipe.cutAt(at, () => connection.cut())
    }),

  /** Between two frames that a server sent at once, such as the notifications of one multi. */
  cutBehindFrame: (world, dice) =>
    onConnection(world, dice, (connection) => {
      const at = (chunk: Buffer) => {
        const end = chunk.length < 4 ? 0 : 4 + chunk.readInt32BE()
        return end > 4 && end < chunk.length ? end : null
      }
      connection.toClient.cutAt(at, () => connection.cut())
    }),

  garbage: (world, dice) =>
    onConnection(world, dice, (connection) => connection.inject(garbage(dice))),

  refuse: (world, dice) => {
    const host = dice.pick([...world.network.hosts.values()])
    host.isUp = false
    later(world, dice, () => (host.isUp = true))
    return true
  },

  swallow: (world, dice) => {
    const host = dice.pick([...world.network.hosts.values()])
    host.isSilent = true
    later(world, dice, () => (host.isSilent = false))
    return true
  },

  restart: (world, dice) => {
    world.restart(dice.int(10, 3_000))
    return true
  },

  /** Any member, more than one at times; or the one that decides. */
  kill: (world, dice) => {
    const { replicas, leader } = world.quorum
    world.restart(dice.int(10, 8_000), [leader ?? dice.pick(replicas)])
    if (dice.chance(0.2)) world.restart(dice.int(10, 4_000), [dice.pick(replicas)])
    return true
  },

  killFollower: (world, dice) =>
    onFollower(world, dice, (follower) => world.restart(dice.int(10, 8_000), [follower])),

  changeLeader: (world) => {
    if (world.quorum.followers.length === 0) return false
    world.quorum.changeLeader()
    return true
  },

  /** One follower hears of everything late; with both, nothing happens meanwhile. */
  lag: (world, dice) =>
    onFollower(world, dice, (follower) => world.lag(follower, dice.int(500, 8_000))),

  lagBoth: (world, dice) => {
    const { followers } = world.quorum
    for (const follower of followers) world.lag(follower, dice.int(100, 3_000))
    return followers.length > 0
  },

  /** What the leader has decided at last, nobody else has heard of. */
  loseWrites: (world, dice) => {
    const { followers, leader } = world.quorum
    if (leader === null) return false
    for (const follower of followers) follower.hold()
    world.clock.timer(world.clock.nowMs() + dice.int(10, 1_000), () => {
      world.restart(dice.int(100, 4_000), [leader])
      for (const follower of followers) world.quorum.release(follower, Infinity)
    })
    return true
  },

  /** For as long as real ones may take to notice, reads and pings are answered. */
  part: (world, dice) => {
    world.part(dice.pick(world.quorum.replicas), dice.int(10, 6_000), dice.int(10, 4_000))
    return true
  },

  /** Only while the others are a majority, and give it back: else what it alone had seen is lost in earnest. */
  wipe: (world, dice) => {
    if (world.quorum.followers.length < 2) return false
    return onFollower(world, dice, (follower) => {
      world.quorum.stop(follower)
      follower.wipe()
      world.quorum.start(follower)
    })
  },

  /** Longer than a session lasts, or shorter. */
  isolate: (world, dice) => {
    world.network.isolate(dice.int(1, 3), dice.int(1_000, 16_000))
    return true
  },

  /** As by an operator: sooner than any timeout, so no lease can know. */
  expire: (world, dice, expired) => {
    const sessions = [...world.quorum.state.sessions]
    if (sessions.length === 0 || world.quorum.leader === null) return false
    const session = dice.pick(sessions)
    expired.add(session.id)
    world.quorum.state.expire(session.id)
    return true
  },
} satisfies Record<string, (world: World, dice: Prng, expired: Set<bigint>) => boolean>

type Connection = Parameters<Parameters<World['network']['connections']['forEach']>[0]>[0]

function onConnection(world: World, dice: Prng, strike: (connection: Connection) => void) {
  const connections = [...world.network.connections]
  if (connections.length === 0) return false
  strike(dice.pick(connections))
  return true
}

function onFollower(world: World, dice: Prng, strike: (follower: Replica) => void) {
  const { followers } = world.quorum
  if (followers.length === 0) return false
  strike(dice.pick(followers))
  return true
}

function later(world: World, dice: Prng, run: () => void): void {
  world.clock.timer(world.clock.nowMs() + dice.int(100, 8_000), run)
}

/** Bytes that no server sends: a length that cannot be, or a frame that answers nothing. */
function garbage(dice: Prng): Buffer {
  const bytes = Buffer.from(Array.from({ length: dice.int(4, 64) }, () => dice.int(0, 255)))
  const lengths = [-1, 0, dice.int(1, 15), 0x7fff_ffff, 0x4854_5450]
  if (dice.chance(0.7)) bytes.writeInt32BE(dice.pick(lengths))
  return bytes
}
