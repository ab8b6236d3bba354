/** Apache's command line, once for each command: `zk-cli.ts <class path> <connect string>`. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const [jars = '', connectString = ''] = process.argv.slice(2)

async function zkCli(...command: readonly string[]): Promise<string[]> {
  const main = 'org.apache.zookeeper.ZooKeeperMain'
  const args = ['-cp', jars, main, '-server', connectString, ...command]
  const { stdout } = await promisify(execFile)('java', args)
  return stdout.split('\n')
}

await zkCli('create', '/z', 'one')
assert.ok((await zkCli('get', '/z')).includes('one'))
await zkCli('set', '-v', '0', '/z', 'two')
assert.ok((await zkCli('get', '-s', '/z')).includes('dataVersion = 1'))
console.log('ok create, get, set')
assert.ok((await zkCli('ls', '/')).includes('[z, zookeeper]'))
await zkCli('deleteall', '/z')
assert.ok((await zkCli('ls', '/')).includes('[zookeeper]'))
console.log('ok ls, deleteall')
