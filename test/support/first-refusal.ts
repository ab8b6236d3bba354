import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect } from 'vitest'
import { type ChannelMessages, channels, connect, type ConnectOptions } from '../../src/index.ts'
import { errorOf } from './servers.ts'

/** Why the first attempt to connect failed. */
export async function refusalOf(connectString: string, options: ConnectOptions): Promise<unknown> {
  let note = (_step: unknown): void => {}
  const failed = new Promise((resolve) => {
    note = (step) => {
      const { trigger, server, cause } = step as ChannelMessages['connection']
      if (trigger === 'failed' && connectString.endsWith(server)) resolve(cause)
    }
  })
  subscribe(channels.connection, note)
  const aborting = new AbortController()
  const { signal } = aborting
  const connecting = errorOf(
    connect(connectString, { ...options, signal, connectTimeout: Infinity }),
  )
  const cause = await Promise.race([failed, connecting])
  unsubscribe(channels.connection, note)
  aborting.abort()
  expect(await connecting).toMatchObject({ code: 'ABORTED' })
  return cause
}
