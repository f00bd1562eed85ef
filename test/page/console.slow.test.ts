import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type App, randomName, startApp } from '../app.ts'
import { startNode } from '../processes.ts'
import { test } from '../with-app.ts'
import { chromiumPath, openBrowser, openPage } from './browser.ts'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const SHOTS = 'test-results/console'
const PHOTOS = [
  'camera-iphone-4s.jpg',
  'camera-canon-s40.jpg',
  'ffmpeg-animated-plain.gif',
  'cwebp-lossy-everything.webp',
].map((name) => `test/image/fixtures/${name}`)

async function signUp(page: Page, url: string, username = randomName()): Promise<string> {
  await page.goto(url)
  await page.getByRole('button', { name: 'Create an account' }).click()
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill('correct horse battery')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name: 'Photos' }).waitFor()
  return username
}

async function upload(page: Page, files: readonly string[]): Promise<void> {
  await page.locator('input[type=file]').setInputFiles([...files])
  await page
    .locator('.gallery li')
    .nth(files.length - 1)
    .waitFor()
}

async function shot(page: Page, name: string): Promise<void> {
  await mkdir(SHOTS, { recursive: true })
  await page.screenshot({ path: `${SHOTS}/${name}.png` })
}

/** Rules of WCAG that axe finds broken, as `rule: selector`. */
async function barriers(page: Page): Promise<unknown> {
  await page.evaluate(await readFile(AXE, 'utf8'))
  return await page.evaluate(
    'axe.run().then(({ violations }) => violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target).join(" ")))',
  )
}

describe.skipIf(chromiumPath === undefined)('the console', () => {
  let browser: Browser
  let own: App
  beforeAll(async () => {
    browser = await openBrowser()
    own = await startApp({ env: { UPLOAD_LIMIT: '4/minute' } })
  })
  afterAll(async () => {
    await browser?.close()
    await own?.close()
  })

  test('a newcomer signs up, uploads photos, looks at one and deletes it', async () => {
    const { page, complaints } = await openPage(browser)
    await signUp(page, own.url)
    await upload(page, PHOTOS)
    await expect
      .poll(() =>
        page
          .locator('.gallery img')
          .evaluateAll(
            (all) =>
              all.filter((one) => 'naturalWidth' in one && Number(one.naturalWidth) > 0).length,
          ),
      )
      .toBe(4)
    await shot(page, 'gallery')
    expect(await barriers(page)).toEqual([])

    await page.locator('.gallery button').first().click()
    await page.getByRole('button', { name: 'Next' }).click()
    await expect
      .poll(() =>
        page.locator('#lightbox img').evaluate((one) => 'naturalWidth' in one && one.naturalWidth),
      )
      .toBe(96)
    await shot(page, 'lightbox')
    expect(await barriers(page)).toEqual([])
    await page.locator('#lightbox').getByRole('button', { name: 'Delete' }).click()
    await page.locator('#question').getByRole('button', { name: 'Delete' }).click()
    await expect.poll(() => page.locator('.gallery li').count()).toBe(3)
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('a photo over the limit of one request goes straight into the bucket', async () => {
    const { page, complaints } = await openPage(browser)
    await signUp(page, own.url)
    const photo = await readFile(PHOTOS[0] ?? '')
    const buffer = Buffer.concat([photo, Buffer.alloc(21 * 1024 * 1024)])
    const sent: string[] = []
    page.on('request', (request) => sent.push(`${request.method()} ${new URL(request.url()).port}`))

    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'panorama.jpg', mimeType: 'image/jpeg', buffer })
    await page.locator('.gallery li').first().waitFor()

    await page.getByText('Uploaded.').waitFor()
    const port = new URL(own.url).port
    expect(sent.filter((line) => line.startsWith('PUT') && !line.endsWith(port))).toHaveLength(2)
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('the limit is said in words with the time to wait', async () => {
    const { page, complaints } = await openPage(browser, { width: 390, height: 800, dark: true })
    await signUp(page, own.url)
    await page.locator('input[type=file]').setInputFiles([...PHOTOS, PHOTOS[0] ?? ''])

    await page.getByText(/Too many uploads .* Possible again in \d+ s/).waitFor()

    await shot(page, 'limit-phone-dark')
    expect(await barriers(page)).toEqual([])
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('devices are listed and others signed out, which sends them to the sign-in', async () => {
    const first = await openPage(browser)
    const username = await signUp(first.page, own.url)
    const second = await openPage(browser)
    await second.page.goto(own.url)
    await second.page.getByLabel('Username').fill(username)
    await second.page.getByLabel('Password').fill('correct horse battery')
    await second.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await second.page.getByRole('button', { name: 'Devices' }).click()
    await expect.poll(() => second.page.locator('tbody tr').count()).toBe(2)
    await shot(second.page, 'devices')
    expect(await barriers(second.page)).toEqual([])

    await second.page.getByRole('button', { name: 'Sign out all others' }).click()
    await second.page.getByRole('button', { name: 'Sign them out' }).click()
    await expect.poll(() => second.page.locator('tbody tr').count()).toBe(1)
    await first.page.getByRole('button', { name: 'Account' }).click()

    await first.page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect([...first.complaints, ...second.complaints]).toEqual([])
    await first.page.context().close()
    await second.page.context().close()
  })

  test('the password is changed and the account deleted', async () => {
    const { page, complaints } = await openPage(browser)
    await signUp(page, own.url)
    await page.getByRole('button', { name: 'Account' }).click()
    await page.getByLabel('Current password').fill('correct horse battery')
    await page.getByLabel('New password').fill('an even better secret')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('Password changed').waitFor()
    await shot(page, 'account')
    expect(await barriers(page)).toEqual([])

    await page.getByRole('button', { name: 'Delete account' }).click()
    await page.locator('#question').getByLabel('Password').fill('wrong password')
    await page.getByRole('button', { name: 'Delete everything' }).click()
    await page.getByRole('alert').filter({ hasText: /.+/ }).waitFor()
    await page.locator('#question').getByLabel('Password').fill('an even better secret')
    await page.getByRole('button', { name: 'Delete everything' }).click()

    await page.getByText('Your account is deleted.').waitFor()
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('an admin sees the users and what deleting them would remove', async () => {
    const { page, complaints } = await openPage(browser)
    const username = await signUp(page, own.url)
    const grant = startNode(['infra/run.js', 'admin', 'grant', username], {
      WOWMEDIA_DATA_DIR: own.dataDir,
    })
    expect(await grant.ended).toBe(0)
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.getByLabel('Username').fill(username)
    await page.getByLabel('Password').fill('correct horse battery')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('button', { name: 'Users' }).click()
    await page.getByRole('cell', { name: username }).waitFor()
    await shot(page, 'users')
    expect(await barriers(page)).toEqual([])

    await page.getByRole('button', { name: 'Delete all users' }).click()
    await page.getByRole('heading', { name: /Delete \d+ users/ }).waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()

    expect(complaints).toEqual([])
    await page.context().close()
  })
})
