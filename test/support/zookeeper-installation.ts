import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dockerLauncher } from './docker-source.ts'
import { homeClassPath } from './home-source.ts'
import { mavenClassPath } from './maven-source.ts'
import { packageClassPath } from './package-source.ts'
import { isRunnable } from './run-command.ts'
import { type ServerProcess, spawnLogged } from './server-process.ts'

export type ZooKeeperSource = 'home' | 'docker' | 'maven' | 'package'

/** A real Apache ZooKeeper that this machine can run. Its version is what a started server says. */
export interface ZooKeeperInstallation {
  readonly source: ZooKeeperSource
  /** Runs one server in the foreground. */
  launch(launch: ServerLaunch): Promise<ServerProcess>
}

export interface ServerLaunch {
  readonly jvmOptions: readonly string[]
  readonly configFile: string
  /** The output is put behind what is there. */
  readonly logFile: string
  /** Where the server reads and writes; the first is the one of `configFile`. */
  readonly folders: readonly string[]
}

type Launcher = ZooKeeperInstallation['launch']

/**
 * The ways to get one, in the order of preference. Each yields a way to run it, or throws the reason
 * why it cannot.
 */
const sources: Readonly<Record<ZooKeeperSource, () => Promise<Launcher>>> = {
  home: async () => javaLauncher(await homeClassPath()),
  docker: dockerLauncher,
  maven: async () => javaLauncher(await mavenClassPath()),
  package: async () => javaLauncher(await packageClassPath()),
}

let found: Promise<ZooKeeperInstallation> | undefined

/**
 * Finds, and if need be fetches, a ZooKeeper. `ZOOWIRE_ZOOKEEPER=home|docker|maven|package` forces
 * one source, and so does ZOOWIRE_ZOOKEEPER_VERSION, since Maven alone has every version. Rejects with
 * the reason of every source that was tried.
 */
export function findZooKeeper(): Promise<ZooKeeperInstallation> {
  found ??= find(candidates(process.env))
  return found
}

function candidates(env: NodeJS.ProcessEnv): readonly ZooKeeperSource[] {
  const { ZOOWIRE_ZOOKEEPER: forced = '', ZOOWIRE_ZOOKEEPER_VERSION: version = '' } = env
  const all = Object.keys(sources) as ZooKeeperSource[]
  if (forced === '') return version === '' ? all : ['maven']
  const chosen = all.find((source) => source === forced)
  if (chosen !== undefined) return [chosen]
  throw new Error(`ZOOWIRE_ZOOKEEPER is "${forced}", but may only be one of: ${all.join(', ')}`)
}

async function find(order: readonly ZooKeeperSource[]): Promise<ZooKeeperInstallation> {
  const reasons: string[] = []
  for (const source of order) {
    try {
      return { source, launch: await sources[source]() }
    } catch (error) {
      reasons.push(`${source}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(`no Apache ZooKeeper to be had (${reasons.join('; ')})`)
}

async function javaLauncher(classPath: string): Promise<Launcher> {
  const java = await findJava()
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  return async ({ jvmOptions, configFile, logFile }) => {
    return spawnLogged([java, ...jvmOptions, '-cp', classPath, main, configFile], logFile)
  }
}

async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME']
  if (home !== undefined && existsSync(join(home, 'bin', 'java'))) return join(home, 'bin', 'java')
  if (await isRunnable('java', '-version')) return 'java'
  throw new Error('no Java: JAVA_HOME is not set and `java` is not on the PATH')
}
