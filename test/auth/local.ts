/** A local Firestore within the test's process, whose requests can be counted, and the functions in processes of their own. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test as base } from 'vitest'
import { localEnvironment } from '../../infra/local/environment.ts'
import { type FirestoreServer, startFirestore } from '../../infra/local/firestore/server.ts'
import { localIndexes } from '../../infra/local/indexes.ts'
import { createLocalKeys } from '../../infra/local/keys.ts'
import { openLocalCloud } from '../../infra/local/local-cloud.ts'
import type { Session } from '../../shared/domain/session.ts'
import { type Database, openDatabase } from '../../shared/store/firestore.ts'
import { sessionFields, sessionOf } from '../../shared/store/session-fields.ts'
import { type Answer, call, newDataDir, OPEN_LIMITS, text } from '../app.ts'
import { type Started, startNode } from '../processes.ts'

export type Instance = { readonly url: string; readonly process: Started }

export type Local = {
  /** Base URL of the first instance. */
  readonly url: string
  readonly dataDir: string
  readonly environment: Readonly<Record<string, string>>
  readonly firestore: FirestoreServer
  /** The same database, to look at what is stored. */
  readonly database: Database
  /** How many users there were before the first registration. */
  readonly usersAtStart: number
  readonly process: Started
  /** A second instance, the same for all tests of a worker. */
  second(): Promise<Instance>
  /** One more instance of all functions; ended with the rest. */
  startInstance(environment?: Readonly<Record<string, string>>): Promise<Instance>
  close(): Promise<void>
}

async function startInstance(environment: Readonly<Record<string, string>>): Promise<Instance> {
  const process = startNode(['test/auth/functions-process.ts'], { ...OPEN_LIMITS, ...environment })
  const [, url = ''] = await process.line(/^READY (http:\S+)$/m)
  return { url, process }
}

export async function startLocal(own: Readonly<Record<string, string>> = {}): Promise<Local> {
  const dataDir = await newDataDir()
  const firestore = await startFirestore({ dataDir, indexes: await localIndexes(), ttl: [] })
  await createLocalKeys(dataDir)
  // For its bucket, which the deletion of an account looks into.
  const cloud = await openLocalCloud({
    dataDir: join(dataDir, 'cloud'),
    bucket: 'wowmedia-photos',
  })
  const servers = { ...cloud, firestoreHost: `${firestore.host}:${firestore.port}` }
  const environment = { ...localEnvironment(servers, dataDir, {}), ...OPEN_LIMITS, ...own }
  process.env['FIRESTORE_EMULATOR_HOST'] = servers.firestoreHost
  process.env['METADATA_SERVER_DETECTION'] = 'none'
  const database = openDatabase({
    GOOGLE_CLOUD_PROJECT: 'wowmedia-local',
    FIRESTORE_DATABASE: '(default)',
  })
  const usersAtStart = (await database.client().collection('users').get()).size
  const started = [await startInstance(environment)]
  const [first] = started
  if (first === undefined) throw new Error('no instance')
  let second: Promise<Instance> | undefined
  const start = async (more: Readonly<Record<string, string>> = {}) => {
    const instance = await startInstance({ ...environment, ...more })
    started.push(instance)
    return instance
  }
  return {
    url: first.url,
    dataDir,
    environment,
    firestore,
    database,
    usersAtStart,
    process: first.process,
    second: () => {
      second ??= start()
      return second
    },
    startInstance: start,
    close: async () => {
      await Promise.all(started.map(({ process: child }) => child.stop()))
      await database.client().terminate()
      await firestore.close()
      await cloud.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** `test` with these servers, once for each worker. */
export const test = base.extend('local', { scope: 'worker' }, async ({}, { onCleanup }) => {
  const local = await startLocal()
  onCleanup(() => local.close())
  return local
})

export const PASSWORD = 'correct horse battery'

export type Tokens = { readonly access: string; readonly refresh: string }

export function tokensOf(answer: Answer): Tokens {
  return { access: text(answer, 'access_token'), refresh: text(answer, 'refresh_token') }
}

export function register(url: string, username: string, more: object = {}): Promise<Answer> {
  return call(url, 'POST', '/registration', { json: { username, password: PASSWORD, ...more } })
}

export function logIn(url: string, username: string, more: object = {}): Promise<Answer> {
  return call(url, 'POST', '/login', { json: { username, password: PASSWORD, ...more } })
}

export function refresh(url: string, token: string): Promise<Answer> {
  return call(url, 'POST', '/token/refresh', { token })
}

/** A call that needs a signed-in user. */
export function useToken(url: string, token: string): Promise<Answer> {
  return call(url, 'GET', '/sessions', { token })
}

function claimsOf(accessToken: string): Readonly<Record<string, unknown>> {
  const [, payload = ''] = accessToken.split('.')
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  return Object.fromEntries(Object.entries(claims ?? {}))
}

/** A claim of an access token, unchecked. */
export function claim(accessToken: string, name: string): unknown {
  return claimsOf(accessToken)[name]
}

export function sessionIdOf(accessToken: string): string {
  return String(claim(accessToken, 'sid'))
}

/** The session of an access token as it is stored. */
export async function storedSession(local: Local, accessToken: string): Promise<Session> {
  const id = sessionIdOf(accessToken)
  const session = sessionOf(await local.database.client().collection('sessions').doc(id).get())
  if (session === undefined) throw new Error('no such session')
  return session
}

/** Writes some of a stored session's fields. */
export async function changeSession(
  local: Local,
  accessToken: string,
  changes: Partial<Session>,
): Promise<void> {
  const session = await storedSession(local, accessToken)
  const reference = local.database.client().collection('sessions').doc(session.id)
  await reference.set(sessionFields({ ...session, ...changes }))
}

const TIMES = [
  'authTime',
  'handedOutAt',
  'createdAt',
  'lastUsedAt',
  'idleExpiresAt',
  'expiresAt',
] as const

/** Lets so much time pass for one session: all its times move into the past. */
export async function age(local: Local, accessToken: string, milliseconds: number): Promise<void> {
  const session = await storedSession(local, accessToken)
  const back = (time: Date) => new Date(time.getTime() - milliseconds)
  const times = TIMES.map((name) => [name, back(session[name])] as const)
  const superseded = session.superseded.map((pair) => ({
    ...pair,
    replacedAt: back(pair.replacedAt),
  }))
  await changeSession(local, accessToken, { ...Object.fromEntries(times), superseded })
}

/** The calls to Firestore that this made, by name, in order. */
export async function callsDuring(local: Local, work: () => Promise<unknown>): Promise<string[]> {
  const before = local.firestore.requests.length
  await work()
  return local.firestore.requests.slice(before).map(({ method }) => method)
}
