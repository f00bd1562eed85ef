/** What an account may do; stored in `users/{id}.role` and read on each call (AZ-01). */
export const ROLES = ['user', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** Who is calling, as Firestore knows them at the time of the call; made by `shared/caller.ts`. */
export type Caller = {
  readonly userId: string
  readonly username: string
  readonly role: Role
  readonly sessionId: string
  /** When this session's password was given (claim `auth_time`). */
  readonly authTime: Date
  /** Firestore's time of the read that found the session: the clock for limits and ages (RL-03). */
  readonly readAt: Date
}
