/**
 * How a server is set up, as `conf` and `envi` tell it.
 *
 * Source: `ConfCommand`, `ServerConfig`, `QuorumPeer.dumpConf`, `Environment.list`.
 */
import { configPath } from '../protocol/ensemble-config.ts'
import { type Link } from './link.ts'
import { type ServerState } from './state.ts'
import { linesOf } from './word-text.ts'

/** It has no folders. */
export function configText({ options, tree }: ServerState, { localPort }: Link): string {
  const config = tree.get(configPath)?.data?.toString() ?? ''
  const isMember = config !== ''
  const lines = [
    `clientPort=${localPort}`,
    'secureClientPort=-1',
    'dataDir=',
    'dataDirSize=0',
    'dataLogDir=',
    'dataLogSize=0',
    `tickTime=${options.tickTimeMs}`,
    'maxClientCnxns=0',
    `minSessionTimeout=${options.sessionTimeoutMsMin}`,
    `maxSessionTimeout=${options.sessionTimeoutMsMax}`,
    ...(options.profile.hasMetrics ? ['clientPortListenBacklog=-1'] : []), // 3.6, too
    `serverId=${isMember ? options.serverId : 0}`,
  ]
  return linesOf(lines) + (isMember ? memberText(config, options.serverId) : '')
}

/** It ends as the configuration does. */
function memberText(config: string, id: number): string {
  const own = new RegExp(`^server\\.${id}=.*?:(\\d+):(\\d+)`, 'm').exec(config)
  const [, quorumPort = '', electionPort = ''] = own ?? []
  const lines = [
    'initLimit=10',
    'syncLimit=5',
    'electionAlg=3',
    `electionPort=${electionPort}`,
    `quorumPort=${quorumPort}`,
    'peerType=0',
    'membership: ',
  ]
  return linesOf(lines) + config
}

/** Nothing of it is Java. */
export function environmentLines({ options }: ServerState): string[] {
  const properties =
    'java.version java.vendor java.home java.class.path java.library.path java.io.tmpdir ' +
    'java.compiler os.name os.arch os.version user.name user.home user.dir'
  return [
    'Environment:',
    `zookeeper.version=${options.profile.version}`,
    'host.name=localhost',
    ...properties.split(' ').map((name) => `${name}=<NA>`),
    ...['free', 'max', 'total'].map((what) => `os.memory.${what}=0MB`),
  ]
}
