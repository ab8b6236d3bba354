import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isRunnable, runCommand } from './run-command.ts'

const folder = '/usr/share/java'
/** zookeeper.jar names its other dependencies in its manifest, except for these. */
const jars = [
  'zookeeper.jar',
  'slf4j-simple.jar',
  'netty-codec.jar',
  'netty-resolver.jar',
  'netty-transport-native-unix-common.jar',
]

/** Debian's and Ubuntu's `zookeeper` package, which is installed if this is root's machine. */
export async function packageClassPath(): Promise<string> {
  if (missingJars().length > 0) await install()
  const missing = missingJars()
  if (missing.length > 0) throw new Error(`${folder} lacks ${missing.join(', ')}`)
  return jars.map((jar) => join(folder, jar)).join(':')
}

function missingJars(): string[] {
  return jars.filter((jar) => !existsSync(join(folder, jar)))
}

async function install(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('the package is not installed, and only root could')
  if (!(await isRunnable('apt-get', '--version'))) throw new Error('`apt-get` does not run')
  console.log('zoowire: installing the system package "zookeeper" for the tests')
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await runCommand('apt-get', ['-q', 'update'], { env })
  await runCommand(
    'apt-get',
    ['-q', 'install', '-y', '--no-install-recommends', 'zookeeper', 'default-jre-headless'],
    { env, timeoutMs: 600_000 },
  )
}
