/** One candidate of `election.ts`: `election-process.ts <connect string> <id>`. */
import { once } from 'node:events'
import { connect } from 'zoowire'
import { Election } from 'zoowire/recipes'
import { sessionTimeout } from './support.ts'

const [connectString = '127.0.0.1:2181', id = 'nobody'] = process.argv.slice(2)

const zk = await connect(connectString, { sessionTimeout })
for await (const term of new Election(zk, '/leader', { id }).campaign()) {
  await once(term.signal, 'abort') // leads until it cannot
}
