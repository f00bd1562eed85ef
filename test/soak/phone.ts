/**
 * One simulated phone with an account of its own: what it does, what it knows to be true, and what it compares.
 * It stores a new refresh token only once it has heard the answer that carries it.
 */
import { createHash } from 'node:crypto'
import { type Answer, text } from '../app.ts'
import { minimalPng } from '../faults/photos.ts'
import type { Line } from './line.ts'
import type { Chance } from './random.ts'
import type { Happenings } from './record.ts'

const PASSWORD = 'correct horse battery'

/** A photo by the name that the phone gave it, which is also its key. */
export type Held = { readonly id: string; readonly sha256: string }

export type PhoneOptions = {
  readonly number: number
  readonly seed: number
  readonly chance: Chance
  readonly line: Line
  readonly record: Happenings
}

export class Phone {
  /** Photos that were acknowledged and not deleted since. */
  readonly photos = new Map<string, Held>()
  /** Names of uploads whose answer was never heard, and that the phone has forgotten. */
  readonly forgotten = new Set<string>()
  /** User ids of accounts that it has deleted. */
  readonly deletedUsers = new Set<string>()
  #username = ''
  #access = ''
  #refresh = ''
  #accounts = 0
  #uploads = 0
  readonly #options: PhoneOptions

  constructor(options: PhoneOptions) {
    this.#options = options
  }

  get username(): string {
    return this.#username
  }

  get userId(): string {
    const claims: unknown = JSON.parse(
      Buffer.from(this.#access.split('.')[1] ?? '', 'base64url').toString() || '{}',
    )
    const isClaims = typeof claims === 'object' && claims !== null && 'sub' in claims
    return isClaims ? String(claims.sub) : ''
  }

  #violation(what: string): void {
    this.#options.record.violation(`${this.#username}: ${what}`)
  }

