/** One sentence for users, in both languages. */
export interface Sentence {
  readonly en: string;
  readonly zh: string;
}
