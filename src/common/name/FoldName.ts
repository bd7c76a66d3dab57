/** What two spellings of one name share (see `nameKey`). Free of imports, for SQLite's threads load it. */

/**
 * Upper-casing in between maps what plain lower-casing keeps apart ("ß" and "ss", the two Greek sigmas, the dotless i) to one
 * spelling, and lower-casing first what plain upper-casing keeps apart ("ẞ" and "ß"); normalising again afterwards undoes
 * what the case mapping may have taken apart. Called in SQL as well.
 */
export const foldName = (name: string): string => name.toLowerCase().toUpperCase().toLowerCase().normalize("NFKC")
