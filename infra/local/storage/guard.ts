import { type Call, header } from './call.ts'
import { StorageError } from './errors.ts'

const LOOPBACK_NAME = /^(127\.\d+\.\d+\.\d+|\[::1\]|([\w-]+\.)*localhost)(:\d+)?$/i

/**
 * This server asks nobody who he is, so it must not be reachable for web pages: a name that was
 * rebound to 127.0.0.1 is refused by its `Host`, and the JSON side also by what browsers say about
 * the page (Fetch Metadata). Signed addresses and upload sessions are made for browsers.
 */
export function refuseWebPages(call: Call, isJson: boolean): void {
  const host = header(call, 'host')
  if (host !== undefined && !LOOPBACK_NAME.test(host)) {
    throw new StorageError('denied', `This server is not called ${host}.`)
  }
  const site = header(call, 'sec-fetch-site') ?? 'none'
  if (isJson && site !== 'none' && site !== 'same-origin') {
    throw new StorageError('denied', 'The JSON API is not for web pages.')
  }
}