  #keep(answer: Answer): void {
    this.#access = text(answer, 'access_token')
    this.#refresh = text(answer, 'refresh_token')
  }

  async register(): Promise<void> {
    const { number, seed, line, record } = this.#options
    this.#accounts += 1
    this.#username = `soak-${seed}-${number}-${this.#accounts}`
    this.photos.clear()
    this.forgotten.clear()
    const json = { username: this.#username, password: PASSWORD }
    const { answer, lost } = await line.askOn('POST', '/registration', () => ({ json }))
    record.count('registrations')
    if (answer.status === 201) this.#keep(answer)
    else if (answer.status === 409 && lost) await this.logIn()
    else this.#violation(`registration is ${answer.status} ${answer.body['code']}`)
  }

  async logIn(): Promise<void> {
    const { line, record } = this.#options
    const json = { username: this.#username, password: PASSWORD }
    const { answer } = await line.askOn('POST', '/login', () => ({ json }))
    record.count('logins')
    if (answer.status === 200) this.#keep(answer)
    else this.#violation(`locked out: login is ${answer.status} ${answer.body['code']}`)
  }

  async refresh(): Promise<void> {
    const { line, record } = this.#options
    const token = this.#refresh
    const { answer } = await line.askOn('POST', '/token/refresh', () => ({ token }))
    record.count('refreshes')
    if (answer.status === 200) return this.#keep(answer)
    this.#violation(`locked out: refresh is ${answer.status} ${answer.body['code']}`)
    await this.logIn()
  }

  /** A call with the access token, after a refresh where that has expired. */
  async #asUser(method: string, path: string, options: () => object = () => ({})) {
    const ask = () =>
      this.#options.line.askOn(method, path, () => ({ ...options(), token: this.#access }))
    const first = await ask()
    if (first.answer.body['code'] !== 'token_expired') return first
    await this.refresh()
    const again = await ask()
    return { answer: again.answer, lost: first.lost || again.lost }
  }

  async upload(): Promise<void> {
    const { chance, line, record, number } = this.#options
    this.#uploads += 1
    const name = `photo-${this.#accounts}-${this.#uploads}`
    const photo = minimalPng(chance.between(8, 220), number * 10_000 + this.#uploads)
    const whole = !chance.happens(0.08)
    const sent = whole ? photo : photo.subarray(0, photo.length - 6)
    const options = () => ({ body: formOf(sent, name), headers: { 'idempotency-key': name } })
    if (chance.happens(0.04)) {
      // An app that is closed amid its upload and never comes back to it.
      this.forgotten.add(name)
      await line.ask('POST', '/file', { ...options(), token: this.#access })
      return record.count('uploads that nobody came back to')
    }
    const { answer } = await this.#asUser('POST', '/file', options)
    record.count(whole ? 'uploads' : 'damaged uploads')
    if (whole) {
      this.#keepPhoto(name, photo, answer)
      if (chance.happens(0.2)) await this.#uploadAgain(name, options)
    } else if (answer.status !== 422) this.#violation(`a damaged photo is ${answer.status}`)
  }

  /** An app that does not know that its photo was stored. */
  async #uploadAgain(name: string, options: () => object): Promise<void> {
    const { answer } = await this.#asUser('POST', '/file', options)
    this.#options.record.count('uploads again')
    const [received] = photosOf([answer.body['photo']])
    const isSame = answer.status === 200 && received?.id === this.photos.get(name)?.id
    if (!isSame) this.#violation(`upload ${name} again is ${answer.status}, another photo`)
  }

  #keepPhoto(name: string, photo: Buffer, answer: Answer): void {
    const [received] = photosOf([answer.body['photo']])
    if (received === undefined) {
      this.#violation(`upload ${name} is ${answer.status} ${answer.body['code']}`)
      return
    }
    const sha256 = createHash('sha256').update(photo).digest('hex')
    if (received.sha256 !== sha256) this.#violation(`upload ${name} has other bytes`)
    this.photos.set(name, { id: received.id, sha256 })
  }

  async deletePhoto(): Promise<void> {
    const [first, ...others] = this.photos
    if (first === undefined) return
    const [name, { id }] = this.#options.chance.one([first, ...others])
    const { answer } = await this.#asUser('DELETE', `/photos/${id}`)
    this.#options.record.count('deletions')
    if (answer.status !== 204) this.#violation(`deletion of ${name} is ${answer.status}`)
    this.photos.delete(name)
  }

  /** The bytes of one photo through its signed address, past the network that breaks. */
  async look(storageOf: (address: string) => string): Promise<void> {
    const [first, ...others] = this.photos
    if (first === undefined) return
    const [name, { id, sha256 }] = this.#options.chance.one([first, ...others])
    const { answer } = await this.#asUser('GET', `/photos/${id}/content`)
    this.#options.record.count('looks')
    if (answer.status !== 302) {
      return this.#violation(`lost: content of ${name} is ${answer.status} ${answer.body['code']}`)
    }
    const address = storageOf(answer.headers.get('location') ?? '')
    const response = await fetch(address).catch(() => undefined)
    if (response?.status !== 200) return this.#options.record.count('looks that were cut')
    const bytes = await response.arrayBuffer().catch(() => undefined)
    if (bytes === undefined) return
    const seen = createHash('sha256').update(new Uint8Array(bytes)).digest('hex')
    if (seen !== sha256) this.#violation(`${name} has other bytes`)
  }

  /** All pages of the list against what the phone knows. */
  async compare(): Promise<void> {
    const listed = await this.#list()
    if (listed === undefined) return
    this.#options.record.count('comparisons')
    const ids = new Map(listed.map(({ name, id }) => [name, id]))
    if (ids.size < listed.length) this.#violation('two photos of one key')
    for (const [name, { id }] of this.photos) {
      if (ids.get(name) !== id) this.#violation(`lost: ${name} is not listed`)
    }
    for (const name of ids.keys()) {
      const known = this.photos.has(name) || this.forgotten.has(name)
      if (!known) this.#violation(`ghost: ${name} is listed`)
    }
  }

  async #list(): Promise<readonly Listed[] | undefined> {
    const listed: Listed[] = []
    for (let more = ''; ; ) {
      const { answer } = await this.#asUser('GET', `/photos?page_size=40${more}`)
      const { photos, next_page_token: token } = answer.body
      if (answer.status !== 200 || !Array.isArray(photos)) {
        this.#violation(`the list is ${answer.status} ${answer.body['code']}`)
        return undefined
      }
      listed.push(...photosOf(photos))
      if (typeof token !== 'string') return listed
      more = `&page_token=${token}`
    }
  }

  /** Out and in again; the old tokens open nothing from then on. */
  async logOut(): Promise<void> {
    const { chance, line, record } = this.#options
    const [access, refresh] = [this.#access, this.#refresh]
    const withAccess = chance.happens(0.5)
    const path = withAccess ? '/logout/access' : '/logout/refresh'
    const token = withAccess ? access : refresh
    const { answer } = await line.askOn('POST', path, () => ({ token }))
    record.count('logouts')
    if (answer.body['code'] === 'token_expired') return
    if (answer.status !== 200) this.#violation(`logout is ${answer.status} ${answer.body['code']}`)
    const refused = await line.askOn('POST', '/token/refresh', () => ({ token: refresh }))
    if (refused.answer.status !== 401) this.#violation('a refresh after the logout is served')
    const read = await line.askOn('GET', '/account', () => ({ token: access }))
    if (read.answer.status !== 401) this.#violation('a read after the logout is served')
    await this.logIn()
  }

  async deleteAccount(): Promise<void> {
    const { line, record } = this.#options
    const json = { password: PASSWORD }
    const userId = this.userId
    const { answer, lost } = await this.#asUser('DELETE', '/account', () => ({ json }))
    const isGone = answer.status === 204 || (answer.status === 401 && lost)
    if (!isGone) this.#violation(`deletion of the account is ${answer.status}`)
    this.deletedUsers.add(userId)
    record.count('accounts deleted')
    const again = { username: this.#username, password: PASSWORD }
    const login = await line.askOn('POST', '/login', () => ({ json: again }))
    if (login.answer.status !== 401) this.#violation('a deleted account logs in')
    await this.register()
  }
}

function formOf(photo: Buffer, name: string): FormData {
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(photo)], { type: 'image/png' }), name)
  return form
}

type Listed = { readonly name: string; readonly id: string; readonly sha256: string }

/** Name, id and hash of each photo as it is answered. */
function photosOf(photos: readonly unknown[]): readonly Listed[] {
  return photos.flatMap((photo) => {
    if (typeof photo !== 'object' || photo === null) return []
    if (!('original_name' in photo && 'id' in photo && 'sha256' in photo)) return []
    const { original_name: name, id, sha256 } = photo
    return [{ name: String(name), id: String(id), sha256: String(sha256) }]
  })
}
