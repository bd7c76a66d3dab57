/**
 * Which rows of `messages` stand in a page of history, as SQL says it: the same words as in the partial indices that find them, or
 * SQLite does not use those. A kind that is added later needs a new index (see Migrations).
 */

const acts = "'TopicSet', 'RoleSet', 'AccessSet', 'Invited', 'Kicked', 'Banned', 'Unbanned', 'Muted', 'Unmuted'"

/** Messages, and what is left of them. */
export const areMessages = "kind IN ('Said', 'Tombstone')"
/** Messages that only devices can read, of encrypted rooms: an index of their own, which is empty where there are none. */
export const areSealed = "kind = 'Sealed'"
/** Of those, what was not kept from whoever else is in the conversation, who had blocked the sender. */
export const areHeard = `instr(content, '"unheard":true') = 0`
/** What was done to a room, and deletions by others than the author. */
export const areModeration = `(kind IN (${acts}) OR kind = 'Deleted' AND instr(content, '"moderated":true') > 0)`
/** What was done to a room. */
export const areActs = `${areModeration} AND kind <> 'Deleted'`
