/** How an account, its devices and all its photos look to their owner (contract 2, PRIV-02). */
import { type Photo, photoJson } from '../domain/photo.ts'
import type { Quota, Usage } from '../domain/quota.ts'
import { printRates, type Rate } from '../domain/rate.ts'
import { ROLES, type Role } from '../domain/role.ts'
import type { Session } from '../domain/session.ts'
import type { ReplySpec } from './endpoint.ts'
import { exportedPhotoSchema, photoExample } from './photo-reply.ts'
import { array, boolean, integer, object, oneOf, string } from './schema.ts'

const MOST = Number.MAX_SAFE_INTEGER
const time = string({ maxLength: 32, format: 'date-time' })

const identity = {
  id: string({ maxLength: 64 }),
  username: string({ maxLength: 64, description: 'Folded' }),
  role: oneOf(ROLES),
  created_at: time,
}

const accountSchema = object({
  ...identity,
  photo_count: integer({ minimum: 0, maximum: MOST, description: 'Visible photos' }),
  photo_bytes: integer({ minimum: 0, maximum: MOST, description: 'Bytes of visible photos' }),
  quota: object({
    count: integer({ minimum: 1, maximum: MOST }),
    bytes: integer({ minimum: 1, maximum: MOST }),
  }),
  upload_limit: string({ maxLength: 128, example: '5/minute' }),
})

const IDENTITY = {
  id: 'iu0E3vT7mQ2rXn5bYc8fZg',
  username: 'kartik',
  role: 'user',
  created_at: '2026-03-01T12:00:00.000Z',
}

const ACCOUNT = {
  ...IDENTITY,
  photo_count: 12,
  photo_bytes: 31_457_280,
  quota: { count: 10_000, bytes: 5_368_709_120 },
  upload_limit: '5/minute',
}

export const accountReply: ReplySpec = {
  description: 'The account',
  schema: accountSchema,
  example: ACCOUNT,
}

type Owner = {
  readonly id: string
  readonly username: string
  readonly role: Role
  readonly createdAt: Date
}

function identityJson(owner: Owner) {
  return {
    id: owner.id,
    username: owner.username,
    role: owner.role,
    created_at: owner.createdAt.toISOString(),
  }
}

export function accountJson(
  owner: Owner,
  usage: Usage,
  limits: { readonly quota: Quota; readonly rates: readonly Rate[] },
) {
  return {
    ...identityJson(owner),
    photo_count: usage.photoCount,
    photo_bytes: usage.photoBytes,
    quota: { count: limits.quota.count, bytes: limits.quota.bytes },
    upload_limit: printRates(limits.rates),
  }
}

/** A device as `GET /sessions` and the export show it. */
export const deviceSchema = object({
  id: string({ maxLength: 64 }),
  name: string({ maxLength: 64, description: 'What the device was called at its login' }),
  created_at: time,
  last_used_at: string({ maxLength: 32, format: 'date-time', description: 'To the hour' }),
  address: string({ maxLength: 64, description: 'IPv4 /24 or IPv6 /48 of the last noted use' }),
  current: boolean('The session of this call'),
})

/** How a device looks to its owner. */
export function deviceJson(session: Session, currentId: string) {
  return {
    id: session.id,
    name: session.name,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    address: session.network,
    current: session.id === currentId,
  }
}

/** A device of an API description. */
export const deviceExample = {
  id: 'KmQCO1Bl2UvSRYcwBxtIfA',
  name: 'My phone',
  created_at: '2026-03-01T12:00:00.000Z',
  last_used_at: '2026-03-02T08:30:00.000Z',
  address: '192.0.2.0/24',
  current: true,
}

const exportSchema = object({
  exported_at: time,
  account: object(identity),
  sessions: array(deviceSchema, 20),
  photos: array(exportedPhotoSchema, 10_000_000),
})

const EXPORT = {
  exported_at: '2026-05-06T07:08:09.123Z',
  account: IDENTITY,
  sessions: [deviceExample],
  photos: [{ ...photoExample, content_path: `/photos/${photoExample.id}/content` }],
}

export const exportReply: ReplySpec = {
  description:
    'Account, devices and all photo records, each with the path of its content, streamed',
  schema: exportSchema,
  example: EXPORT,
  headers: ['RateLimit', 'RateLimit-Policy', 'Content-Disposition'],
}

export type Export = {
  readonly owner: Owner
  readonly sessions: readonly Session[]
  readonly currentSessionId: string
  /** All photos, page by page. */
  readonly photos: AsyncIterable<readonly Photo[]>
  readonly exportedAt: Date
}

/** The export as one JSON document, in pieces that are never larger than a page of photos. */
export async function* exportChunks(all: Export): AsyncIterable<string> {
  const sessions = all.sessions.map((session) => deviceJson(session, all.currentSessionId))
  const head = {
    exported_at: all.exportedAt.toISOString(),
    account: identityJson(all.owner),
    sessions,
  }
  yield `${JSON.stringify(head).slice(0, -1)},"photos":[`
  let separator = ''
  for await (const page of all.photos) {
    const records = page.map((photo) => {
      return JSON.stringify({ ...photoJson(photo), content_path: `/photos/${photo.id}/content` })
    })
    if (records.length === 0) continue
    yield `${separator}${records.join(',')}`
    separator = ','
  }
  yield ']}\n'
}
