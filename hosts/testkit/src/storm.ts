/** A network that loses, repeats and delays frames. */
import { type Engine, ms } from '@backplane/engine';
import type { LinkVerdict } from '@backplane/slots';

/** 5 % each; a delay is what reorders frames. */
export function stormy(engine: Engine): () => LinkVerdict {
  const random = engine.random('storm of a check');
  return () => {
    const drawn = random.unit();
    if (drawn < 0.05) return 'drop';
    if (drawn < 0.1) return { copies: 2, spacingNs: 1 + random.below(ms(100)) };
    return drawn < 0.15 ? { delayNs: 1 + random.below(ms(100)) } : 'pass';
  };
}
