/** ZooKeeper's numbers with names. Source: `ZooDefs`, `Watcher`, `CreateMode`, `AddWatchMode`. */

/** What an ACL entry permits; add them up. */
export const Perms = { READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 } as const

/** The kinds of znode, as the `flags` of a create. */
export const CreateFlags = {
  persistent: 0,
  ephemeral: 1,
  'persistent-sequential': 2,
  'ephemeral-sequential': 3,
  container: 4,
  'persistent-with-ttl': 5,
  'persistent-sequential-with-ttl': 6,
} as const
/** How long a znode lives, and whether it gets a number. */
export type CreateMode = keyof typeof CreateFlags

/** What happened to a znode, as the `type` of a WatcherEvent. */
export const EventType = {
  None: -1,
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4,
} as const

/** The `state` of a WatcherEvent; servers only ever send `SyncConnected`. */
export const KeeperState = {
  Disconnected: 0,
  SyncConnected: 3,
  AuthFailed: 4,
  ConnectedReadOnly: 5,
  SaslAuthenticated: 6,
  Closed: 7,
  Expired: -112,
} as const

/** Which watches a removeWatches or checkWatches speaks of. The last two need a server of 3.9. */
export const WatcherType = {
  Children: 1,
  Data: 2,
  Any: 3,
  Persistent: 4,
  PersistentRecursive: 5,
} as const

export const AddWatchMode = { persistent: 0, 'persistent-recursive': 1 } as const

/** xids that do not pair a reply with a request. Ordinary xids run from 1 to {@link xidMax}. */
export const Xid = { notification: -1, ping: -2, auth: -4 } as const

/** After it comes 1 again: xids from 0 down have meanings of their own. */
export const xidMax = 0x7fff_ffff

/** The longest frame a server accepts by default: its `jute.maxbuffer`. */
export const juteMaxBuffer = 1_048_575

export const defaultPort = 2181

/** TTLs run from 1 ms to about 34.8 years. */
export const ttlMsMax = 0xff_ffff_ffff
