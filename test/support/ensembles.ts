import { afterAll, beforeAll, describe } from 'vitest'
import { TestEnsemble } from '../../src/testing/index.ts'
import { describeReal } from './shared-zookeeper.ts'
import { ZooKeeperEnsemble } from './zookeeper-ensemble.ts'

/** An ensemble of either kind. */
export interface Ensemble {
  readonly addresses: readonly string[]
  readonly leader: () => Promise<string>
  readonly kill: (address: string) => Promise<void>
  /** All members run again, and serve. */
  readonly mend: () => Promise<void>
  /** All members lose their data, and serve again. */
  readonly wipe: () => Promise<void>
  readonly close: () => Promise<void>
}

async function startTest(): Promise<Ensemble> {
  const ensemble = await TestEnsemble.start({ electionTime: 200 })
  const untilLed = () => ensemble.until(() => ensemble.leader !== null)
  return {
    addresses: ensemble.members.map(({ address }) => address),
    leader: async () => {
      await untilLed()
      return ensemble.leader!.address
    },
    kill: (address) => ensemble.memberAt(address).stop(),
    mend: async () => {
      for (const member of ensemble.members) await member.restart()
      await untilLed()
    },
    wipe: () => {
      ensemble.wipe()
      return untilLed()
    },
    close: () => ensemble.close(),
  }
}

async function startReal(): Promise<Ensemble> {
  const ensemble = await ZooKeeperEnsemble.start()
  return {
    addresses: ensemble.members.map(({ connectString }) => connectString),
    leader: async () => (await ensemble.leader()).connectString,
    kill: (address) => ensemble.memberAt(address).kill(),
    mend: () => ensemble.startAll(),
    wipe: async () => {
      await ensemble.killAll()
      for (const member of ensemble.members) await member.wipe()
      await ensemble.startAll()
    },
    close: () => ensemble[Symbol.asyncDispose](),
  }
}

/** A suite on three members in this process, and again on three real servers. */
export function describeEnsembles(title: string, body: (ensemble: () => Ensemble) => void): void {
  const suite = (start: () => Promise<Ensemble>) => () => {
    let ensemble: Ensemble | undefined
    beforeAll(async () => {
      ensemble = await start()
    }, 60_000)
    afterAll(() => ensemble?.close())
    body(() => ensemble!)
  }
  describe(`${title} [in-process members]`, suite(startTest))
  describeReal(title, suite(startReal))
}
