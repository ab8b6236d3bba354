import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fourLetterWord } from './four-letter-word.ts'
import { freePort, isFree } from './free-port.ts'
import { Watchdog } from './watchdog.ts'
import {
  findZooKeeper,
  type ZooKeeperInstallation,
  type ZooKeeperSource,
} from './zookeeper-installation.ts'

export interface ZooKeeperServerOptions {
  /** Sessions live between 2 ticks and 60 s. Default 500 ms, so that they can expire after 1 s. */
  readonly tickTimeMs?: number
  /** Default: a free one, which `restart` keeps. */
  readonly port?: number
  /** Default: inside the temporary folder. One that is given here outlives the server. */
  readonly dataDir?: string
  /** Further system properties (`-D`), for instance `jute.maxbuffer`. */
  readonly jvmProperties?: Readonly<Record<string, string | number | boolean>>
  /** Further lines of zoo.cfg, which win over ours. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
}

const readyWithinMs = 30_000
const stopWithinMs = 10_000

/**
 * A real, standalone Apache ZooKeeper on the loopback interface.
 * @example
 * await using server = await ZooKeeperServer.start()
 * const zk = await connect(server.connectString)
 */
export class ZooKeeperServer implements AsyncDisposable {
  readonly port: number
  readonly source: ZooKeeperSource
  /** Temporary: zoo.cfg, the log and, unless `dataDir` is given, the data. */
  readonly folder: string
  readonly #command: readonly [string, ...string[]]
  readonly #watchdog: Watchdog
  #java: ChildProcess | null = null
  #version = ''

  static async start(options: ZooKeeperServerOptions = {}): Promise<ZooKeeperServer> {
    const installation = await findZooKeeper()
    const port = options.port ?? (await freePort())
    const folder = await mkdtemp(join(await roomyFolder(), 'zoowire-zookeeper-'))
    const server = new ZooKeeperServer(installation, port, folder, options)
    try {
      await writeConfig(folder, port, options)
      await server.#launch()
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
    return server
  }

  private constructor(
    installation: ZooKeeperInstallation,
    port: number,
    folder: string,
    { jvmProperties = {} }: ZooKeeperServerOptions,
  ) {
    this.port = port
    this.source = installation.source
    this.folder = folder
    this.#command = installation.command(jvmOptions(jvmProperties), join(folder, 'zoo.cfg'))
    this.#watchdog = new Watchdog(folder)
  }

  get connectString(): string {
    return `127.0.0.1:${this.port}`
  }

  /** As the running server reports it, for instance `3.9.5`. */
  get version(): string {
    return this.#version
  }

  get isRunning(): boolean {
    return this.#java !== null
  }

  fourLetterWord(word: string): Promise<string> {
    return fourLetterWord(this.port, word)
  }

  /** Lets the server shut down, and waits for its end. The data stay for `restart`. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** What a power cut does to the process. The data stay for `restart`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** The same port and data, in a new process. A server that still runs is stopped first. */
  async restart(): Promise<void> {
    await this.stop()
    await this.#launch()
  }

  /** Freezes the process: connections stay open and silent, as on a host that hangs. */
  pause(): void {
    this.#java?.kill('SIGSTOP')
  }

  resume(): void {
    this.#java?.kill('SIGCONT')
  }

  /** Kills the server and removes its temporary folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.#watchdog.finish()
  }

  async #launch(): Promise<void> {
    // Else the words below would be answered by whoever holds the port.
    if (!(await isFree(this.port))) throw new Error(`port ${this.port} is taken`)
    const java = spawnLogged(this.#command, this.#logFile)
    this.#java = java
    this.#watchdog.guard(java.pid ?? null)
    java.once('error', () => this.#forget(java)) // it could not be spawned
    java.once('exit', () => this.#forget(java))
    this.#version = await this.#ready()
  }

  #forget(java: ChildProcess): void {
    if (this.#java !== java) return
    this.#java = null
    this.#watchdog.guard(null) // its process id may soon be another program's
  }

  /** Asks until the server serves: it has no event to wait for. Resolves with its version. */
  async #ready(): Promise<string> {
    const deadlineMs = Date.now() + readyWithinMs
    while (this.#java !== null && Date.now() < deadlineMs) {
      const answer = await this.fourLetterWord('srvr').catch(() => '')
      const version = /^Zookeeper version: ([\d.]+)/.exec(answer)?.[1]
      if (version !== undefined) return version
      await delay(40)
    }
    const what = this.#java === null ? 'ended at once' : `did not serve within ${readyWithinMs} ms`
    throw new Error(`the ZooKeeper server ${what}. Its log ends:\n${await this.#logTail()}`)
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const java = this.#java
    if (java === null) return
    const exited = new Promise<void>((resolve) => java.once('exit', () => resolve()))
    java.kill(signal)
    java.kill('SIGCONT') // a paused process would see SIGTERM only when it is resumed
    const timer = setTimeout(() => java.kill('SIGKILL'), stopWithinMs)
    await exited
    clearTimeout(timer)
  }

  get #logFile(): string {
    return join(this.folder, 'server.log')
  }

  async #logTail(): Promise<string> {
    const log = await readFile(this.#logFile, 'utf8').catch(() => '')
    return log.slice(-3_000)
  }
}

/** The output goes to a file, not to pipes: it is wanted only after a failure. */
function spawnLogged(
  [program, ...args]: readonly [string, ...string[]],
  log: string,
): ChildProcess {
  const output = openSync(log, 'a')
  try {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output] })
    child.unref()
    return child
  } finally {
    closeSync(output)
  }
}

/** Memory if there is enough of it: the containers of some CI services have a tiny /dev/shm. */
async function roomyFolder(): Promise<string> {
  const memory = '/dev/shm'
  const stat = await statfs(memory).catch(() => null)
  return stat !== null && stat.bavail * stat.bsize >= 2 ** 30 ? memory : tmpdir()
}

async function writeConfig(
  folder: string,
  port: number,
  { tickTimeMs = 500, dataDir = join(folder, 'data'), config = {} }: ZooKeeperServerOptions,
): Promise<void> {
  await mkdir(dataDir, { recursive: true })
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
  await writeFile(join(folder, 'zoo.cfg'), lines.join(''))
}

function jvmOptions(extra: Readonly<Record<string, string | number | boolean>>): string[] {
  const properties = {
    'zookeeper.forceSync': 'no',
    'zookeeper.preAllocSize': 4_096, // in KiB: the default grows the log by 64 MiB at once
    'zookeeper.extendedTypesEnabled': true,
    'znode.container.checkIntervalMs': 700,
    // The password of `super` is `admin`.
    'zookeeper.DigestAuthenticationProvider.superDigest': 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=',
    'zookeeper.jmx.log4j.disable': true,
    'org.slf4j.simpleLogger.defaultLogLevel': 'warn',
    'logback.configurationFile': fileURLToPath(new URL('logback.xml', import.meta.url)),
    ...extra,
  }
  const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  return [...flags, ...Object.entries(properties).map(([key, value]) => `-D${key}=${value}`)]
}
