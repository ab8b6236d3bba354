/**
 * What the examples share: a ZooKeeper to run on, a place of their own in it, and a voice.
 *
 * By default that is the in-process server; with `ZOOKEEPER=host:port,…` it is that ensemble.
 */
import { fileURLToPath } from 'node:url'
import { connect, isZooKeeperError, type ZooKeeper } from 'zoowire'
import { TestServer } from 'zoowire/testing'

export interface Stage {
  /** Connect here: hosts, and a chroot that no other run uses. */
  readonly connectString: string
  /** Tells the reader what happens. */
  say(line: string): void
  /** With `--ensemble`: kills the leader of the ensemble, and says which server it was. */
  readonly killLeader: (() => Promise<string>) | null
}

export interface Step {
  readonly title: string
  run(stage: Stage): Promise<void>
}

/** Short, so that the death of a process is noticed while one watches. */
export const sessionTimeout = 4_000

/** Runs the step now if its file was started as a program. */
export function runIfMain(url: string, step: Step): void {
  if (process.argv[1] !== fileURLToPath(url)) return
  void perform([step])
}

/** Runs steps one behind the other, each on a clean stage. */
export async function perform(steps: readonly Step[]): Promise<void> {
  const ensemble = await findEnsemble()
  console.log(`Running on ${ensemble.name}.`)
  try {
    for (const [index, step] of steps.entries()) {
      console.log(`\n${index + 1}. ${step.title}\n`)
      await onCleanStage(ensemble, (stage) => step.run(stage))
    }
    console.log('\nDone.')
  } finally {
    await ensemble.stop()
  }
}

/** What the steps run on. */
interface Ensemble {
  readonly hosts: string
  readonly name: string
  readonly killLeader: (() => Promise<string>) | null
  stop(): Promise<void>
}

async function findEnsemble(): Promise<Ensemble> {
  const hosts = process.env['ZOOKEEPER']
  if (process.argv.includes('--ensemble')) return startEnsemble()
  if (hosts !== undefined && hosts !== '') {
    const stop = () => Promise.resolve()
    return { hosts, name: `the ensemble at ${hosts}`, killLeader: null, stop }
  }
  const server = await TestServer.start()
  return {
    hosts: server.connectString,
    name: 'the in-process server (set ZOOKEEPER=host:port,… for an ensemble of yours)',
    killLeader: null,
    stop: () => server.close(),
  }
}

/** Three real servers on this machine, found as the tests find theirs. */
async function startEnsemble(): Promise<Ensemble> {
  const { ZooKeeperEnsemble } = await import('../test/support/zookeeper-ensemble.ts')
  const ensemble = await ZooKeeperEnsemble.start({ config: { maxSessionTimeout: 10_000 } })
  return {
    hosts: ensemble.connectString,
    name: `three servers of Apache ZooKeeper ${ensemble.version}`,
    killLeader: async () => {
      const leader = await ensemble.leader()
      await leader.kill()
      return leader.connectString
    },
    stop: () => ensemble[Symbol.asyncDispose](),
  }
}

async function onCleanStage(
  { hosts, killLeader }: Ensemble,
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const zk = await connect(hosts, { sessionTimeout })
  try {
    const { path: chroot } = await zk.create('/zoowire-example-', '', {
      mode: 'persistent-sequential',
    })
    try {
      await run({
        connectString: hosts + chroot,
        killLeader,
        say: (line) => {
          console.log(`   ${line}`)
        },
      })
    } finally {
      await removeTree(zk, chroot)
    }
  } finally {
    await zk.close()
  }
}

async function removeTree(zk: ZooKeeper, path: string): Promise<void> {
  const { children } = await zk.getChildren(path)
  for (const child of children) await removeTree(zk, `${path}/${child}`)
  try {
    await zk.delete(path)
  } catch (error) {
    if (!isZooKeeperError(error, 'NO_NODE')) throw error // an ephemeral may go by itself
  }
}
