/** The console: which section is shown, and what happens when the session ends. */
import { accountView } from './account.js'
import { call, forget, onSignedOut } from './api.js'
import { devicesView } from './devices.js'
import { byId, element, notice } from './dom.js'
import { photosView } from './photos.js'
import { signInView } from './sign-in.js'
import { usersView } from './users.js'

const SECTIONS = [
  { name: 'Photos', view: photosView },
  { name: 'Devices', view: devicesView },
  { name: 'Account', view: () => accountView(leave) },
  { name: 'Users', view: usersView, role: 'admin' },
]

function show(...children) {
  byId('main').replaceChildren(...children)
}

function openSection(section, buttons) {
  for (const [button, of] of buttons) {
    if (of === section) button.setAttribute('aria-current', 'page')
    else button.removeAttribute('aria-current')
  }
  show(section.view())
}

async function enter() {
  const account = await call('account')
  const sections = SECTIONS.filter(({ role }) => role === undefined || role === account.role)
  const buttons = sections.map((section) => [
    element(
      'button',
      { type: 'button', onclick: () => openSection(section, buttons) },
      section.name,
    ),
    section,
  ])
  byId('tabs').replaceChildren(...buttons.map(([button]) => button))
  byId('who').textContent = account.username
  for (const id of ['tabs', 'who', 'sign-out']) byId(id).hidden = false
  openSection(sections[0], buttons)
  byId('main').focus()
}

function leave(text) {
  forget()
  for (const id of ['tabs', 'who', 'sign-out']) byId(id).hidden = true
  for (const id of ['lightbox', 'question']) byId(id).close()
  show(signInView(enter))
  if (text !== undefined) notice(text)
}

byId('sign-out').addEventListener('click', async () => {
  try {
    await call('logout_access', { method: 'POST' })
    leave('Signed out.')
  } catch (error) {
    notice(error.message)
  }
})
onSignedOut(() => leave('Your session has ended. Sign in again.'))
leave()
