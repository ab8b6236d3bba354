import type { TestProject } from 'vitest/node'
import type { SharedZooKeeper } from './shared-zookeeper.ts'
import { ZooKeeperServer } from './zookeeper-server.ts'

/** Starts the one real server that a run shares, and says which servers the tests run on. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startUnlessMissing()
  const shared = server instanceof ZooKeeperServer ? describeServer(server) : missing(server)
  project.provide('zookeeper', shared)
  console.log(`zoowire tests run on: in-process server (profile 3.9) and ${headline(shared)}`)
  return async () => {
    if (server instanceof ZooKeeperServer) await server[Symbol.asyncDispose]()
  }
}

/** Without a real server CI must fail, or it would be green for the wrong reason. */
async function startUnlessMissing(): Promise<ZooKeeperServer | Error> {
  try {
    return await ZooKeeperServer.start()
  } catch (error) {
    if (process.env['CI'] === 'true' || !(error instanceof Error)) throw error
    return error
  }
}

function describeServer({
  port,
  connectString,
  version,
  source,
}: ZooKeeperServer): SharedZooKeeper {
  return { available: true, port, connectString, version, source }
}

function missing(error: Error): SharedZooKeeper {
  return { available: false, reason: error.message }
}

function headline(shared: SharedZooKeeper): string {
  return shared.available
    ? `Apache ZooKeeper ${shared.version} (${shared.source})`
    : `nothing else: ${shared.reason}`
}
