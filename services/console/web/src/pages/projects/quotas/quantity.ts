/** Amounts as Kubernetes writes them (`250m`, `1Gi`) as numbers. Pure. */
const FACTORS: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** NaN for what is no amount. */
export function amountOf(text: string): number {
  const found = /^([+-]?[\d.]+(?:e[+-]?\d+)?)([A-Za-z]{0,2})$/.exec(text);
  const factor = FACTORS[found?.[2] ?? ''];
  return found?.[1] === undefined || factor === undefined ? Number.NaN : Number(found[1]) * factor;
}

/** How much of `hard` is used, from 0 to 1 and beyond. */
export function shareOf(used: string, hard: string): number {
  const [part, whole] = [amountOf(used), amountOf(hard)];
  if (whole === 0) return part > 0 ? Number.POSITIVE_INFINITY : 1;
  return part / whole;
}
