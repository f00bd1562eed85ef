/** The place after which a page of a list goes on: lists are ordered by time, then id. */
export type PagePosition = {
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** Id of the last entry that was shown. */
  readonly id: string
}

/** Firestore reserves ids that begin and end with two underscores. */
const POSITION = /^(\d{1,15})\.((?!__.*__$)[A-Za-z0-9_-]{1,64})$/
/** The end of the year 9999, the last time that Firestore knows. */
const LAST_MS = 253_402_300_799_999
const LONGEST_TOKEN = 128

/** `next_page_token`: opaque to callers (AIP-158). */
export function printPageToken(position: PagePosition): string {
  return Buffer.from(`${position.atMs}.${position.id}`, 'latin1').toString('base64url')
}

/** The position in a token of ours, or undefined for any other text. */
export function parsePageToken(token: string): PagePosition | undefined {
  if (token.length > LONGEST_TOKEN) return undefined
  const [, at, id] = POSITION.exec(Buffer.from(token, 'base64url').toString('latin1')) ?? []
  if (at === undefined || id === undefined || Number(at) > LAST_MS) return undefined
  const position = { atMs: Number(at), id }
  return printPageToken(position) === token ? position : undefined
}
