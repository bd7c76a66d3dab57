/**
 * Which news of one conversation are told: what goes on for as long as the keys are what they are is told once, not with every
 * message that shows it again. Who can make a thousand notices hides the one that matters.
 */
import type { SealedNews, Tell } from "./News.ts"

/** `era` names the keys as they are: what was told of others is told again of these. */
export const onceInEach = (era: () => string, tell: Tell): Tell => {
  let current = ""
  let told = new Set<string>()
  return (news) => {
    const lasting = lastingOf(news)
    if (lasting === undefined) return tell(news)
    if (era() !== current) {
      current = era()
      told = new Set()
    }
    if (told.has(lasting)) return
    told.add(lasting)
    tell(news)
  }
}

const lastingOf = (news: SealedNews): string | undefined => {
  if (news._tag === "OutOfStep") return news._tag
  return news._tag === "Withheld" && news.what !== "devices" ? news.what : undefined
}
