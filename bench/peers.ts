/** Clients in other languages: what it takes to run them beside ours. */
import { fileURLToPath } from 'node:url'
import {
  type Command,
  goProgram,
  javaProgram,
  kazooProgram,
} from '../test/support/foreign-clients.ts'
import { type Contestant, type Foreigner, foreigners } from './plan.ts'
import { type Commands } from './rounds.ts'

const source = (name: string) => fileURLToPath(new URL(`contestants/${name}`, import.meta.url))

const prepare: Readonly<Record<Foreigner, () => Promise<Command>>> = {
  'go-zookeeper': () => goProgram(source('go'), 'bench'),
  java: () => javaProgram(source('JavaContestant.java')),
  kazoo: () => kazooProgram(source('kazoo_contestant.py')),
}

export async function preparePeers(names: readonly Foreigner[]): Promise<Commands> {
  const commands: Commands = {}
  for (const name of names) commands[name] = await prepare[name]()
  return commands
}

export function isForeign(contestant: Contestant): contestant is Foreigner {
  return (foreigners as readonly Contestant[]).includes(contestant)
}
