import { expect, test } from 'vitest'
import { RawClient } from '../unit/testing/raw-client.ts'
import { describeEnsembles } from '../support/ensembles.ts'
import { fourLetterWord } from '../support/four-letter-word.ts'
import { openAt } from '../support/servers.ts'

/** What a member says to whoever asks it. */
interface Answers {
  readonly isro: string
  readonly ruok: string
  readonly srvr: string
  /** Whether it opens a session. */
  readonly serves: boolean
}

async function answersOf(port: number): Promise<Answers> {
  const client = await RawClient.connect(port)
  await client.close()
  const [isro, ruok, srvr] = await Promise.all(
    ['isro', 'ruok', 'srvr'].map((word) => fourLetterWord(port, word)),
  )
  return { isro: isro!, ruok: ruok!, srvr: srvr!, serves: client.session !== null }
}

/** Asks until somebody leads again. A member that has found a leader in between is asked once more. */
async function answersUntilServing(port: number): Promise<Answers[]> {
  const all: Answers[] = []
  for (;;) {
    const before = await fourLetterWord(port, 'isro')
    const answers = await answersOf(port)
    if (answers.isro === before) all.push(answers)
    if (answers.isro === 'rw' && answers.serves) return all
  }
}

describeEnsembles('members that look for a leader', (ensemble) => {
  const portOf = (address: string) => Number(address.split(':')[1])

  test('close connections, answer words alone, and then serve the same sessions', async () => {
    const leader = await ensemble().leader()
    const follower = ensemble().addresses.find((address) => address !== leader)!
    const zk = await openAt(follower)
    const { id } = zk.session
    const suspended = zk.waitFor('suspended')
    await ensemble().kill(leader)
    await suspended

    const answers = await answersUntilServing(portOf(follower))
    const looking = answers.filter(({ isro }) => isro === 'null')
    expect(looking.length).toBeGreaterThan(0)
    const srvr = 'This ZooKeeper instance is not currently serving requests\n'
    for (const one of looking) expect(one).toMatchObject({ ruok: 'imok', srvr, serves: false })
    await zk.waitFor('connected')
    expect([zk.session.id, zk.server]).toEqual([id, follower])
    await ensemble().mend()
  })
})
