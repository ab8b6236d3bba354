import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A binary distribution that the user has unpacked: `ZOOKEEPER_HOME/lib/*.jar`. */
export async function homeClassPath(): Promise<string> {
  const home = process.env['ZOOKEEPER_HOME']
  if (home === undefined || home === '') throw new Error('ZOOKEEPER_HOME is not set')
  // Since 3.5.5 the server itself lies in lib too; before, it lay beside that folder.
  const folders = [home, join(home, 'lib')]
  const jars = (await Promise.all(folders.map(jarsIn))).flat()
  if (jars.length === 0) throw new Error(`no jars in ${join(home, 'lib')}`)
  return jars.join(':')
}

async function jarsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => name.endsWith('.jar'))
    .sort()
    .map((name) => join(folder, name))
}
