/** flannel's network configuration with its defaults filled in (flannel pkg/subnet/config.go). */
export interface NetworkConfig {
  readonly enableIPv4: boolean;
  readonly enableIPv6: boolean;
  readonly enableNFTables: boolean;
  /** CIDR notation, masked; `null`: not given. */
  readonly network: string | null;
  readonly ipv6Network: string | null;
  /** Etcd mode only. */
  readonly subnetLen: number | null;
  readonly subnetMin: string | null;
  readonly subnetMax: string | null;
  readonly ipv6SubnetLen: number | null;
  readonly ipv6SubnetMin: string | null;
  readonly ipv6SubnetMax: string | null;
  readonly backend: BackendConfig;
}

export type BackendConfig = VxlanConfig | { readonly type: 'other'; readonly name: string };

export interface VxlanConfig {
  readonly type: 'vxlan';
  /** Default 1. */
  readonly vni: number;
  /** `null`: the kernel's default, 8472. */
  readonly port: number | null;
  /** MTU of the outer device; `null`: that of the external interface. */
  readonly outerMtuBytes: number | null;
  readonly gbp: boolean;
  readonly learning: boolean;
  readonly directRouting: boolean;
}
