import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import { makings } from "../../../src/server/store/Makings.ts"
import { migrate, migrations } from "../../../src/server/store/Migrations.ts"

const names = Object.keys(migrations)

describe("The list of what migrations make", () => {
  it.effect.each(names.map((_, index) => index + 1))("has all that there is once %i of them are done", (count) =>
    Effect.gen(function* () {
      const sql = yield* SqliteClient.make({ filename: ":memory:" })
      const first = Object.fromEntries(Object.entries(migrations).slice(0, count))
      yield* Effect.provideService(migrate(first), SqlClient.SqlClient, sql)
      const made = yield* sql`
        SELECT type || ' ' || name FROM sqlite_schema
        WHERE type IN ('table', 'trigger') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'effect_sql_migrations'`
        .values
      assert.sameMembers(
        made.flat(),
        makings.filter(({ since }) => since <= count).map(({ kind, name }) => `${kind} ${name}`)
      )
    })
  )
})
