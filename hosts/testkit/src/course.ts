/** Properties over courses of events that are drawn: one that fails names its seed. */
import { BackplaneError } from '@backplane/slots';

/** @throws BackplaneError `NOT_CONFORMING` with the seed, where the body throws */
export function eachCourse(courses: number, body: (seed: number) => void): void {
  for (let seed = 1; seed <= courses; seed++) {
    try {
      body(seed);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const failed = new BackplaneError(
        'NOT_CONFORMING',
        { seed },
        `seed ${seed}: ${text}`,
        'The same seed gives the same events.',
      );
      failed.cause = error;
      throw failed;
    }
  }
}
