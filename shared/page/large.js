/** Large photos, straight into the bucket; begun again with the same key, they go on where they were. */
import { call, upload } from './api.js'

/** From here on a photo takes this way; below it, too, where the server's own limit is lower. */
const LARGE_BYTES = 16 * 1024 * 1024

/** How many bytes have arrived, from an answer of the upload session. */
function arrived(request, total) {
  if (request.status === 200 || request.status === 201) return total
  if (request.status !== 308) throw new Error('The bucket did not take the photo. Try again.')
  const [, last] = /-(\d+)$/.exec(request.getResponseHeader('range') ?? '') ?? []
  return last === undefined ? 0 : Number(last) + 1
}

/** Sends a part, or asks; by XMLHttpRequest, since fetch does not tell how far it is. */
async function put(url, body, range, onProgress) {
  const { promise, resolve, reject } = Promise.withResolvers()
  const request = new XMLHttpRequest()
  request.open('PUT', url)
  request.setRequestHeader('content-range', `bytes ${range}`)
  if (onProgress !== undefined) request.upload.addEventListener('progress', onProgress)
  request.addEventListener('error', () => reject(new Error('The connection was lost. Try again.')))
  request.addEventListener('load', () => resolve(request))
  request.send(body)
  return await promise
}

async function uploadLarge(file, key, onProgress) {
  const total = file.size
  // A system that does not know HEIC gives no type; the server goes by the bytes anyway.
  const announced = {
    content_type: file.type || 'image/jpeg',
    bytes: total,
    original_name: file.name,
  }
  const { id, upload_url: url } = await call('uploads', { method: 'POST', body: announced, key })
  const at = arrived(await put(url, '', `*/${total}`), total)
  if (at < total) {
    const range = `${at}-${total - 1}/${total}`
    const told = ({ loaded }) => onProgress((at + loaded) / total)
    arrived(await put(url, file.slice(at), range, told), total)
  }
  return await call('uploads', { path: `/${id}/complete`, method: 'POST' })
}

/** Uploads a photo of any size; `limit` is known only of small ones. */
export async function uploadPhoto(file, key, onProgress) {
  if (file.size > LARGE_BYTES) return await uploadLarge(file, key, onProgress)
  try {
    return await upload(file, key, onProgress)
  } catch (error) {
    if (error.code !== 'photo_too_large') throw error
    return await uploadLarge(file, key, onProgress)
  }
}
