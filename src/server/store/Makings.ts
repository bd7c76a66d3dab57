/** Tables and triggers, by the number of the migration that makes them: without one of them nothing is to be stored. */
export const makings: ReadonlyArray<{
  readonly since: number
  readonly kind: "table" | "trigger"
  readonly name: string
}> = [
  { since: 1, kind: "table", name: "incarnation" },
  { since: 1, kind: "table", name: "conversations" },
  { since: 1, kind: "table", name: "messages" },
  { since: 2, kind: "trigger", name: "conversation_removed" },
  { since: 3, kind: "table", name: "standing" },
  { since: 3, kind: "table", name: "reactors" },
  { since: 3, kind: "table", name: "erasures" },
  { since: 4, kind: "table", name: "answered_keys" },
  { since: 5, kind: "table", name: "accounts" },
  { since: 5, kind: "table", name: "devices" },
  { since: 5, kind: "table", name: "keys" },
  { since: 5, kind: "table", name: "invites" },
  { since: 6, kind: "table", name: "memberships" },
  { since: 6, kind: "table", name: "marks" },
  { since: 8, kind: "table", name: "governance" },
  { since: 9, kind: "table", name: "blocks" },
  { since: 10, kind: "table", name: "reports" },
  { since: 11, kind: "table", name: "bounds" },
  { since: 12, kind: "table", name: "device_entries" },
  { since: 12, kind: "table", name: "key_packages" },
  { since: 12, kind: "table", name: "intervals" },
  { since: 12, kind: "table", name: "welcomes" },
  { since: 12, kind: "table", name: "welcomed" }
]
