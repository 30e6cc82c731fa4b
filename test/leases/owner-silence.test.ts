import { describe, expect, it } from 'vitest';
import { judgeOwner, type OwnerAnswers } from '../../src/leases/owner-silence.ts';
import { ANSWERED, UNANSWERED } from '../support/probe-builders.ts';

const GONE: OwnerAnswers = { underlay: UNANSWERED, overlay: UNANSWERED, node: null };
const THERE: OwnerAnswers = { underlay: ANSWERED, overlay: ANSWERED, node: null };
const REFUSED_HERE = { ...UNANSWERED, echo: { ...UNANSWERED.echo, localError: 'Operation not permitted' } };

describe('the owner of a lease', () => {
  it('is silent when it answers neither way while another answers both', () => {
    expect(judgeOwner(GONE, [THERE])).toBe('silent');
  });

  it.each([
    ['on the underlay', { underlay: ANSWERED }],
    ['over the overlay alone', { overlay: ANSWERED }],
    ['by a Kubernetes Node with its address', { node: 'worker-2' }],
  ])('answers %s', (_, answers) => {
    expect(judgeOwner({ ...GONE, ...answers }, [THERE])).toBe('answers');
  });

  it.each([
    ['nobody was asked besides', []],
    ['the others are silent too', [GONE, GONE]],
    [
      'the others answer in one of the two ways only',
      [
        { ...THERE, overlay: UNANSWERED },
        { ...THERE, overlay: null },
      ],
    ],
  ])('is unknown where %s', (_, controls) => {
    expect(judgeOwner(GONE, controls)).toBe('unknown');
  });

  it.each([
    ['this host refused to send', { underlay: REFUSED_HERE }],
    ['no route leads into its subnet', { overlay: null }],
    ['this host refused to send over the overlay', { overlay: REFUSED_HERE }],
  ])('is unknown where %s', (_, answers) => {
    expect(judgeOwner({ ...GONE, ...answers }, [THERE])).toBe('unknown');
  });
});
