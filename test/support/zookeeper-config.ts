import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Makes the server's logger quiet. */
export const logbackFile = fileURLToPath(new URL('logback.xml', import.meta.url))

type Properties = Readonly<Record<string, string | number | boolean>>

export interface ZooKeeperServerOptions {
  /** Sessions live between 2 ticks and 60 s. Default 500 ms, so that they can expire after 1 s. */
  readonly tickTimeMs?: number
  /** Default: a free one, which `restart` keeps. */
  readonly port?: number
  /** Default: inside the temporary folder. One that is given here outlives the server. */
  readonly dataDir?: string
  /** Which of the `server.N` in `config` it is. Default: none, a standalone server. */
  readonly myid?: number
  /** Megabytes of Java heap, at most. */
  readonly heapMb?: number
  /** Lets `ZooKeeperServer.stallLog` reach into it. */
  readonly debuggable?: boolean
  /** Further system properties (`-D`), for instance `jute.maxbuffer`. */
  readonly jvmProperties?: Properties
  /** Further lines of zoo.cfg, which win over ours. */
  readonly config?: Properties
  /** Further files by name. In the properties above, `{folder}` stands for the folder they are in. */
  readonly files?: Readonly<Record<string, string>>
}

/** Writes the further files, and names their folder where the properties speak of it. */
export async function placeFiles(
  folder: string,
  { files = {}, config = {}, jvmProperties = {}, ...others }: ZooKeeperServerOptions,
): Promise<ZooKeeperServerOptions> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const place = (properties: Properties): Properties => {
    const placed = Object.entries(properties).map(([key, value]) => {
      return [key, typeof value === 'string' ? value.replaceAll('{folder}', folder) : value]
    })
    return Object.fromEntries(placed)
  }
  return { ...others, config: place(config), jvmProperties: place(jvmProperties) }
}

export async function writeConfig(
  file: string,
  dataDir: string,
  port: number,
  { tickTimeMs = 500, config = {} }: ZooKeeperServerOptions,
): Promise<void> {
  const entries = {
    tickTime: tickTimeMs,
    dataDir,
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    maxClientCnxns: 0,
    maxSessionTimeout: 60_000,
    'admin.enableServer': false,
    '4lw.commands.whitelist': '*',
    ...config,
  }
  const lines = Object.entries(entries).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(file, lines.join(''))
}

/** An empty data folder. A member of an ensemble finds there which one it is. */
export async function makeDataDir(dataDir: string, myid: number | undefined): Promise<void> {
  await mkdir(dataDir, { recursive: true })
  if (myid !== undefined) await writeFile(join(dataDir, 'myid'), String(myid))
}

/** The port is any; the program's first line tells which. */
const debuggerFlag = '-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:0'

export function jvmOptions({
  heapMb = 256,
  debuggable = false,
  jvmProperties,
}: ZooKeeperServerOptions): string[] {
  const properties = {
    'zookeeper.forceSync': 'no',
    'zookeeper.preAllocSize': 4_096, // in KiB: the default grows the log by 64 MiB at once
    'zookeeper.extendedTypesEnabled': true,
    'znode.container.checkIntervalMs': 700,
    // The password of `super` is `admin`.
    'zookeeper.DigestAuthenticationProvider.superDigest': 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=',
    'zookeeper.jmx.log4j.disable': true,
    'org.slf4j.simpleLogger.defaultLogLevel': 'warn',
    'logback.configurationFile': logbackFile,
    ...jvmProperties,
  }
  const flags = [`-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  if (debuggable) flags.push(debuggerFlag)
  return [...flags, ...Object.entries(properties).map(([key, value]) => `-D${key}=${value}`)]
}
