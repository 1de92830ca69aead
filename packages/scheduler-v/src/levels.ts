/** What the dispatcher knows of V's priorities beside their order. */
import { priorityOf } from '@backplane/v-operations';

/** A kernel thread whose priority nobody has set goes before all of them while it works in the kernel, */
export const kernelPriority = -1;
/** and computes as a program. */
export const unsetPriority: number = priorityOf('foreground');
/** From here on nobody runs. */
export const stopFrom: number = priorityOf('stop', 0);
