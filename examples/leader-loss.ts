import { connect, isZooKeeperError } from 'zoowire'
import { runIfMain, sessionTimeout, type Step } from './support.ts'

export const leaderLoss: Step = {
  title: 'The leader of the ensemble dies, and the session goes on',

  async run({ connectString, say, killLeader }) {
    if (killLeader === null) {
      say('this step needs an ensemble of its own: npm run demo -- --ensemble')
      return
    }
    const zk = await connect(connectString, { sessionTimeout })
    try {
      await zk.create('/here', '', { mode: 'ephemeral' })
      const session = zk.session.id
      say(`session 0x${session.toString(16)} on ${String(zk.server)}, with an ephemeral znode`)
      say(`the leader, ${await killLeader()}, is killed`)

      // A read waits until there is a server again, and is sent again if its answer was lost. A write
      // is not: whether it happened may be unknown, and it is for us to say what to do then.
      const stat = await zk.exists('/here')
      say(`the same session, now on ${String(zk.server)}: ${String(zk.session.id === session)}`)
      say(`the znode is still there, and still ours: ${String(stat?.ephemeralOwner === session)}`)
      for (;;) {
        try {
          await zk.setData('/here', 'a new leader has committed this')
          break
        } catch (error) {
          if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error
          say(
            `a write was cut off, its outcome is "${error.outcome}"; writing it twice does no harm`,
          )
        }
      }
      say('a write goes through: there is a new leader')
    } finally {
      await zk.close()
    }
  },
}

runIfMain(import.meta.url, leaderLoss)
