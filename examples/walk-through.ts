/** What people use ZooKeeper for, step by step: `npm run demo`. Each step is a program of its own. */
import { configurationCentre } from './configuration-centre.ts'
import { connecting } from './connect.ts'
import { election } from './election.ts'
import { ephemeral } from './ephemeral.ts'
import { leaderLoss } from './leader-loss.ts'
import { lock } from './lock.ts'
import { perform } from './support.ts'
import { telemetry } from './telemetry.ts'
import { timeServer } from './time-server.ts'
import { znodes } from './znodes.ts'

const isOnEnsemble = process.argv.includes('--ensemble')

await perform([
  connecting,
  znodes,
  ephemeral,
  configurationCentre,
  ...(isOnEnsemble ? [leaderLoss] : []), // the others go on with the two that are left
  lock,
  election,
  timeServer,
  telemetry,
])
