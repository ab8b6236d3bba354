import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { homeClassPath } from './home-source.ts'
import { mavenClassPath } from './maven-source.ts'
import { packageClassPath } from './package-source.ts'
import { isRunnable } from './run-command.ts'

export type ZooKeeperSource = 'home' | 'maven' | 'package'

/** A real Apache ZooKeeper on this machine. Its version is what a started server says it is. */
export interface ZooKeeperInstallation {
  readonly source: ZooKeeperSource
  readonly classPath: string
  /** The program and its arguments that run one server in the foreground. */
  command(jvmOptions: readonly string[], configFile: string): readonly [string, ...string[]]
}

/**
 * The ways to get one, in the order of preference. Each yields a class path or throws the reason
 * why it cannot. A source without a class path, such as a Docker engine, joins as one more entry
 * once `find` below builds its `command` from something else than Java.
 */
const sources: Readonly<Record<ZooKeeperSource, () => Promise<string>>> = {
  home: homeClassPath,
  maven: mavenClassPath,
  package: packageClassPath,
}

let found: Promise<ZooKeeperInstallation> | undefined

/**
 * Finds, and if need be fetches, a ZooKeeper. `ZOOWIRE_ZOOKEEPER=home|maven|package` forces one
 * source, and so does ZOOWIRE_ZOOKEEPER_VERSION, since Maven alone has every version. Rejects with
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
      const classPath = await sources[source]()
      return javaInstallation(source, classPath, await findJava())
    } catch (error) {
      reasons.push(`${source}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(`no Apache ZooKeeper to be had (${reasons.join('; ')})`)
}

function javaInstallation(
  source: ZooKeeperSource,
  classPath: string,
  java: string,
): ZooKeeperInstallation {
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  return {
    source,
    classPath,
    command: (jvmOptions, configFile) => [java, ...jvmOptions, '-cp', classPath, main, configFile],
  }
}

async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME']
  if (home !== undefined && existsSync(join(home, 'bin', 'java'))) return join(home, 'bin', 'java')
  if (await isRunnable('java', '-version')) return 'java'
  throw new Error('no Java: JAVA_HOME is not set and `java` is not on the PATH')
}
