/** Logins, refreshes and reads a second: functions by the framework's own CLI on the local servers. */
import { readFile } from 'node:fs/promises'
import { registerUser, startCloud, startFunction, type User } from '../app.ts'
import { startNode } from '../processes.ts'
import type { Row } from './image.ts'
import { type Figures, measureLoad, percentile, type Shot } from './load.ts'

const ROUNDS = 5
/** Until the compiler has seen all that a call needs: logins are few a second, so they take longest. */
const WARM_UPS = 12
const ROUND_MS = 2_500
const AT_ONCE = 4
/** What the project promises of one core. */
const REFRESHES_PROMISED = 120
const READS_PROMISED = 400

/** Of each chain of logins, and of refreshes: one session may be refreshed 60 times a minute. */
const USERS_EACH = 32
const SESSIONS_EACH = 48

const JSON_TYPE = { 'content-type': 'application/json' }

function middle(figures: readonly Figures[], of: (one: Figures) => number): number {
  return percentile(figures.map(of), 0.5)
}

type Servers = Awaited<ReturnType<typeof startCloud>>
const ENVIRONMENT = { LOGIN_LIMIT_PER_ACCOUNT: '100000/15minutes' }

/** One round of each in turn, so that a busy machine slows both alike; the first few warm up. */
async function inTurn(
  ours: () => Promise<Figures>,
  other: () => Promise<Figures>,
): Promise<{ readonly ours: readonly Figures[]; readonly other: readonly Figures[] }> {
  const rounds = { ours: [] as Figures[], other: [] as Figures[] }
  for (let round = -WARM_UPS; round < ROUNDS; round += 1) {
    const pair = [await ours(), await other()] as const
    if (round < 0) continue
    rounds.ours.push(pair[0])
    rounds.other.push(pair[1])
  }
  return rounds
}

/** Phones come from addresses of their own, and a user has a few of them. */
function inTurnFrom(address: string, url: string, users: readonly User[]): () => Shot {
  let next = 0
  const headers = { ...JSON_TYPE, 'x-forwarded-for': address }
  return () => {
    const { username, password } = users[next % users.length] ?? {}
    next += 1
    const body = JSON.stringify({ username, password })
    return { method: 'POST', url: `${url}/login`, headers, body }
  }
}

async function login(servers: Servers): Promise<Row[]> {
  const env = { ...servers.environment, ...ENVIRONMENT, TRUSTED_PROXY_HOPS: '1' }
  const [register, tried] = await Promise.all([
    startFunction('register', env),
    startFunction('login', env),
  ])
  const bare = startNode(['test/bench/hash-rate.ts'])
  try {
    const [, bareUrl = ''] = await bare.line(/^hashing at (\S+)$/m)
    const users = await registerAll(register.url, AT_ONCE * USERS_EACH)
    const chains = Array.from({ length: AT_ONCE }, (_, chain) =>
      users.filter((_user, at) => at % AT_ONCE === chain),
    )
    const logins = chains.map((own, chain) => inTurnFrom(`192.0.2.${chain + 1}`, tried.url, own))
    const hashes = chains.map(() => () => ({ method: 'GET', url: bareUrl }))
    const { ours, other } = await inTurn(
      () => measureLoad(tried.process.pid, logins, ROUND_MS),
      () => measureLoad(bare.pid, hashes, ROUND_MS),
    )
    // For each second of the processes' own processor time: Firestore, which runs beside them here, has machines of its own.
    const perCore = (one: Figures | undefined) => one?.perCoreSecond ?? Number.NaN
    const ratios = ours.map((one, at) => perCore(one) / perCore(other[at]))
    return [
      {
        name: 'logins for each core, beside bare argon2 hashes over HTTP',
        ours: middle(ours, perCore),
        other: middle(other, perCore),
        unit: '/s',
        ratio: percentile(ratios, 0.5),
      },
    ]
  } finally {
    await Promise.all([register.process.stop(), tried.process.stop(), bare.stop()])
  }
}

async function registerAll(url: string, count: number): Promise<readonly User[]> {
  const users: User[] = []
  for (let at = 0; at < count; at += 1) users.push(await registerUser(url))
  return users
}

/** Of `promised` a second and core, and the p99 beside the framework with an empty function. */
async function rate(
  name: string,
  promised: number,
  pid: number,
  chains: (round: number) => readonly ((before: string | undefined) => Shot)[],
  empty: { readonly pid: number; readonly url: string },
): Promise<Row[]> {
  let round = 0
  const bare = Array.from({ length: AT_ONCE }, () => () => ({ method: 'GET', url: empty.url }))
  const { ours, other } = await inTurn(
    () => measureLoad(pid, chains(round++), ROUND_MS),
    () => measureLoad(empty.pid, bare, ROUND_MS),
  )
  const perCore = middle(ours, (one) => one.perCoreSecond)
  const [mine, its] = [middle(ours, (one) => one.p99), middle(other, (one) => one.p99)]
  return [
    {
      name: `${name} for each core, beside what is promised`,
      ours: perCore,
      other: promised,
      unit: '/s',
      ratio: perCore / promised,
    },
    {
      name: `p99 of ${name}, beside an empty function`,
      ours: mine,
      other: its,
      unit: 'ms',
      ratio: mine / its,
    },
  ]
}

function refreshTokenIn(answer: string): string {
  const parsed: unknown = JSON.parse(answer)
  const isPair = typeof parsed === 'object' && parsed !== null && 'refresh_token' in parsed
  return isPair ? String(parsed.refresh_token) : ''
}

/** Sessions in turn: one may be refreshed 60 times a minute. */
function refreshing(url: string, tokens: string[]): (before: string | undefined) => Shot {
  let current = 0
  return (before) => {
    if (before !== undefined) tokens[current] = refreshTokenIn(before)
    current = (current + 1) % tokens.length
    const authorization = `Bearer ${tokens[current]}`
    return { method: 'POST', url: `${url}/token/refresh`, headers: { authorization } }
  }
}

async function refreshesAndReads(servers: Servers): Promise<Row[]> {
  const env = { ...servers.environment, ...ENVIRONMENT }
  const register = await startFunction('register', env)
  const [tried, account, empty] = [
    await startFunction('refresh', env),
    await startFunction('account', env),
    await startFunction('empty', env, 'test/bench/empty-function.ts'),
  ]
  try {
    const bare = { pid: empty.process.pid, url: empty.url }
    const users = await registerAll(register.url, AT_ONCE * SESSIONS_EACH)
    const tokens = Array.from({ length: AT_ONCE }, (_, chain) =>
      users.filter((_user, at) => at % AT_ONCE === chain).map(({ refreshToken }) => refreshToken),
    )
    const reads = users.slice(0, AT_ONCE).map(({ accessToken }) => {
      const headers = { authorization: `Bearer ${accessToken}` }
      return () => ({ method: 'GET', url: `${account.url}/account`, headers })
    })
    const chains = tokens.map((own) => refreshing(tried.url, own))
    return [
      ...(await rate('reads with a token', READS_PROMISED, account.process.pid, () => reads, bare)),
      ...(await rate('refreshes', REFRESHES_PROMISED, tried.process.pid, () => chains, bare)),
    ]
  } finally {
    await Promise.all([register, tried, account, empty].map(({ process: one }) => one.stop()))
  }
}

export async function benchCalls(): Promise<Row[]> {
  const servers = await startCloud()
  try {
    return [...(await login(servers)), ...(await refreshesAndReads(servers))]
  } finally {
    await servers.close()
  }
}

/** Resident memory of a process, megabytes; NaN where it is not told. */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1000
}
