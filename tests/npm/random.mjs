// Numbers that a seed decides, for the tests of chance.

/** Whole numbers below `n`, the same for the same seed. */
export const random = seed => n => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
  return (seed >> 8) % n
}
