/** The V personality. */
export { vFileServer, vWorkstation } from './preset.ts';
