import { call } from './api.js'
import { ask, element, notice, time } from './dom.js'

function row(user) {
  return element(
    'tr',
    {},
    element('td', {}, user.username),
    element('td', {}, user.role),
    element('td', {}, time(user.created_at)),
    element('td', {}, String(user.photo_count)),
  )
}

async function removeAll(reload) {
  const counted = await call('users', { path: '?dry_run=true', method: 'DELETE' })
  const sure = await ask({
    title: `Delete ${counted.users} users?`,
    text: `With ${counted.sessions} sessions and ${counted.photos} photos. Your own account stays. There is no way back.`,
    action: 'Delete them all',
    check: async () => {
      const done = await call('users', { method: 'DELETE' })
      notice(
        done.finished === false ? 'All are refused now; the rest is being removed.' : done.message,
      )
    },
  })
  if (sure) reload()
}

/** All users, for admins. */
export function usersView() {
  const body = element('tbody')
  const more = element('button', { type: 'button', class: 'quiet', hidden: true }, 'Show more')
  let next
  const page = async () => {
    const token = next === undefined ? '' : `&page_token=${encodeURIComponent(next)}`
    const answer = await call('users', { path: `?page_size=50${token}` })
    body.append(...answer.users.map(row))
    next = answer.next_page_token
    more.hidden = next === undefined
  }
  const load = () => page().catch((error) => notice(error.message))
  const reload = () => {
    next = undefined
    body.replaceChildren()
    void load()
  }
  more.addEventListener('click', load)
  void load()
  const headings = ['Username', 'Role', 'Since', 'Photos'].map((text) =>
    element('th', { scope: 'col' }, text),
  )
  const remove = () => removeAll(reload).catch((error) => notice(error.message))
  return element(
    'section',
    { class: 'card', 'aria-labelledby': 'users-title' },
    element('h1', { id: 'users-title' }, 'Users'),
    element(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Table of users' },
      element('table', {}, element('thead', {}, element('tr', {}, ...headings)), body),
    ),
    element(
      'p',
      { class: 'row' },
      more,
      element(
        'button',
        { type: 'button', class: 'quiet danger', onclick: remove },
        'Delete all users',
      ),
    ),
  )
}
