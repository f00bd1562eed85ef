/** What callers send to get tokens, and how they get them (contract 2). */
import { ProblemError } from '../domain/problem.ts'
import type { Json, ReplySpec } from './endpoint.ts'
import { type Infer, integer, object, oneOf, optional, string } from './schema.ts'

/** The body of `POST /registration` and `POST /login`. */
export const credentials = object({
  username: string({
    maxLength: 256,
    description: '3 to 64 characters after NFKC and lower case: letters, digits and . _ - + @',
    example: 'kartik',
  }),
  password: string({
    minLength: 1,
    maxLength: 2048,
    format: 'password',
    description: 'At most 1,024 bytes after NFC',
    example: 'correct horse battery',
  }),
  device_name: optional(
    string({ maxLength: 128, description: 'How this device is listed', example: 'My phone' }),
  ),
})

/** A body that works for both. */
export const credentialsExample = {
  username: 'kartik',
  password: 'a long enough secret',
  device_name: 'My phone',
}

/** The body of `POST /token/refresh` and `POST /logout/refresh`; wins over the Bearer header. */
export const refreshTokenBody = object({
  refresh_token: optional(string({ minLength: 1, maxLength: 4096 })),
})

/** Shortened; a token of nobody. */
const REFRESH_TOKEN = 'wmr_KmQCO1Bl2UvSRYcwBxtIfA'
export const refreshTokenExample = { refresh_token: REFRESH_TOKEN }

/** The refresh token of the body, else that of the header, in whatever form. Throws `token_missing`. */
export function presentedToken(
  body: Infer<typeof refreshTokenBody> | undefined,
  bearer: string | undefined,
): string {
  const token = body?.refresh_token ?? bearer
  if (token !== undefined) return token
  throw new ProblemError('token_missing', {
    detail: 'A refresh token is required, as Bearer or as refresh_token in the body',
  })
}

/** The reply of both logouts. */
export function loggedOut(message: string): ReplySpec {
  return {
    description: 'The session of this device has ended',
    schema: object({ message: string({ maxLength: 256 }) }),
    example: { message },
  }
}

const tokens = {
  access_token: string({ maxLength: 2048, description: 'For `Authorization: Bearer`' }),
  refresh_token: string({
    maxLength: 128,
    description: 'Opaque; for `POST /token/refresh`, after which this one is stored in its place',
  }),
  token_type: oneOf(['Bearer']),
  expires_in: integer({ minimum: 300, maximum: 900, description: 'Seconds of the access token' }),
}

/** Shortened; no token of anybody. */
const EXAMPLE = {
  access_token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiIuLi4ifQ.c2ln',
  refresh_token: REFRESH_TOKEN,
  token_type: 'Bearer',
  expires_in: 600,
}

/** The reply of registration and login. */
export function signedIn(message: string): ReplySpec {
  return {
    description: 'Signed in on this device',
    schema: object({ message: string({ maxLength: 256 }), ...tokens }),
    example: { message, ...EXAMPLE },
  }
}

/** The reply of a refresh. */
export const refreshed: ReplySpec = {
  description: 'The tokens that take the place of the earlier ones',
  schema: object(tokens),
  example: EXAMPLE,
}

export type TokenPair = {
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresInSeconds: number
}

/** The members of a token reply, as RFC 6749 §5.1 names them. */
export function tokenMembers(pair: TokenPair): { readonly [member: string]: Json } {
  return {
    access_token: pair.accessToken,
    refresh_token: pair.refreshToken,
    token_type: 'Bearer',
    expires_in: pair.expiresInSeconds,
  }
}
