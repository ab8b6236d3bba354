import { connect, isZooKeeperError } from 'zoowire'
import { runIfMain, sessionTimeout, type Step } from './support.ts'

export const znodes: Step = {
  title: 'Create, read, update, delete',

  async run({ connectString, say }) {
    const zk = await connect(connectString, { sessionTimeout })
    try {
      const { path } = await zk.create('/greeting', 'hello')
      say(`created ${path}`)

      const { data, stat } = await zk.getData('/greeting')
      say(`read "${data?.toString() ?? ''}" at version ${stat.version}`)

      const updated = await zk.setData('/greeting', 'good morning', { version: stat.version })
      say(`updated it; now it is at version ${updated.version}`)

      // Somebody who still believes in the old version must not overwrite the new value.
      try {
        await zk.setData('/greeting', 'good night', { version: stat.version })
      } catch (error) {
        if (!isZooKeeperError(error, 'BAD_VERSION')) throw error
        say(`a second update at version ${stat.version} fails: ${error.message}`)
        say(`its outcome is "${error.outcome}"`)
      }

      await zk.delete('/greeting')
      say(`deleted it; exists() says ${JSON.stringify(await zk.exists('/greeting'))}`)
    } finally {
      await zk.close()
    }
  },
}

runIfMain(import.meta.url, znodes)
