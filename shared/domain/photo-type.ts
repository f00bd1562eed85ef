/** The content types that a photo can have; what its bytes are decides, never what a caller says. */
export const PHOTO_CONTENT_TYPES = [
  'image/jpeg',
  'image/png',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/heic',
] as const

export type PhotoContentType = (typeof PHOTO_CONTENT_TYPES)[number]
