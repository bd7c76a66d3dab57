/**
 * Facts about the whole server as they happen, for whoever wants to know: the lobby, which tells everybody of new rooms; audit,
 * bots and metrics one day.
 *
 * Without a bound, since a publisher must not wait; so a subscriber must not wait either, and the PubSub holds what is
 * published between two turns of the event loop.
 */
import { Context, Layer, PubSub } from "effect"
import type { Announcement } from "./Announcement.ts"

export class Announcements extends Context.Service<Announcements, PubSub.PubSub<Announcement>>()(
  "parley/server/presence/Announcements"
) {
  static readonly layer = Layer.effect(Announcements, PubSub.unbounded<Announcement>())
}
