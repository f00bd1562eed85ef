import { call } from './api.js'
import { ask, element, notice, time } from './dom.js'

function row(session, reload) {
  const end = async () => {
    await call('sessions', { path: `/${session.id}`, method: 'DELETE' })
    notice('That device is signed out.')
    reload()
  }
  return element(
    'tr',
    {},
    element(
      'td',
      {},
      session.name ?? 'Unnamed device',
      ' ',
      session.current ? element('span', { class: 'tag' }, 'this one') : undefined,
    ),
    element('td', {}, time(session.last_used_at)),
    element('td', {}, session.address ?? ''),
    element(
      'td',
      {},
      session.current
        ? ''
        : element(
            'button',
            {
              type: 'button',
              class: 'quiet',
              onclick: () => end().catch((error) => notice(error.message)),
            },
            'Sign out',
          ),
    ),
  )
}

async function endOthers(reload) {
  const sure = await ask({
    title: 'Sign out all other devices?',
    text: 'They are signed out at once. This one stays signed in.',
    action: 'Sign them out',
    check: () => call('sessions', { path: '?except=current', method: 'DELETE' }),
  })
  if (sure) reload()
}

/** Where this account is signed in. */
export function devicesView() {
  const body = element('tbody')
  const reload = async () => {
    const { sessions } = await call('sessions')
    body.replaceChildren(...sessions.map((session) => row(session, load)))
  }
  const load = () => reload().catch((error) => notice(error.message))
  void load()
  const headings = ['Device', 'Last used', 'Network', ''].map((text) =>
    text === '' ? element('td') : element('th', { scope: 'col' }, text),
  )
  return element(
    'section',
    { class: 'card', 'aria-labelledby': 'devices-title' },
    element('h1', { id: 'devices-title' }, 'Devices'),
    element('p', { class: 'soft' }, 'Where your account is signed in.'),
    element(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Table of devices' },
      element('table', {}, element('thead', {}, element('tr', {}, ...headings)), body),
    ),
    element(
      'p',
      { class: 'row' },
      element(
        'button',
        { type: 'button', class: 'quiet danger', onclick: () => endOthers(load) },
        'Sign out all others',
      ),
    ),
  )
}
