import { connect } from 'zoowire'
import { Election, type Leader } from 'zoowire/recipes'
import { Program } from './processes.ts'
import { runIfMain, sessionTimeout, type Step } from './support.ts'

export const election: Step = {
  title: 'An election: the leader is killed, and another one takes over',

  async run({ connectString, say }) {
    const zk = await connect(connectString, { sessionTimeout })
    const candidates = new Map(
      ['ada', 'bob', 'cleo'].map((id) => [id, new Program('election-process', connectString, id)]),
    )
    const leaders = new Election(zk, '/leader').observe()
    const nextLeader = async (): Promise<Leader> => {
      for (;;) {
        const { value, done } = await leaders.next()
        if (done === true) throw new Error('the election is over')
        if (value !== null) return value
      }
    }
    try {
      const first = await nextLeader()
      say(`${first.id} leads, with token ${first.token}`)
      say(`${first.id} is killed`)
      candidates.get(first.id)!.kill()
      const second = await nextLeader()
      say(`${second.id} leads, with token ${second.token}`)
    } finally {
      for (const candidate of candidates.values()) candidate.kill()
      await zk.close()
    }
  },
}

runIfMain(import.meta.url, election)
