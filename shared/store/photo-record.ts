/** A photo as the fields of a document: its own, and in the answer that an idempotency key keeps. */

import type { Photo } from '../domain/photo.ts'
import { PHOTO_CONTENT_TYPES } from '../domain/photo-type.ts'
import type { Fields } from './fields.ts'

export function photoFields(
  photo: Photo,
): Readonly<Record<string, string | number | Date | undefined>> {
  return {
    owner_id: photo.ownerId,
    object_name: photo.objectName,
    generation: photo.generation,
    content_type: photo.contentType,
    bytes: photo.bytes,
    width: photo.width,
    height: photo.height,
    sha256: photo.sha256,
    received_sha256: photo.receivedSha256,
    created_at: photo.createdAt,
    taken_at: photo.takenAt,
    original_name: photo.originalName,
    key_id: photo.keyId,
  }
}

export function photoOf(id: string, fields: Fields): Photo {
  return {
    id,
    ownerId: fields.text('owner_id'),
    objectName: fields.text('object_name'),
    generation: fields.text('generation'),
    contentType: fields.word('content_type', PHOTO_CONTENT_TYPES),
    bytes: fields.number('bytes'),
    width: fields.number('width'),
    height: fields.number('height'),
    sha256: fields.text('sha256'),
    receivedSha256: fields.textOrNone('received_sha256'),
    createdAt: fields.date('created_at'),
    takenAt: fields.dateOrNone('taken_at'),
    originalName: fields.text('original_name'),
    keyId: fields.textOrNone('key_id'),
  }
}
