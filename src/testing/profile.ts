/**
 * How servers of other versions, and other servers, differ from ZooKeeper 3.9.
 *
 * Source: `Request.isValid`, `WatchManager` and `MultiOperationRecord` at the tags 3.5.10, 3.6.4, 3.7.2,
 * 3.8.4 and 3.9.5, whose behaviour the profiles have; `OpNum` and `KeeperTCPHandler` of ClickHouse 24.
 */
import { type Operation, operations } from '../protocol/index.ts'

export const profileNames = ['3.5', '3.6', '3.7', '3.8', '3.9', 'clickhouse-keeper'] as const

/** Whose behaviour a test server has. */
export type ProfileName = (typeof profileNames)[number]

export interface Profile {
  /** What `srvr` says: version, commit, and date of the build. */
  readonly version: string
  knows(operation: Operation): boolean
  /** Whether an operation that it does not know is answered before the connection is closed. */
  readonly answersUnknown: boolean
  /** Whether a connection can watch one path in several modes. */
  readonly hasModes: boolean
  /** Whether `checkWatches` is answered as if whoever watches the path were the one who asks. */
  readonly mistakesWatchers: boolean
  /** Whether notifications say which change caused them. */
  readonly tellsZxid: boolean
  /**
   * Whether a create2 in a multi is answered with a Stat, and a createContainer makes a container whatever
   * its flags. Otherwise the flags alone decide.
   */
  readonly typesCountInMulti: boolean
  /** Whether it takes the right to read to be told that a znode exists, or has changed. */
  readonly guardsWatches: boolean
  /** Whether it can be told to refuse writes beyond a quota. */
  readonly knowsHardLimits: boolean
  /** Whether four-letter words tell what came with 3.6, such as the metrics of `mntr`. */
  readonly hasMetrics: boolean
  /** Whether a client can come back to its session; else it gets another one, and is not told. */
  readonly resumesSessions: boolean
}

const keeperOperations: ReadonlySet<Operation> = new Set<Operation>([
  operations.create,
  operations.delete,
  operations.exists,
  operations.getData,
  operations.setData,
  operations.getACL,
  operations.setACL,
  operations.getChildren,
  operations.sync,
  operations.ping,
  operations.getChildren2,
  operations.check,
  operations.multi,
  operations.multiRead,
  operations.auth,
  operations.closeSession,
])

const profiles: Readonly<Record<ProfileName, Profile>> = {
  '3.5': apache('3.5.10', {
    hasMetrics: false,
    hasModes: false,
    tellsZxid: false,
    typesCountInMulti: false,
    guardsWatches: false,
    knowsHardLimits: false,
  }),
  '3.6': apache('3.6.4', {
    hasModes: false,
    mistakesWatchers: true,
    tellsZxid: false,
    typesCountInMulti: false,
    guardsWatches: false,
    knowsHardLimits: false,
  }),
  '3.7': apache('3.7.2', {
    hasModes: false,
    mistakesWatchers: true,
    tellsZxid: false,
    guardsWatches: false,
  }),
  '3.8': apache('3.8.4', { hasModes: false, mistakesWatchers: true, tellsZxid: false }),
  '3.9': apache('3.9.5', {}),
  'clickhouse-keeper': {
    version: 'v24.8.1.1-testing',
    knows: (operation) => keeperOperations.has(operation),
    answersUnknown: false,
    hasModes: false,
    mistakesWatchers: false,
    tellsZxid: false,
    typesCountInMulti: false,
    guardsWatches: false,
    knowsHardLimits: false,
    hasMetrics: false,
    resumesSessions: false,
  },
}

export function profileOf(name: ProfileName): Profile {
  return profiles[name]
}

function apache(version: string, differences: Partial<Profile>): Profile {
  return {
    version: `${version}-zoowire, built on 1970-01-01 00:00 UTC`,
    knows: ({ since }) => compareVersions(since, version) <= 0,
    answersUnknown: true,
    hasModes: true,
    mistakesWatchers: false,
    tellsZxid: true,
    typesCountInMulti: true,
    guardsWatches: true,
    knowsHardLimits: true,
    hasMetrics: true,
    resumesSessions: true,
    ...differences,
  }
}

function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split('.').map(Number))
  for (let i = 0; i < 3; i++) {
    const difference = (a![i] ?? 0) - (b![i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
