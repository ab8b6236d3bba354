import { connect } from 'zoowire'
import { runIfMain, sessionTimeout, type Stage, type Step } from './support.ts'

const names = ['billing', 'search', 'mail']
const versions = ['rate=10', 'rate=20', 'rate=30']

export const configurationCentre: Step = {
  title: 'A configuration centre: one change reaches three subscribers, live',

  async run(stage) {
    const { connectString, say } = stage
    const operator = await connect(connectString, { sessionTimeout })
    try {
      await operator.create('/config', versions[0])
      const subscribers = await Promise.all(names.map((name) => subscribe(name, stage)))

      for (const [index, value] of versions.entries()) {
        if (index > 0) {
          say(`the operator writes "${value}"`)
          await operator.setData('/config', value)
        }
        await Promise.all(subscribers.map(({ until }) => until(value)))
      }
      await Promise.all(subscribers.map(({ close }) => close()))
    } finally {
      await operator.close()
    }
  },
}

/** A service with a session of its own, which always knows the newest configuration. */
async function subscribe(name: string, { connectString, say }: Stage) {
  const zk = await connect(connectString, { sessionTimeout })
  const values = zk.observe('/config')
  return {
    /** Follows the configuration until it is `wanted`. Values in between may be left out. */
    async until(wanted: string): Promise<void> {
      for (;;) {
        const { value, done } = await values.next()
        if (done === true) throw new Error(`${name} lost the configuration`)
        const text = value?.data?.toString() ?? 'nothing'
        say(`  ${name} now runs with "${text}"`)
        if (text === wanted) return
      }
    },
    close: () => zk.close(),
  }
}

runIfMain(import.meta.url, configurationCentre)
