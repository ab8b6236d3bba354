import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isRunnable, runCommand } from './run-command.ts'

const pom = fileURLToPath(new URL('maven/pom.xml', import.meta.url))
const cache = fileURLToPath(new URL('../../node_modules/.cache/zoowire/', import.meta.url))

/**
 * The jars that maven/pom.xml names, copied once into a cache folder. The version is the pom's,
 * or ZOOWIRE_ZOOKEEPER_VERSION. Maven takes seconds even when it has everything, hence the cache.
 */
export async function mavenClassPath(): Promise<string> {
  const version = process.env['ZOOWIRE_ZOOKEEPER_VERSION'] || undefined // empty is not set
  const folder = join(cache, `maven-${version ?? 'default'}-${await fingerprint()}`)
  if (!existsSync(folder)) await copyJars(folder, version)
  return join(folder, '*')
}

/** A changed pom must not meet the jars of the former one. */
async function fingerprint(): Promise<string> {
  return createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 8)
}

async function copyJars(folder: string, version: string | undefined): Promise<void> {
  if (!(await isRunnable('mvn', '-version'))) throw new Error('`mvn` does not run')
  // Renamed when complete: a killed or concurrent run must not leave half a class path.
  const unfinished = `${folder}.${process.pid}`
  await mkdir(unfinished, { recursive: true })
  try {
    await runCommand('mvn', mavenArguments(unfinished, version))
    await rename(unfinished, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error // else another run was faster
    })
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

function mavenArguments(folder: string, version: string | undefined): string[] {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime']
  const override = version === undefined ? [] : [`-Dzookeeper.version=${version}`]
  return ['-B', '-q', '-f', pom, ...goal, `-DoutputDirectory=${folder}`, ...override]
}
