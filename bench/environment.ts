import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, type } from 'node:os'

/** What somebody else would have to know to judge the figures. */
export function environment(servers: readonly string[]) {
  const processors = cpus()
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD'),
    uncommittedChanges: git('status', '--porcelain', '--', 'src') !== '',
    node: process.version,
    processor: processors[0]?.model ?? 'unknown',
    processors: processors.length,
    system: `${type()} ${release()}`,
    loadBefore: loadavg()[0],
    servers,
    nodeZookeeperClient: versionOf('node-zookeeper-client'),
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim()
}

function versionOf(name: string): string {
  const url = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version
}
