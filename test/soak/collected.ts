/** Preloaded into a process: at each SIGUSR2 it collects its garbage and prints what is left, in kilobytes. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let times = 0

process.on('SIGUSR2', () => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
  times += 1
  const { heapUsed, external } = process.memoryUsage()
  process.stdout.write(`collected ${times}: ${Math.round((heapUsed + external) / 1024)} kB\n`)
})
