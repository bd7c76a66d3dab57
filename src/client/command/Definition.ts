/** What a command is, and how one is defined: its parameters are fields of a schema, which says what a word may be. */
import { Result, Schema, SchemaAST, type SchemaIssue } from "effect"
import type { Action } from "./Action.ts"
import type { Kind, Parameter } from "./Parameter.ts"

export interface Command {
  readonly name: string
  /** In the order in which they are typed. */
  readonly parameters: ReadonlyArray<Parameter>
  readonly summary: string
  readonly example: string
  /** What else `:help` tells of this one. */
  readonly notes: ReadonlyArray<string>
  /** What other programs call it: never understood, only suggested. */
  readonly alsoKnownAs: ReadonlyArray<string>
  readonly read: (words: Readonly<Record<string, string>>) => Result.Result<Action, SchemaIssue.Issue>
}

export const define = <Arguments>(definition: {
  readonly name: string
  readonly parameters: Schema.ConstraintDecoder<Arguments> & {
    readonly fields: Readonly<Record<string, Schema.Constraint>>
  }
  /** Of those that are not just a word. */
  readonly kinds?: { readonly [Name in keyof Arguments]?: Kind }
  readonly summary: string
  readonly example: string
  readonly notes?: ReadonlyArray<string>
  readonly alsoKnownAs?: ReadonlyArray<string>
  readonly action: (given: Arguments) => Action
}): Command => {
  const decode = Schema.decodeUnknownResult(definition.parameters)
  const kinds = new Map<string, Kind | undefined>(Object.entries<Kind | undefined>(definition.kinds ?? {}))
  return {
    name: definition.name,
    parameters: Object.entries(definition.parameters.fields).map(([name, { ast }]) => ({
      name,
      kind: kinds.get(name) ?? "word",
      isOptional: SchemaAST.isOptional(ast)
    })),
    summary: definition.summary,
    example: definition.example,
    notes: definition.notes ?? [],
    alsoKnownAs: definition.alsoKnownAs ?? [],
    read: (words) =>
      decode(words).pipe(
        Result.map(definition.action),
        Result.mapError(({ issue }) => issue)
      )
  }
}

export const nothing = Schema.Struct({})
