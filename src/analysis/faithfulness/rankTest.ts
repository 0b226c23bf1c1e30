import { meanOf } from './interval.ts';

/**
 * How many of the other rankings do at least as well as the first. Each measurement ranks all of them (ties share a rank), and a
 * ranking's place is its mean rank: so a fraction at which everything falls far does not drown one at which little falls.
 * A first ranking that is itself random is beaten or equalled by each other one half of the time.
 * @param measurements [rankings, measurements]; higher is better
 */
export function countAsGood(measurements: readonly (readonly number[])[]): number {
  const columns = measurements[0]?.length ?? 0;
  const places = measurements.map((row) =>
    meanOf(
      Array.from({ length: columns }, (_, column) =>
        rankIn(
          measurements.map((other) => other[column] as number),
          row[column] as number,
        ),
      ),
    ),
  );
  const [own, ...others] = places;
  return others.filter((place) => place >= (own ?? 0) - 1e-12).length;
}

/** Values below count one, equal ones a half. */
function rankIn(values: readonly number[], value: number): number {
  return values.reduce((rank, other) => rank + (other < value ? 1 : other === value ? 0.5 : 0), 0);
}
