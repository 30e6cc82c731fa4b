import type { FlannelInstall } from '../facts/flannel.ts';

/** What starts flannel again here; `undefined`: how it was started is not known. */
export function restartCommand(install: Pick<FlannelInstall, 'deployment' | 'unit'>): string | undefined {
  return systemctl('restart', install) ?? podCommand(install, 'delete pod -l app=flannel');
}

/** What starts flannel where none runs; `undefined`: how it was started is not known. */
export function startCommand(install: Pick<FlannelInstall, 'deployment' | 'unit'>): string | undefined {
  return systemctl('start', install) ?? podCommand(install, 'describe pods -l app=flannel');
}

export function stopCommand(install: Pick<FlannelInstall, 'deployment' | 'unit'>): string | undefined {
  return systemctl('stop', install);
}

function systemctl(verb: string, { unit }: Pick<FlannelInstall, 'unit'>): string | undefined {
  return unit !== null && /^[\w@:.-]{1,200}$/.test(unit) ? `systemctl ${verb} ${unit}` : undefined;
}

/** The shipped manifests label flannel's pods so and put them into this namespace (kube-flannel.yml since v0.19.0). */
function podCommand({ deployment }: Pick<FlannelInstall, 'deployment'>, verb: string): string | undefined {
  if (deployment !== 'daemonset') return undefined;
  return `kubectl -n kube-flannel ${verb} --field-selector spec.nodeName=$(hostname)`;
}
