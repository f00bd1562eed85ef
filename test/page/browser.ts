/** A real Chromium for the console's tests, or the reason why there is none. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const PLACES = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
]

export const chromiumPath = PLACES.find((place) => place !== undefined && existsSync(place))

if (chromiumPath === undefined) {
  process.stderr.write('console tests skipped: no Chromium found; set CHROMIUM_PATH to run them\n')
}

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: chromiumPath ?? '', args: QUIET })
}

export type Watched = {
  readonly page: Page
  /** Console errors, uncaught exceptions and policy violations so far. */
  readonly complaints: readonly string[]
}

/** What the network says of a refused call is the browser's own line, not the page's. */
const NETWORK_LINE = /^Failed to load resource: the server responded with a status of 4\d\d/

/** A page that keeps everything it complains about. */
export async function openPage(
  browser: Browser,
  options: { readonly width?: number; readonly height?: number; readonly dark?: boolean } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1200, height: options.height ?? 900 },
    colorScheme: options.dark === true ? 'dark' : 'light',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    const text = message.text()
    if (message.type() === 'error' && !NETWORK_LINE.test(text)) complaints.push(text)
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  return { page, complaints }
}
