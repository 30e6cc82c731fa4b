/** The words around the network configuration. */
export interface ConfigWords {
  readonly ask: string;
  readonly written: string;
  readonly unchanged: string;
  readonly notWritten: string;
}

const en: ConfigWords = {
  ask: 'Store this network configuration?',
  written: 'Stored. Each flanneld takes it at its next start.',
  unchanged: 'Nothing to do: the stored network configuration says the same.',
  notWritten: 'Nothing was written.',
};

const zh: ConfigWords = {
  ask: '写入该网络配置？',
  written: '已写入。各 flanneld 在下次启动时采用。',
  unchanged: '无需改动：已存储的网络配置内容相同。',
  notWritten: '未写入任何内容。',
};

export function configWords(language: 'en' | 'zh'): ConfigWords {
  return { en, zh }[language];
}
