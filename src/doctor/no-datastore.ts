import type { Edge, Finding } from './check.ts';

/** Name of the evidence by which a finding says that it hides which datastore flannel uses; its `observed` is then `null`. */
export const DATASTORE_EVIDENCE = 'datastore';

/** An edge from `flanneld-not-running` for a check whose only harm is that the datastore is not known; it explains no finding. */
export const NO_DATASTORE: Edge = {
  id: 'flanneld-not-running',
  because: () => undefined,
  whenUnknown: (cause) =>
    hidesDatastore(cause)
      ? {
          en: 'flannel does not run, and nothing else here says which datastore it uses',
          zh: 'flannel 没有运行，而本机没有其他信息说明它使用哪个数据存储',
        }
      : undefined,
};

function hidesDatastore({ evidence }: Finding): boolean {
  return evidence.some(({ what, observed }) => what === DATASTORE_EVIDENCE && observed === null);
}
