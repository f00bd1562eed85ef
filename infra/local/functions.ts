/** Loads every function that `npm start` routes; `sweep` is private to the scheduler and stays out. */

/** Registers the functions; their settings must be in the environment before. */
export async function loadFunctions(): Promise<void> {
  await Promise.all([
    import('../../functions/welcome.ts'),
    import('../../functions/register.ts'),
    import('../../functions/login.ts'),
    import('../../functions/refresh.ts'),
    import('../../functions/logout-access.ts'),
    import('../../functions/logout-refresh.ts'),
    import('../../functions/users.ts'),
    import('../../functions/upload.ts'),
    import('../../functions/uploads.ts'),
    import('../../functions/photos.ts'),
    import('../../functions/sessions.ts'),
    import('../../functions/account.ts'),
    import('../../functions/jwks.ts'),
  ])
}
