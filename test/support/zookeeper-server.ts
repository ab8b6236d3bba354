import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fourLetterWord } from './four-letter-word.ts'
import { freePort, isFree } from './free-port.ts'
import { JavaDebugger } from './java-debugger.ts'
import { runCommand } from './run-command.ts'
import type { ServerProcess } from './server-process.ts'
import { Watchdog } from './watchdog.ts'
import {
  jvmOptions,
  makeDataDir,
  placeFiles,
  writeConfig,
  type ZooKeeperServerOptions,
} from './zookeeper-config.ts'
import {
  findZooKeeper,
  type ZooKeeperInstallation,
  type ZooKeeperSource,
} from './zookeeper-installation.ts'

/** What a server does at present. */
export type ServerMode =
  | 'standalone'
  | 'leader'
  | 'follower'
  | 'observer'
  | 'read-only'
  /** It runs, but has no quorum, or starts. */
  | 'looking'
  | 'paused'
  | 'down'

const readyWithinMs = 30_000
const stopWithinMs = 10_000
const modes: readonly ServerMode[] = ['standalone', 'leader', 'follower', 'observer', 'read-only']

/**
 * A real Apache ZooKeeper on the loopback interface: standalone, or a member of the ensemble that
 * its `config` describes (see ZooKeeperEnsemble).
 * @example
 * await using server = await ZooKeeperServer.start()
 * const zk = await connect(server.connectString)
 */
export class ZooKeeperServer implements AsyncDisposable {
  readonly port: number
  readonly source: ZooKeeperSource
  /** Temporary: zoo.cfg, the log and, unless `dataDir` is given, the data. */
  readonly folder: string
  readonly dataDir: string
  readonly #myid: number | undefined
  readonly #installation: ZooKeeperInstallation
  readonly #jvmOptions: readonly string[]
  readonly #watchdog: Watchdog
  #process: ServerProcess | null = null
  #version = ''
  #isPaused = false

  static async start(given: ZooKeeperServerOptions = {}): Promise<ZooKeeperServer> {
    const installation = await findZooKeeper()
    const port = given.port ?? (await freePort())
    const folder = await mkdtemp(join(await roomyFolder(), 'zoowire-zookeeper-'))
    const options = await placeFiles(folder, given)
    const server = new ZooKeeperServer(installation, port, folder, options)
    try {
      await makeDataDir(server.dataDir, options.myid)
      await writeConfig(server.#configFile, server.dataDir, port, options)
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
    options: ZooKeeperServerOptions,
  ) {
    this.port = port
    this.source = installation.source
    this.folder = folder
    this.dataDir = options.dataDir ?? join(folder, 'data')
    this.#myid = options.myid
    this.#installation = installation
    this.#jvmOptions = jvmOptions(options)
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
    return this.#process !== null
  }

  fourLetterWord(word: string): Promise<string> {
    return fourLetterWord(this.port, word)
  }

  /** What it says of itself; `looking` if it answers anything else, `down` if it does not run. */
  async mode(): Promise<ServerMode> {
    if (this.#isPaused) return 'paused' // it would only let us wait
    const answer = await this.fourLetterWord('srvr').catch(() => '')
    if (!this.isRunning) return 'down'
    const mode = /^Mode: (.+)$/m.exec(answer)?.[1] ?? ''
    return modes.find((known) => known === mode) ?? 'looking'
  }

  /** The last transaction it has applied, or null while it does not serve. */
  async zxid(): Promise<bigint | null> {
    const answer = this.#isPaused ? '' : await this.fourLetterWord('srvr').catch(() => '')
    const zxid = /^Zxid: (0x[\da-f]+)/m.exec(answer)?.[1]
    return zxid === undefined ? null : BigInt(zxid)
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

  /** Deletes the data of a server that does not run: `restart` then begins with none. */
  async wipe(): Promise<void> {
    if (this.isRunning) throw new Error('a server that runs cannot be wiped')
    await rm(this.dataDir, { recursive: true, force: true })
    await makeDataDir(this.dataDir, this.#myid)
  }

  /** Freezes the process: connections stay open and silent, as on a host that hangs. */
  pause(): void {
    this.#isPaused = this.#process?.signal('SIGSTOP') ?? false
  }

  resume(): void {
    this.#isPaused = false
    this.#process?.signal('SIGCONT')
  }

  /**
   * Fills the disk: from now on every write to a file beyond so many bytes fails, until it is restarted or
   * told Infinity. It asks the system for a limit, where a disk would really be full.
   */
  async limitFiles(bytes: number): Promise<void> {
    const limit = bytes === Infinity ? 'unlimited' : String(bytes)
    await runCommand('prlimit', ['--pid', String(this.#process?.pid), `--fsize=${limit}:`])
  }

  /**
   * Stops the one thread that writes the transaction log, as a disk does that hangs; all others go on. It
   * goes on when the result is disposed of. The server must be `debuggable`.
   */
  async stallLog(): Promise<Disposable> {
    const log = await readFile(this.#logFile, 'utf8')
    const port = [...log.matchAll(/dt_socket at address: (\d+)/g)].at(-1)?.[1]
    const attached = await JavaDebugger.attach(Number(port))
    await attached.suspend('SyncThread:')
    return attached
  }

  /** Kills the server and removes its temporary folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.#watchdog.finish()
  }

  async #launch(): Promise<void> {
    // Else the words below would be answered by whoever holds the port.
    if (!(await isFree(this.port))) throw new Error(`port ${this.port} is taken`)
    const process = await this.#installation.launch({
      jvmOptions: this.#jvmOptions,
      configFile: this.#configFile,
      logFile: this.#logFile,
      folders: [this.folder, this.dataDir],
    })
    this.#process = process
    this.#watchdog.guard(process.pid)
    void process.exited.then(() => this.#forget(process))
    this.#version = await this.#ready()
  }

  #forget(process: ServerProcess): void {
    if (this.#process !== process) return
    this.#process = null
    this.#isPaused = false
    this.#watchdog.guard(null) // its process id may soon be another program's
  }

  /** Asks until the server serves: it has no event to wait for. Resolves with its version. */
  async #ready(): Promise<string> {
    const deadlineMs = Date.now() + readyWithinMs
    while (this.#process !== null && Date.now() < deadlineMs) {
      const answer = await this.fourLetterWord('srvr').catch(() => '')
      const version = /^Zookeeper version: ([\d.]+)/.exec(answer)?.[1]
      if (version !== undefined) return version
      await delay(40)
    }
    const what =
      this.#process === null ? 'ended at once' : `did not serve within ${readyWithinMs} ms`
    throw new Error(`the ZooKeeper server ${what}. Its log ends:\n${await this.#logTail()}`)
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const process = this.#process
    if (process === null) return
    process.signal(signal)
    process.signal('SIGCONT') // a paused process would see SIGTERM only when it is resumed
    const timer = setTimeout(() => process.signal('SIGKILL'), stopWithinMs)
    await process.exited
    clearTimeout(timer)
  }

  get #configFile(): string {
    return join(this.folder, 'zoo.cfg')
  }

  get #logFile(): string {
    return join(this.folder, 'server.log')
  }

  async #logTail(): Promise<string> {
    const log = await readFile(this.#logFile, 'utf8').catch(() => '')
    return log.slice(-3_000)
  }
}

/** Memory if there is enough of it: the containers of some CI services have a tiny /dev/shm. */
async function roomyFolder(): Promise<string> {
  const memory = '/dev/shm'
  const stat = await statfs(memory).catch(() => null)
  return stat !== null && stat.bavail * stat.bsize >= 2 ** 30 ? memory : tmpdir()
}
