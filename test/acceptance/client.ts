/** HTTP and a base URL, nothing else: this suite runs against `npm start`, single functions, bundles or a deployment. */
import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Base URL of all functions. */
    baseUrl: string
    /** An account with the role `admin`. */
    admin: { username: string; password: string }
  }
}

export const baseUrl = inject('baseUrl')

type Members = Readonly<Record<string, unknown>>

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly body: Members
  /** A member that must be a string. */
  text(member: string): string
  /** A member that must be an object. */
  part(member: string): Members
  /** A member that must be a list of objects. */
  list(member: string): readonly Members[]
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(member: string, status: number, body: Members): TypeError {
  return new TypeError(`unexpected ${member} in ${status} ${JSON.stringify(body)}`)
}

function answer(response: Response, body: Members): Answer {
  const { status, headers } = response
  return {
    status,
    headers,
    body,
    text: (member) => {
      const value = body[member]
      if (typeof value !== 'string') throw wrong(member, status, body)
      return value
    },
    part: (member) => {
      const value = body[member]
      if (!isMembers(value)) throw wrong(member, status, body)
      return value
    },
    list: (member) => {
      const value = body[member]
      if (!Array.isArray(value) || !value.every(isMembers)) throw wrong(member, status, body)
      return value
    },
  }
}

export type Options = {
  readonly token?: string | undefined
  readonly json?: unknown
  readonly body?: Buffer | FormData | string
  readonly headers?: Readonly<Record<string, string>>
}

function headersOf(options: Options): Record<string, string> {
  return {
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    ...(options.json === undefined ? {} : { 'content-type': 'application/json' }),
    ...options.headers,
  }
}

/** One call; redirects are not followed. `path` may be a whole address. */
export async function call(method: string, path: string, options: Options = {}): Promise<Answer> {
  const sent = options.json === undefined ? options.body : JSON.stringify(options.json)
  const response = await fetch(new URL(path, baseUrl), {
    method,
    redirect: 'manual',
    headers: headersOf(options),
    ...(sent === undefined ? {} : { body: sent instanceof Buffer ? new Uint8Array(sent) : sent }),
  })
  const received = await response.text()
  const json = response.headers.get('content-type')?.includes('json') === true
  const body: unknown = json && received !== '' ? JSON.parse(received) : {}
  return answer(response, isMembers(body) ? body : {})
}

export type Account = {
  readonly username: string
  readonly password: string
  readonly access: string
  readonly refresh: string
}

export function newName(): string {
  return `a.${randomBytes(8).toString('hex')}`
}

export async function register(password = 'correct horse battery staple'): Promise<Account> {
  const username = newName()
  const given = await call('POST', '/registration', { json: { username, password } })
  return {
    username,
    password,
    access: given.text('access_token'),
    refresh: given.text('refresh_token'),
  }
}

export async function signIn(username: string, password: string): Promise<Account> {
  const given = await call('POST', '/login', { json: { username, password } })
  return {
    username,
    password,
    access: given.text('access_token'),
    refresh: given.text('refresh_token'),
  }
}

/** A form with one photo in its part `file`. */
export function photoForm(bytes: Buffer, name: string, type = 'image/jpeg'): FormData {
  const form = new FormData()
  form.append('file', new File([new Uint8Array(bytes)], name, { type }))
  return form
}
