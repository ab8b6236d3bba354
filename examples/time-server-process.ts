/** One time server of `time-server.ts`: `time-server-process.ts <connect string> <directory>`. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { connect } from 'zoowire'
import { sessionTimeout } from './support.ts'

const [connectString = '127.0.0.1:2181', directory = '/time-servers'] = process.argv.slice(2)

const server = createServer((socket) => {
  socket.on('error', () => undefined) // a client that hangs up early is no problem of ours
  socket.end(new Date().toISOString())
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { address, port } = server.address() as AddressInfo

const zk = await connect(connectString, { sessionTimeout })
await zk.create(`${directory}/${address}:${port}`, '', { mode: 'ephemeral' })
console.log(`${address}:${port}`)
