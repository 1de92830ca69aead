/** The Sprite personality. */
export { spriteClient, spriteServer } from './preset.ts';
