// Exact arithmetic with decimal strings: whole numbers of the smallest unit, never binary floats.

interface Scaled {
  units: bigint;
  scale: number;
}

function parse(text: string): Scaled {
  const [whole = "0", fraction = ""] = text.split(".");
  return { units: BigInt(whole + fraction), scale: fraction.length };
}

const power = (scale: number): bigint => 10n ** BigInt(scale);

function write({ units, scale }: Scaled): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const sign = units < 0n ? "-" : "";
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The sum of decimal strings. */
export function sum(texts: readonly string[]): string {
  return write(total(texts));
}

function total(texts: readonly string[]): Scaled {
  const numbers = texts.map(parse);
  const scale = numbers.reduce((most, number) => Math.max(most, number.scale), 0);
  return { units: numbers.reduce((units, number) => units + number.units * power(scale - number.scale), 0n), scale };
}

/** The average of decimal strings with two more decimals, rounded half away from zero as the server rounds. */
export function average(texts: readonly string[]): string {
  const { units, scale } = total(texts);
  const [scaled, count] = [units * 100n, BigInt(texts.length)];
  const [size, isNegative] = [scaled < 0n ? -scaled : scaled, scaled < 0n];
  const rounded = (2n * size + count) / (2n * count);
  return write({ units: isNegative ? -rounded : rounded, scale: scale + 2 });
}

/** Negative where the first number is smaller, positive where it is larger, and 0 where both are equal. */
export function compare(first: string, second: string): number {
  const [a, b] = [parse(first), parse(second)];
  const scale = Math.max(a.scale, b.scale);
  const difference = a.units * power(scale - a.scale) - b.units * power(scale - b.scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
