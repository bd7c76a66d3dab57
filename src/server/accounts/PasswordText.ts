/**
 * When two passwords are the same text, and how long one may be.
 *
 * A password is compared and hashed in the form of an OpaqueString (RFC 8265, section 4.2): every kind of space is a space
 * and letters are composed (NFC), so that it is the same on a keyboard that types `é` as one character and on one that types
 * two. Nothing else is changed: case, width and spaces at the ends count.
 */
export const minPasswordCharacters = 10
const maxPasswordCharacters = 256

/** The one form of a password. What comes from the wire is short enough to be composed (see `text` of Credentials). */
export const opaque = (password: string): string => password.replaceAll(/\p{Zs}/gu, " ").normalize("NFC")

/** What is wrong with the length of a password in its one form, in Unicode code points, if anything is. */
export const lengthIssue = (opaquePassword: string): string | undefined =>
  isBetween(opaquePassword, minPasswordCharacters, maxPasswordCharacters)
    ? undefined
    : `must have ${minPasswordCharacters} to ${maxPasswordCharacters} characters`

/** Counts code points only where UTF-16 units, of which each has one or two, leave a doubt. */
const isBetween = (text: string, minimum: number, maximum: number): boolean => {
  if (text.length < minimum || text.length > 2 * maximum) return false
  const { length } = [...text]
  return length >= minimum && length <= maximum
}
