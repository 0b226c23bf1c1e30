/**
 * Passes on what falls on thought tokens until everything is on the prompt. With P the shares on the prompt and R those on earlier
 * thoughts, origins = P + R · origins; R is strictly lower triangular, so one row after another solves it.
 * @param rows [thoughts + 1][prompt tokens + thoughts], sizes, not negative: thought k may depend on the prompt and the thoughts before it;
 * the last row is the answer's
 * @returns origins: [thoughts + 1][prompt tokens], each row adding up to 1 (to 0 where nothing depends on anything); direct: how much of
 * the answer's row lies on the prompt itself
 */
export function throughThoughts(
  rows: readonly ArrayLike<number>[],
  promptLength: number,
): { readonly origins: Float64Array[]; readonly direct: number } {
  const origins: Float64Array[] = [];
  let direct = 1;
  for (const row of rows) {
    const visible = promptLength + origins.length;
    let total = 0;
    for (let at = 0; at < visible; at++) total += row[at] as number;
    const share = (at: number) => (total > 0 ? (row[at] as number) / total : 0);
    const origin = Float64Array.from({ length: promptLength }, (_, at) => share(at));
    direct = total > 0 ? origin.reduce((sum, part) => sum + part, 0) : 1;
    origins.forEach((earlier, thought) => {
      const passed = share(promptLength + thought);
      earlier.forEach((part, at) => {
        origin[at] = (origin[at] as number) + passed * part;
      });
    });
    origins.push(origin);
  }
  return { origins, direct };
}
