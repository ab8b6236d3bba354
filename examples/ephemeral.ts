import { connect, type WatchEvent } from 'zoowire'
import { runIfMain, sessionTimeout, type Step } from './support.ts'

export const ephemeral: Step = {
  title: 'An ephemeral znode vanishes with its session',

  async run({ connectString, say }) {
    const worker = await connect(connectString, { sessionTimeout })
    const manager = await connect(connectString, { sessionTimeout })
    try {
      await worker.create('/worker', 'busy', { mode: 'ephemeral' })
      say('the worker has registered itself')

      const gone = new Promise<WatchEvent>((resolve, reject) => {
        manager.exists('/worker', { watch: resolve }).catch(reject)
      })
      // Calls leave in order: once this one is answered, the watch above is set.
      const stat = await manager.exists('/worker')
      say(
        `the manager sees it; its owner is session 0x${(stat?.ephemeralOwner ?? 0n).toString(16)}`,
      )

      await worker.close()
      const { type, path } = await gone
      say(`the worker is closed, and the manager is told: ${type} ${path}`)
    } finally {
      await worker.close()
      await manager.close()
    }
  },
}

runIfMain(import.meta.url, ephemeral)
