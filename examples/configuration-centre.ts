import { connect } from 'zoowire'
import { Config } from 'zoowire/recipes'
import { runIfMain, sessionTimeout, type Stage, type Step } from './support.ts'

interface Limits {
  readonly rate: number
}

const path = '/config/limits'
const names = ['billing', 'search', 'mail']

export const configurationCentre: Step = {
  title: 'A configuration centre: one change reaches three subscribers, live',

  async run(stage) {
    const { connectString, say } = stage
    const zk = await connect(connectString, { sessionTimeout })
    try {
      const centre = await Config.open<Limits>(zk, path)
      await centre.set({ rate: 10 })
      const subscribers = await Promise.all(names.map((name) => subscribe(name, stage)))

      for (const rate of [20, 30]) {
        say(`the operator sets the rate to ${rate}`)
        const reached = subscribers.map((subscriber) => subscriber.until(rate))
        await centre.update((now) => ({ ...now, rate }))
        await Promise.all(reached)
      }
      await Promise.all(subscribers.map((subscriber) => subscriber.close()))
    } finally {
      await zk.close()
    }
  },
}

/** A service with a session of its own, which always knows the newest limits. */
async function subscribe(name: string, { connectString, say }: Stage) {
  const zk = await connect(connectString, { sessionTimeout })
  const limits = await Config.open<Limits>(zk, path)
  const changes = limits.changes()
  say(`  ${name} starts with a rate of ${String(limits.value?.rate)}`)
  return {
    /** Follows the limits until the rate is `wanted`. */
    async until(wanted: number): Promise<void> {
      for (;;) {
        const { value, done } = await changes.next()
        if (done === true) throw new Error(`${name} lost the configuration`)
        say(`  ${name} goes on with a rate of ${String(value.value?.rate)}`)
        if (value.value?.rate === wanted) return
      }
    },
    close: () => zk.close(),
  }
}

runIfMain(import.meta.url, configurationCentre)
