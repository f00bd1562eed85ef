/** The console page as HTTP replies, with its own strict Content-Security-Policy (HTTP-04). */
import type { Reply } from '../http/endpoint.ts'
import { type Asset, assets } from './assets.ts'

/** Where photos are shown from and large ones sent to when deployed; a local run has its own bucket server. */
const PRODUCTION_STORAGE = 'https://storage.googleapis.com'

function originsOf(links: Readonly<Record<string, string>>): readonly string[] {
  return [...new Set(Object.values(links).map((address) => new URL(address).origin))]
}

function policy(links: Readonly<Record<string, string>>, storageOrigin: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' ${storageOrigin}`,
    ["connect-src 'self'", ...originsOf(links), storageOrigin].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function replyOf(asset: Asset, headers: Readonly<Record<string, string>>): Reply {
  return { status: 200, content: asset.content, contentType: asset.contentType, headers }
}

/** The page; its script may call the linked endpoints and the bucket, nothing else. */
export function pageReply(links: Readonly<Record<string, string>>, localStorageUrl: string): Reply {
  const page = assets.get('index.html')
  if (page === undefined) throw new TypeError('the console page is missing')
  const storageOrigin =
    localStorageUrl === '' ? PRODUCTION_STORAGE : new URL(localStorageUrl).origin
  return replyOf(page, {
    'Content-Security-Policy': policy(links, storageOrigin),
    Vary: 'Accept',
  })
}

/** A script, style or icon of the page, or undefined for any other name. */
export function assetReply(name: string): Reply | undefined {
  const asset = assets.get(name)
  if (asset === undefined || name === 'index.html') return undefined
  return replyOf(asset, { 'Cache-Control': 'public, max-age=300' })
}
