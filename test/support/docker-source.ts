import type { ServerProcess } from './server-process.ts'
import { logbackFile } from './zookeeper-config.ts'
import type { ServerLaunch } from './zookeeper-installation.ts'

/** Runs a server in a container. */
export type ContainerLauncher = (launch: ServerLaunch) => Promise<ServerProcess>

/**
 * The image that `ZOOKEEPER_IMAGE` names, in a Docker engine on this machine. It must have
 * `zkServer.sh` on its PATH, as the official image has. The container shares our network, files and
 * user, and its server is a process of this machine: so ensembles, transaction logs and signals are
 * what they are without Docker.
 */
export async function dockerLauncher(): Promise<ContainerLauncher> {
  const image = process.env['ZOOKEEPER_IMAGE'] ?? ''
  if (image === '') throw new Error('ZOOKEEPER_IMAGE is not set')
  if (process.platform !== 'linux') {
    throw new Error('containers share the network and the processes of a Linux machine only')
  }
  const { getContainerRuntimeClient } = await import('testcontainers')
  await getContainerRuntimeClient() // throws unless there is an engine
  return (launch) => runContainer(image, launch)
}

async function runContainer(image: string, launch: ServerLaunch): Promise<ServerProcess> {
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers')
  const { jvmOptions, configFile, logFile, folders } = launch
  const server = 'exec zkServer.sh start-foreground "$0" >> "$1" 2>&1'
  const { getuid, getgid } = process
  const started = await new GenericContainer(image)
    .withNetworkMode('host')
    .withUser(`${getuid!()}:${getgid!()}`) // else we could neither signal it nor remove its files
    .withBindMounts([...folders, logbackFile].map((path) => ({ source: path, target: path })))
    .withEnvironment({ SERVER_JVMFLAGS: jvmOptions.join(' '), ZOO_LOG_DIR: folders[0]! })
    .withEntrypoint(['/bin/sh', '-c', server])
    .withCommand([configFile, logFile])
    .start()
  const client = await getContainerRuntimeClient()
  const container = client.container.getById(started.getId())
  const { State: state } = await container.inspect()
  const exited = container.wait().then(() => container.remove())
  return {
    pid: state.Pid,
    exited: exited.then(
      () => {},
      () => {}, // somebody removed it before us
    ),
    signal: (name) => signalProcess(state.Pid, name),
  }
}

function signalProcess(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
