import { connect } from 'zoowire'
import { runIfMain, sessionTimeout, type Step } from './support.ts'

export const connecting: Step = {
  title: 'Connect, and wait for the session',

  async run({ connectString, say }) {
    const zk = await connect(connectString, { sessionTimeout })
    try {
      say(`connected to ${zk.server ?? 'nobody'}; the client is "${zk.state}"`)
      say(`session 0x${zk.session.id.toString(16)}, granted for ${zk.session.timeout} ms`)
    } finally {
      await zk.close()
    }
    say(`after close() it is "${zk.state}"`)
  },
}

runIfMain(import.meta.url, connecting)
