/** Wowmedia for browsers, React Native and Node: copy this file. It needs `fetch` and nothing else. */

export type Tokens = { readonly accessToken: string; readonly refreshToken: string }

/** Where this device keeps its tokens: the keychain of an app, a file of a program. */
export type TokenStore = {
  read(): Promise<Tokens | undefined>
  /** Resolves once they are kept for good; `undefined` removes them. */
  write(tokens: Tokens | undefined): Promise<void>
}

export type Credentials = {
  readonly username: string
  readonly password: string
  readonly device_name?: string
}
type Json = Readonly<Record<string, unknown>>
type Request = {
  readonly json?: Json
  readonly body?: Blob
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer of the API that is an error; decide by `code`. */
export class WowmediaError extends Error {
  readonly status: number
  readonly code: string
  readonly retryable: boolean
  readonly signInAgain: boolean
  readonly retryAfterSeconds: number

  constructor(response: Response, problem: Json) {
    super(String(problem['detail'] ?? response.statusText))
    this.status = response.status
    this.code = String(problem['code'] ?? '')
    this.retryable = problem['retryable'] === true
    this.signInAgain = problem['sign_in_again'] === true
    this.retryAfterSeconds = Number(response.headers.get('retry-after') ?? '1')
  }
}

const ATTEMPTS = 5
/** A multiple of 256 KiB, as Cloud Storage asks for. */
const PIECE_BYTES = 8 * 1024 * 1024

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

/** Seconds to wait before the same request may work; undefined where only somebody else can mend it. */
function waitAfter(error: unknown, attempt: number): number | undefined {
  if (error instanceof WowmediaError) return error.retryable ? error.retryAfterSeconds : undefined
  return error instanceof TypeError ? 2 ** attempt : undefined // fetch: no connection
}

async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      const seconds = waitAfter(error, attempt)
      if (seconds === undefined || attempt + 1 === ATTEMPTS) throw error
      await pause(seconds)
    }
  }
}

function isOld(error: unknown): boolean {
  if (!(error instanceof WowmediaError)) return false
  return error.code === 'token_expired' || error.code === 'token_invalid'
}

/** Only a new login helps; where it is only to confirm something, the tokens stay good. */
function isOver(error: unknown): boolean {
  if (!(error instanceof WowmediaError)) return false
  return error.signInAgain && error.code !== 'reauthentication_required'
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null
}

async function read(response: Response): Promise<Json> {
  const text = await response.text()
  const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : {}
  const body = isJson(parsed) ? parsed : {}
  if (!response.ok) throw new WowmediaError(response, body)
  return body
}

function tokensOf(answer: Json): Tokens {
  return {
    accessToken: String(answer['access_token']),
    refreshToken: String(answer['refresh_token']),
  }
}

export class Wowmedia {
  readonly #base: string
  readonly #store: TokenStore
  #refreshing: Promise<string> | undefined

  constructor(base: string, store: TokenStore) {
    this.#base = base
    this.#store = store
  }

  /** After a lost answer a repeat is `username_taken`: then log in. */
  async register(credentials: Credentials): Promise<void> {
    const answer = await this.#send('POST', '/registration', undefined, { json: credentials })
    await this.#store.write(tokensOf(answer))
  }

  async logIn(credentials: Credentials): Promise<void> {
    const answer = await this.#send('POST', '/login', undefined, { json: credentials })
    await this.#store.write(tokensOf(answer))
  }

  /** Ends the session on the server, then forgets the tokens. */
  async logOut(): Promise<void> {
    const tokens = await this.#store.read()
    if (tokens === undefined) return
    await this.#send('POST', '/logout/refresh', tokens.refreshToken)
    await this.#store.write(undefined)
  }

  /** A call with the access token; one refresh where it is old, and the tokens are forgotten where only a login helps. */
  async call(method: string, path: string, request: Request = {}): Promise<Json> {
    const tokens = await this.#store.read()
    if (tokens === undefined) throw new Error('Nobody is signed in.')
    try {
      return await this.#send(method, path, tokens.accessToken, request).catch(async (error) => {
        if (!isOld(error)) throw error
        return await this.#send(method, path, await this.#freshToken(tokens.accessToken), request)
      })
    } catch (error) {
      if (isOver(error)) await this.#store.write(undefined)
      throw error
    }
  }

  /** One photo in one request. Keep the key until this resolves: with it a repeat is the same photo. */
  async upload(photo: Blob, key: string): Promise<Json> {
    const headers = {
      'content-type': photo.type || 'application/octet-stream',
      'idempotency-key': key,
    }
    return await repeated(() => this.call('POST', '/file', { body: photo, headers }))
  }

  /** A large photo, straight into the bucket. Called again with the same key, after a crash too, it goes on where it was. */
  async uploadLarge(photo: Blob, name: string, key: string): Promise<Json> {
    const json = { content_type: photo.type, bytes: photo.size, original_name: name }
    const headers = { 'idempotency-key': key }
    const { id, upload_url: url } = await repeated(() =>
      this.call('POST', '/uploads', { json, headers }),
    )
    await repeated(() => sendPieces(String(url), photo))
    return await repeated(() => this.call('POST', `/uploads/${String(id)}/complete`))
  }

  /** The access token that took the place of `old`: one refresh, for however many calls wait for it. */
  async #freshToken(old: string): Promise<string> {
    this.#refreshing ??= this.#refresh(old).finally(() => {
      this.#refreshing = undefined
    })
    return await this.#refreshing
  }

  async #refresh(old: string): Promise<string> {
    const stored = await this.#store.read()
    if (stored === undefined) throw new Error('Nobody is signed in.')
    if (stored.accessToken !== old) return stored.accessToken
    // A lost answer is asked for again with the same token, which is no reuse.
    const answer = await repeated(() => this.#send('POST', '/token/refresh', stored.refreshToken))
    const tokens = tokensOf(answer)
    await this.#store.write(tokens) // before the access token is used
    return tokens.accessToken
  }

  async #send(method: string, path: string, token?: string, request: Request = {}): Promise<Json> {
    const { json, body = JSON.stringify(json) } = request
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    }
    const sent = body === undefined ? {} : { body }
    return await read(await fetch(`${this.#base}${path}`, { method, headers, ...sent }))
  }
}

/** How many bytes have arrived, from an answer of the resumable session. */
function arrived(response: Response, total: number): number {
  if (response.ok) return total
  if (response.status !== 308)
    throw new WowmediaError(response, { retryable: response.status >= 500 })
  const [, last] = /-(\d+)$/.exec(response.headers.get('range') ?? '') ?? []
  return last === undefined ? 0 : Number(last) + 1
}

/** Asks where the session stands and sends the rest in pieces; without our token. */
async function sendPieces(url: string, photo: Blob): Promise<void> {
  const total = photo.size
  const put = (range: string, body?: Blob) =>
    fetch(url, {
      method: 'PUT',
      headers: { 'content-range': `bytes ${range}/${total}` },
      ...(body && { body }),
    })
  let at = arrived(await put('*'), total)
  while (at < total) {
    const end = Math.min(at + PIECE_BYTES, total)
    at = arrived(await put(`${at}-${end - 1}`, photo.slice(at, end)), total)
  }
}
