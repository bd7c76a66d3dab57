/** The order in which databases sort texts: by code points, which is also that of their bytes in UTF-8. */
import { Buffer } from "node:buffer"

export const byCodePoints = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other))
