import type { PhotoContentType } from './photo-type.ts'

/** A photo that its owner sees: record and object are both there (contract 2). */
export type Photo = {
  /** 128 random bits, base64url. */
  readonly id: string
  readonly ownerId: string
  readonly objectName: string
  /** Generation of the object, int64 as Cloud Storage writes it. */
  readonly generation: string
  readonly contentType: PhotoContentType
  /** Of the stored object. */
  readonly bytes: number
  readonly width: number
  readonly height: number
  /** Of the stored object, lower-case hex. */
  readonly sha256: string
  /** Of the file as it was received, lower-case hex, where a repeat is compared with it; never shown. */
  readonly receivedSha256?: string | undefined
  readonly createdAt: Date
  readonly takenAt?: Date | undefined
  readonly originalName: string
  /** Document of the idempotency key that it was sent with. */
  readonly keyId?: string | undefined
}

/** The photo as callers see it (contract 2). */
export type PhotoJson = {
  readonly id: string
  readonly content_type: string
  readonly bytes: number
  readonly width: number
  readonly height: number
  readonly sha256: string
  readonly created_at: string
  readonly taken_at?: string
  readonly original_name: string
}

const MAX_NAME_BYTES = 255
const FALLBACK_NAME = 'photo'
/** Controls, line and paragraph separators, and what turns the direction of writing (UP-10). */
const UNSHOWABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu

/** Where the bytes of a photo are: made by us, never from a caller's text (UP-10). */
export function objectName(userId: string, photoId: string): string {
  return `photos/${userId}/${photoId}`
}

/** Where a direct upload waits until it is checked (contract 6). */
export function quarantineName(userId: string, uploadId: string): string {
  return `tmp/${userId}/${uploadId}`
}

function cutToBytes(text: string, maximum: number): string {
  let bytes = 0
  let end = 0
  for (const character of text) {
    bytes += new TextEncoder().encode(character).length
    if (bytes > maximum) break
    end += character.length
  }
  return text.slice(0, end)
}

/**
 * A caller's file name as text to show: NFC, at most 255 bytes, the last part of a path, without control,
 * direction and path characters; `photo` where nothing is left of it (contract 2).
 */
export function displayName(fileName: string | undefined): string {
  const shown = (fileName ?? '').normalize('NFC').replace(UNSHOWABLE, '')
  const last = shown.split(/[/\\]/).findLast((part) => part.trim() !== '') ?? ''
  const name = cutToBytes(last.trim(), MAX_NAME_BYTES).trim()
  return /^\.*$/.test(name) ? FALLBACK_NAME : name
}

export function photoJson(photo: Photo): PhotoJson {
  return {
    id: photo.id,
    content_type: photo.contentType,
    bytes: photo.bytes,
    width: photo.width,
    height: photo.height,
    sha256: photo.sha256,
    created_at: photo.createdAt.toISOString(),
    ...(photo.takenAt === undefined ? {} : { taken_at: photo.takenAt.toISOString() }),
    original_name: photo.originalName,
  }
}
