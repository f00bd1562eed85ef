/** The files of the console page, read once at start; the build puts them into the bundle instead. */
import { readFileSync } from 'node:fs'

export type Asset = { readonly content: Buffer; readonly contentType: string }

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  png: 'image/png',
  json: 'application/json',
}

export const ASSET_FILES = [
  'index.html',
  'console.css',
  'icon.png',
  'openapi.json',
  'console.js',
  'account.js',
  'api.js',
  'devices.js',
  'dom.js',
  'large.js',
  'photos.js',
  'sign-in.js',
  'uploads.js',
  'users.js',
] as const

function readAsset(name: string): Asset {
  const contentType = TYPES[name.slice(name.lastIndexOf('.') + 1)]
  if (contentType === undefined) throw new TypeError(`${name} has no known type`)
  return { content: readFileSync(new URL(name, import.meta.url)), contentType }
}

/** File name to its content and media type. */
export const assets: ReadonlyMap<string, Asset> = new Map(
  ASSET_FILES.map((name) => [name, readAsset(name)]),
)
