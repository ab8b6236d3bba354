/** A Kerberos realm on the loopback interface, for as long as a test. It needs MIT's `krb5kdc`. */
import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../support/free-port.ts'

const run = promisify(execFile)
const name = 'ZOOWIRE.TEST'
/** Debian keeps the server's programs where users do not look. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`

export class Realm implements AsyncDisposable {
  /** What makes a process belong to the realm. */
  readonly env: Readonly<Record<'KRB5_CONFIG' | 'KRB5_KDC_PROFILE' | 'KRB5CCNAME', string>>
  readonly configFile: string
  readonly #folder: string
  readonly #stop = new AbortController()

  /** Rejects where Kerberos is not installed. */
  static async start(): Promise<Realm> {
    for (const program of ['krb5kdc', 'kdb5_util', 'kadmin.local', 'kinit']) {
      await run('sh', ['-c', `command -v ${program}`], { env: { PATH } }).catch(() => {
        throw new Error(
          `there is no ${program}: apt-get install krb5-kdc krb5-admin-server krb5-user`,
        )
      })
    }
    const realm = new Realm(await mkdtemp(join(tmpdir(), 'zoowire-realm-')))
    try {
      await realm.#serve(await freePort())
    } catch (error) {
      await realm[Symbol.asyncDispose]()
      throw error
    }
    return realm
  }

  private constructor(folder: string) {
    this.#folder = folder
    this.configFile = join(folder, 'krb5.conf')
    this.env = {
      KRB5_CONFIG: this.configFile,
      KRB5_KDC_PROFILE: join(folder, 'kdc.conf'),
      KRB5CCNAME: `FILE:${join(folder, 'tickets')}`,
    }
  }

  principal(user: string): string {
    return `${user}@${name}`
  }

  /** Adds somebody, with a key that nobody knows. Returns the file with the key. */
  async add(user: string): Promise<string> {
    const keytab = join(this.#folder, `${user.replaceAll('/', '-')}.keytab`)
    await this.#run('kadmin.local', ['-r', name, '-q', `addprinc -randkey ${user}`])
    await this.#run('kadmin.local', ['-r', name, '-q', `ktadd -k ${keytab} ${user}`])
    return keytab
  }

  /** Gets a ticket for this process. */
  async login(user: string, keytab: string): Promise<void> {
    await this.#run('kinit', ['-k', '-t', keytab, this.principal(user)])
  }

  async logout(): Promise<void> {
    await this.#run('kdestroy', [])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #serve(port: number): Promise<void> {
    const at = (file: string) => join(this.#folder, file)
    // By TCP, since Java wants to be told where UDP ends; names as they are, since there is no DNS here.
    await writeFile(
      this.configFile,
      `[libdefaults]
  default_realm = ${name}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  ${name} = {
    kdc = 127.0.0.1:${port}
  }
`,
    )
    await writeFile(
      at('kdc.conf'),
      `[realms]
  ${name} = {
    database_name = ${at('principals')}
    key_stash_file = ${at('stash')}
    acl_file = ${at('acl')}
    kdc_listen = 127.0.0.1:${port}
    kdc_tcp_listen = 127.0.0.1:${port}
  }
`,
    )
    await this.#run('kdb5_util', ['create', '-s', '-r', name, '-P', randomUUID()])
    const kdc = spawn('krb5kdc', ['-n', '-r', name], {
      env: { ...process.env, PATH, ...this.env },
      stdio: 'ignore',
      signal: this.#stop.signal,
    })
    kdc.on('error', () => {}) // that of the end
    await once(kdc, 'spawn')
    process.once('exit', () => kdc.kill())
    const keytab = await this.add('probe')
    for (let tries = 0; ; tries++) {
      const isUp = await this.login('probe', keytab).then(
        () => true,
        () => false,
      )
      if (isUp) break
      if (tries > 50 || kdc.exitCode !== null) throw new Error('the KDC does not answer')
      await delay(100)
    }
    await this.logout()
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    await run(program, args, { env: { ...process.env, PATH, ...this.env } })
  }
}
