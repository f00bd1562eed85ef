/** The API as this page uses it: tokens in memory only, one refresh at a time, problems as errors with their text. */

let tokens
let refreshing
let links
let signedOut = () => undefined

export class Problem extends Error {
  constructor(body, response) {
    super(body.detail ?? body.title ?? 'Something went wrong')
    this.code = body.code
    this.errors = body.errors ?? []
    this.signInAgain = body.sign_in_again === true
    this.retryAfter = Number(response.headers.get('retry-after') ?? '0')
    if (this.errors.length > 0) {
      this.message = this.errors.map(({ field, message }) => `${field} ${message}`).join('; ')
    }
  }
}

/** Called whenever only a new sign-in helps. */
export function onSignedOut(listener) {
  signedOut = listener
}

export function forget() {
  tokens = undefined
}

/** Addresses of the endpoints, asked once. */
async function addressOf(name) {
  if (links === undefined) {
    const response = await fetch('/', { headers: { accept: 'application/json' } })
    links = (await response.json()).links
  }
  return links[name]
}

async function read(response) {
  if (response.status === 204) return {}
  const body = await response.json()
  if (!response.ok) throw new Problem(body, response)
  return body
}

async function reach(address, options) {
  try {
    return await fetch(address, options)
  } catch (error) {
    throw new Error('There is no connection to the server. Try again.', { cause: error })
  }
}

function jsonRequest(method, body) {
  if (body === undefined) return { method, headers: {} }
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Registration or login; keeps the tokens of the answer. */
export async function signIn(name, credentials) {
  const response = await reach(await addressOf(name), jsonRequest('POST', credentials))
  tokens = await read(response)
}

async function exchange() {
  const body = { refresh_token: tokens.refresh_token }
  const response = await reach(await addressOf('refresh'), jsonRequest('POST', body))
  tokens = { ...tokens, ...(await read(response)) }
}

/** One refresh for all calls that wait for it. */
async function refreshOnce() {
  refreshing ??= exchange().finally(() => {
    refreshing = undefined
  })
  await refreshing
}

function endOn(problem) {
  if (problem.signInAgain) {
    forget()
    signedOut()
  }
  return problem
}

/** A call with the access token; refreshes it once where it has expired. */
export async function call(name, { path = '', method = 'GET', body, accept, key } = {}) {
  const address = `${await addressOf(name)}${path}`
  const send = async () => {
    const request = jsonRequest(method, body)
    request.headers.authorization = `Bearer ${tokens?.access_token}`
    if (accept !== undefined) request.headers.accept = accept
    if (key !== undefined) request.headers['idempotency-key'] = key
    return await read(await reach(address, request))
  }
  try {
    try {
      return await send()
    } catch (error) {
      if (error.code !== 'token_expired' && error.code !== 'token_invalid') throw error
      await refreshOnce()
      return await send()
    }
  } catch (error) {
    throw error instanceof Problem ? endOn(error) : error
  }
}

function transfer(address, file, key, onProgress) {
  const { promise, resolve, reject } = Promise.withResolvers()
  const request = new XMLHttpRequest()
  request.open('POST', address)
  request.responseType = 'json'
  request.setRequestHeader('authorization', `Bearer ${tokens?.access_token}`)
  request.setRequestHeader('idempotency-key', key)
  request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded / total))
  request.addEventListener('error', () => reject(new Error('The connection was lost. Try again.')))
  request.addEventListener('load', () => {
    const headers = { get: (name) => request.getResponseHeader(name) }
    if (request.status < 300)
      resolve({ photo: request.response.photo, limit: headers.get('ratelimit') })
    else reject(new Problem(request.response ?? {}, { headers }))
  })
  const body = new FormData()
  body.append('file', file, file.name)
  request.send(body)
  return promise
}

/** Uploads one photo; the key makes a repeat after a lost answer the same photo. */
export async function upload(file, key, onProgress) {
  const address = await addressOf('upload')
  try {
    try {
      return await transfer(address, file, key, onProgress)
    } catch (error) {
      if (error.code !== 'token_expired' && error.code !== 'token_invalid') throw error
      await refreshOnce()
      return await transfer(address, file, key, onProgress)
    }
  } catch (error) {
    throw error instanceof Problem ? endOn(error) : error
  }
}
