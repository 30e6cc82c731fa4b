import type { Answer } from '../probe/answer.ts';

/** What one owner of a lease answered. */
export interface OwnerAnswers {
  readonly underlay: Answer;
  /** Through flannel.N; `null`: not asked, because no route leads there. */
  readonly overlay: Answer | null;
  /** Name of the Kubernetes Node that has its address; `null`: none, or Kubernetes was not asked. */
  readonly node: string | null;
}

/** `unknown`: this host could not ask, or nobody at all answered it the same way. */
export type OwnerVerdict = 'answers' | 'silent' | 'unknown';

/**
 * Silence is a measurement: the owner answers neither on the underlay nor through the overlay, packets left this host, and an owner
 * that renewed in time answers both ways from here. A Kubernetes Node with its address is as good as an answer.
 */
export function judgeOwner(answers: OwnerAnswers, controls: readonly OwnerAnswers[]): OwnerVerdict {
  const { underlay, overlay, node } = answers;
  if (underlay.answered || overlay?.answered === true || node !== null) return 'answers';
  const isMeasured = isLost(underlay) && overlay !== null && isLost(overlay);
  return isMeasured && controls.some(answersBothWays) ? 'silent' : 'unknown';
}

function answersBothWays({ underlay, overlay }: OwnerAnswers): boolean {
  return underlay.answered && overlay?.answered === true;
}

/** The packets left, and nothing came back. */
function isLost({ answered, echo }: Answer): boolean {
  return !answered && echo.sent > 0 && echo.localError === null;
}
