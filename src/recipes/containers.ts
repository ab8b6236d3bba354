import { type ACL, isZooKeeperError, type ZooKeeper } from '../client/index.ts'
import { patient } from './patience.ts'

/**
 * Makes a znode and its ancestors, as containers: the servers remove them when their last child is
 * gone. Those that exist are left as they are; others may do the same at the same time.
 */
export async function createContainers(
  zk: ZooKeeper,
  path: string,
  acl: readonly ACL[] | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const options = { ...(acl !== undefined && { acl }), ...patient(signal) }
  const create = async (ancestor: string) => {
    try {
      await zk.create(ancestor, '', { mode: 'container', ...options })
    } catch (error) {
      // Servers without containers: the znodes stay.
      if (!isZooKeeperError(error, 'UNIMPLEMENTED')) throw error
      await zk.create(ancestor, '', options)
    }
  }
  for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) {
    await createIfMissing(() => create(path.slice(0, end)))
  }
  await createIfMissing(() => create(path))
}

async function createIfMissing(create: () => Promise<unknown>): Promise<void> {
  try {
    await create()
  } catch (error) {
    // NO_NODE: an empty container above was removed meanwhile. Whoever needs the path asks again.
    if (!isZooKeeperError(error, 'NODE_EXISTS') && !isZooKeeperError(error, 'NO_NODE')) throw error
  }
}
