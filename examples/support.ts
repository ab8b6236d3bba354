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
      await onCleanStage(ensemble.hosts, (stage) => step.run(stage))
    }
    console.log('\nDone.')
  } finally {
    await ensemble.stop()
  }
}

async function findEnsemble() {
  const hosts = process.env['ZOOKEEPER']
  if (hosts !== undefined && hosts !== '') {
    return { hosts, name: `the ensemble at ${hosts}`, stop: () => Promise.resolve() }
  }
  const server = await TestServer.start()
  return {
    hosts: server.connectString,
    name: 'the in-process server (set ZOOKEEPER=host:port,… for an ensemble of yours)',
    stop: () => server.close(),
  }
}

async function onCleanStage(hosts: string, run: (stage: Stage) => Promise<void>): Promise<void> {
  const zk = await connect(hosts, { sessionTimeout })
  try {
    const { path: chroot } = await zk.create('/zoowire-example-', '', {
      mode: 'persistent-sequential',
    })
    try {
      await run({
        connectString: hosts + chroot,
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
