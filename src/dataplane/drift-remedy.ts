import { renderPlan } from './batch.ts';
import type { Operation, RouteEntry } from './entry.ts';

/** A repair that consists of operations of the plan: shown as commands, applied as they are. */
export interface OverlayRemedy {
  readonly commands: readonly string[];
  readonly actions: readonly { readonly kind: 'overlay'; readonly operations: readonly Operation[] }[];
  readonly automatic: 'yes' | 'ask';
  readonly risk: { readonly en: string; readonly zh: string };
}

export function carry(
  operations: readonly Operation[],
  { automatic, risk }: Pick<OverlayRemedy, 'automatic' | 'risk'>,
): OverlayRemedy {
  return {
    commands: renderPlan({ operations }),
    actions: [{ kind: 'overlay', operations }],
    automatic,
    risk,
  };
}

/** For entries that are only added, as flanneld itself would. */
export const NO_RISK = { en: 'none', zh: '无' };

/** As `ip route` would say it, without the destination: `via 10.244.2.0 dev flannel.1 onlink`. */
export function describeRoute({ type, via, device, isOnlink }: RouteEntry): string {
  const words = [
    type === undefined || type === 'unicast' ? '' : type,
    via === null ? '' : `via ${via}`,
    device === null ? '' : `dev ${device}`,
    isOnlink ? 'onlink' : '',
  ];
  return words.filter((word) => word !== '').join(' ');
}
