/** Workers of `lock.ts`: `lock-process.ts <connect string> <workers> <increments each>`. */
import { fileURLToPath } from 'node:url'
import { connect } from 'zoowire'
import { Lock } from 'zoowire/recipes'
import { sessionTimeout } from './support.ts'

/** Reads and writes without looking at versions: only the lock keeps increments from being lost. */
export async function incrementUnderLock(connectString: string, times: number): Promise<void> {
  const zk = await connect(connectString, { sessionTimeout })
  try {
    const lock = new Lock(zk, '/locks/counter')
    for (let i = 0; i < times; i++) {
      await lock.run(async (held) => {
        const { data } = await zk.getData('/counter')
        held.assertHeld()
        await zk.setData('/counter', String(Number(data) + 1))
      })
    }
  } finally {
    await zk.close()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [connectString = '', workers, times] = process.argv.slice(2)
  const work = () => incrementUnderLock(connectString, Number(times))
  await Promise.all(Array.from({ length: Number(workers) }, work))
}
