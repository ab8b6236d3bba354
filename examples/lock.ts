import { connect } from 'zoowire'
import { Program } from './processes.ts'
import { incrementUnderLock } from './lock-process.ts'
import { runIfMain, sessionTimeout, type Step } from './support.ts'

const workers = 10
const incrementsEach = 5

export const lock: Step = {
  title: 'A lock: ten workers count on one plain counter, and no increment is lost',

  async run({ connectString, say }) {
    const zk = await connect(connectString, { sessionTimeout })
    try {
      await zk.create('/counter', '0')
      // Four workers here, each with a session of its own, and two processes with three each.
      const programs = [0, 1].map(() => {
        return new Program('lock-process', connectString, '3', String(incrementsEach))
      })
      const here = Array.from({ length: 4 }, () =>
        incrementUnderLock(connectString, incrementsEach),
      )
      await Promise.all([...here, ...programs.map((program) => program.end())])

      const { data } = await zk.getData('/counter')
      say(`${workers} workers, ${incrementsEach} increments each: the counter says ${String(data)}`)
      if (Number(data) !== workers * incrementsEach) throw new Error('increments were lost')
    } finally {
      await zk.close()
    }
  },
}

runIfMain(import.meta.url, lock)
