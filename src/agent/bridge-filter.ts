import { AbsentError, FlannelctlError } from '../errors.ts';
import type { Board } from './board.ts';
import { problemText } from './problem.ts';

/**
 * Says at the start whether bridged packets pass iptables. The overlay does without; services that kube-proxy translates between two pods
 * of one node do not. flanneld ends where the setting is not there, and does not mind one that is off (flannel main.go).
 */
export async function tellBridgeFilter({
  parts: { host, log },
  config,
}: Pick<Board, 'parts' | 'config'>): Promise<void> {
  const families = [config.enableIPv4 ? 'iptables' : [], config.enableIPv6 ? 'ip6tables' : []].flat();
  for (const family of families) {
    const setting = `net.bridge.bridge-nf-call-${family}`;
    try {
      const value = (await host.readFile(`/proc/sys/${setting.replaceAll('.', '/')}`)).trim();
      if (value !== '1') log.warn(`bridged pods bypass ${family}`, { because: `${setting} is ${value}, not 1` });
    } catch (error) {
      if (error instanceof AbsentError)
        log.warn(`bridged pods bypass ${family}`, { because: 'br_netfilter is not loaded' });
      else if (error instanceof FlannelctlError) log.debug(problemText(error));
      else throw error;
    }
  }
}
