/** Child processes of the tests: started with a known environment, their output kept, ended with the test run. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

export type Started = {
  readonly pid: number
  /** Everything that it printed so far, both streams. */
  output(): string
  /** Resolves with the first line that matches, or rejects with the output when it ends or 60 s pass, which ends it. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  /** Ends it with the signal and waits for its end; the exit code, or null after a signal. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  readonly ended: Promise<number | null>
  /** Reads nothing more of it: what it prints then fails. */
  closeOutput(): void
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

const KEPT = /^(PATH|HOME|TMPDIR|TEMP|TMP|SYSTEMROOT|FULL|NODE_V8_COVERAGE)$/i

/** The machine's own variables without any setting of ours, so that a test says all that it relies on. */
export function plainEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => KEPT.test(name))
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']))
}

async function waitForLine(child: ChildProcess, read: () => string, pattern: RegExp) {
  const found = pattern.exec(read())
  if (found !== null) return found
  const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
  const look = () => {
    const match = pattern.exec(read())
    if (match !== null) resolve(match)
  }
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    reject(new Error(`no line ${pattern} in 60 s:\n${read()}`))
  }, 60_000)
  const ended = () => reject(new Error(`ended before the line ${pattern}:\n${read()}`))
  child.stdout?.on('data', look)
  child.stderr?.on('data', look)
  child.once('close', ended)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.stdout?.off('data', look)
    child.stderr?.off('data', look)
    child.off('close', ended)
  }
}

/** Starts `node ARGS…` with exactly this environment besides the machine's own variables. */
export function startNode(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd = process.cwd(),
): Started {
  const child = spawn(process.execPath, [...args], {
    cwd,
    env: { ...plainEnvironment(), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.add(child)
  child.stdin?.end()
  let printed = ''
  const keep = (chunk: Buffer) => {
    printed += chunk.toString('utf8')
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return typeof code === 'number' ? code : null
  })
  return {
    pid: child.pid ?? 0,
    output: () => printed,
    line: (pattern) => waitForLine(child, () => printed, pattern),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
    ended,
    closeOutput: () => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
  }
}

/** A port that was free a moment ago, for programs that cannot pick one themselves. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}
