/** One time server of `time-server.ts`: `time-server-process.ts <connect string>`. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { connect } from 'zoowire'
import { ServiceRegistry } from 'zoowire/recipes'
import { sessionTimeout } from './support.ts'

const [connectString = '127.0.0.1:2181'] = process.argv.slice(2)

const server = createServer((socket) => {
  socket.on('error', () => undefined) // a client that hangs up early is no problem of ours
  socket.end(new Date().toISOString())
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { address, port } = server.address() as AddressInfo

const zk = await connect(connectString, { sessionTimeout })
await new ServiceRegistry(zk, '/services').register({ name: 'time', address, port })
console.log(`${address}:${port}`)
