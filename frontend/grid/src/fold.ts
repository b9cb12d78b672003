// Folds text for comparison with names, close to db/folding.py: without case and accents.

const SPECIAL_LETTERS: Record<string, string> = { ł: "l", ø: "o", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ß: "ss", ı: "i", ħ: "h" };

/** The text without case, accents and spaces around it. */
export function fold(text: string): string {
  const plain = text.trim().toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  return plain.replace(/[łøđðþæœßıħ]/g, (letter) => SPECIAL_LETTERS[letter] ?? letter).replaceAll("ς", "σ").normalize("NFC");
}
