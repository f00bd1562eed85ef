/** How a session is stored (SES-01): snake_case fields, times as timestamps, absent values as null. */
import { Timestamp } from '@google-cloud/firestore'
import { later, REVOKE_REASONS, type Session, type SessionLife } from '../domain/session.ts'
import type { DocumentData, DocumentSnapshot } from './firestore.ts'

/** A session's document is kept so long after its end (PRIV-03). */
const KEEP_MS = 30 * 86_400_000

/** All fields of the document. `revoked_at` is null while the session lives, so that a query finds it. */
export function sessionFields(session: Session): DocumentData {
  return {
    user_id: session.userId,
    session_epoch: session.sessionEpoch,
    auth_time: session.authTime,
    gen: session.generation,
    dlv: session.delivery,
    current_hash: session.currentHash,
    previous_hash: session.previousHash ?? null,
    confirmed_gen: session.confirmedGeneration,
    handed_out_at: session.handedOutAt,
    superseded: session.superseded.map((pair) => ({
      gen: pair.generation,
      dlv: pair.delivery,
      replaced_at: pair.replacedAt,
    })),
    refresh_hits: session.refreshHits,
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
    idle_expires_at: session.idleExpiresAt,
    expires_at: session.expiresAt,
    revoked_at: session.revokedAt ?? null,
    revoke_reason: session.revokeReason ?? null,
    name: session.name,
    network: session.network,
    purge_at: later(session.expiresAt, KEEP_MS),
  }
}

/** A document with a field that is missing or of another type; it counts as no session at all (F26). */
class DamagedDocument extends Error {}

function reader(fields: DocumentData) {
  const damaged = (name: string): never => {
    throw new DamagedDocument(name)
  }
  return {
    text: (name: string): string => {
      const value: unknown = fields[name]
      return typeof value === 'string' ? value : damaged(name)
    },
    whole: (name: string): number => {
      const value: unknown = fields[name]
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : damaged(name)
    },
    time: (name: string): Date => {
      const value: unknown = fields[name]
      return value instanceof Timestamp ? value.toDate() : damaged(name)
    },
    bytes: (name: string): Uint8Array => {
      const value: unknown = fields[name]
      return value instanceof Uint8Array ? value : damaged(name)
    },
    list: (name: string): readonly DocumentData[] => {
      const value: unknown = fields[name]
      return Array.isArray(value) ? value : damaged(name)
    },
    isNull: (name: string): boolean => fields[name] === null,
  }
}

function supersededOf(fields: DocumentData): Session['superseded'] {
  return reader(fields)
    .list('superseded')
    .map(reader)
    .map((pair) => ({
      generation: pair.whole('gen'),
      delivery: pair.whole('dlv'),
      replacedAt: pair.time('replaced_at'),
    }))
}

function readSession(id: string, fields: DocumentData): Session {
  const read = reader(fields)
  return {
    ...readLife(id, fields),
    userId: read.text('user_id'),
    authTime: read.time('auth_time'),
    generation: read.whole('gen'),
    delivery: read.whole('dlv'),
    currentHash: read.text('current_hash'),
    previousHash: read.isNull('previous_hash') ? undefined : read.text('previous_hash'),
    confirmedGeneration: read.whole('confirmed_gen'),
    handedOutAt: read.time('handed_out_at'),
    superseded: supersededOf(fields),
    refreshHits: read.bytes('refresh_hits'),
    createdAt: read.time('created_at'),
    lastUsedAt: read.time('last_used_at'),
    revokeReason: REVOKE_REASONS.find((reason) => reason === fields['revoke_reason']),
    name: read.text('name'),
    network: read.text('network'),
  }
}

/** The fields that `sessionLifeOf` reads. */
export const LIFE_FIELDS = ['session_epoch', 'revoked_at', 'idle_expires_at', 'expires_at'] as const

function readLife(id: string, fields: DocumentData): SessionLife {
  const read = reader(fields)
  return {
    id,
    sessionEpoch: read.whole('session_epoch'),
    revokedAt: read.isNull('revoked_at') ? undefined : read.time('revoked_at'),
    idleExpiresAt: read.time('idle_expires_at'),
    expiresAt: read.time('expires_at'),
  }
}

/** The session of a document; undefined where there is none or a field is damaged. */
export function sessionOf(document: DocumentSnapshot): Session | undefined {
  return unlessDamaged(document, readSession)
}

/** The same of a document that was read with `LIFE_FIELDS` alone. */
export function sessionLifeOf(document: DocumentSnapshot): SessionLife | undefined {
  return unlessDamaged(document, readLife)
}

function unlessDamaged<T>(
  document: DocumentSnapshot,
  read: (id: string, fields: DocumentData) => T,
): T | undefined {
  const fields = document.data()
  if (fields === undefined) return undefined
  try {
    return read(document.id, fields)
  } catch (error) {
    if (error instanceof DamagedDocument) return undefined
    throw error
  }
}
