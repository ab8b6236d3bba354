/** The in-process server in a process of its own, so that its work is not counted as a client's. */
import { TestServer } from 'zoowire/testing'

const server = await TestServer.start({ tickTime: 2_000 })
process.on('message', () => process.send!(null))
process.on('disconnect', () => process.exit())
process.send!(server.port)
