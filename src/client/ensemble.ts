/** Who the servers are, and changing that. */
import {
  type EnsembleConfig,
  configPath,
  parseEnsembleConfig,
} from '../protocol/ensemble-config.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type GetDataResponse, type ReconfigRequest, type Stat } from '../protocol/records.ts'
import { type SyncOption } from './sync-option.ts'
import { type CallOptions } from './options.ts'
import { type View, type WatchOption } from './view.ts'
import { asIs } from './shapes.ts'

/** The servers of the ensemble, as they know it themselves. */
export interface ConfigResult extends EnsembleConfig {
  /** The configuration as it stands there. */
  readonly text: string
  readonly stat: Stat
}

/**
 * How to change the ensemble: step by step, by `joining` and `leaving`, or as a whole, by `members`.
 */
export interface ReconfigOptions {
  /**
   * Servers to add, or to change: lines as in `zoo.cfg`, such as
   * `server.4=zk4:2888:3888:participant;0.0.0.0:2181`.
   */
  readonly joining?: readonly string[]
  /** The ids of servers to remove. */
  readonly leaving?: readonly number[]
  /** All servers of the new ensemble, in lines as for `joining`. */
  readonly members?: readonly string[]
  /** The `version` that the configuration must have; else `BAD_VERSION`. Default: any. */
  readonly fromConfig?: bigint
}

export async function getConfig(
  { absolute }: View,
  options: (CallOptions & WatchOption & SyncOption) | undefined,
): Promise<ConfigResult> {
  const operation = operations.getData
  return configOf(await absolute.read<GetDataResponse>(operation, configPath, asIs, options))
}

export async function reconfig(
  { absolute }: View,
  change: ReconfigOptions,
  options: CallOptions | undefined,
): Promise<ConfigResult> {
  const request = { path: configPath, ...reconfigRequest(change) }
  const { reconfig: operation } = operations
  return configOf(await absolute.call<GetDataResponse>(operation, () => request, asIs, options))
}

function reconfigRequest({
  joining = [],
  leaving = [],
  members = [],
  fromConfig = -1n,
}: ReconfigOptions): ReconfigRequest {
  const isBulk = members.length > 0
  if (isBulk === joining.length + leaving.length > 0) {
    refuse('reconfig takes either `members`, or `joining` and `leaving`')
  }
  for (const line of [...joining, ...members]) {
    if (!/^server\.\d+=[^\s,]+$/.test(line)) refuse(`"${line}" is no line of the form server.1=…`)
  }
  for (const id of leaving) {
    if (!Number.isInteger(id)) refuse(`${String(id)} is no id of a server`)
  }
  if (typeof fromConfig !== 'bigint') refuse('fromConfig is a bigint')
  return {
    joiningServers: listOf(joining),
    leavingServers: listOf(leaving),
    newMembers: listOf(members),
    curConfigId: fromConfig,
  }
}

function listOf(items: readonly (string | number)[]): string | null {
  return items.length === 0 ? null : items.join(',')
}

function configOf({ data, stat }: GetDataResponse): ConfigResult {
  const text = data?.toString('utf8') ?? ''
  return { ...parseEnsembleConfig(text), text, stat }
}

function refuse(detail: string): never {
  throw new ZooKeeperError('BAD_ARGUMENTS', { op: 'reconfig', detail })
}
