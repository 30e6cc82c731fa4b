import { expect, test } from 'vitest';
import { describeFailure, unavailable } from '../../src/store/etcd-errors.ts';

const failed = (code: number, details: string) => describeFailure('http://192.0.2.1:2379', { code, details }, 2000);

test.each([
  ['grpc-js', 4, 'Deadline exceeded after 2.000s'],
  ['etcd itself', 2, 'context deadline exceeded'],
])('a deadline that %s notices is a timeout, after which nobody knows what took effect', (_, code, details) => {
  expect(failed(code, details)).toMatchObject({
    reason: 'timeout',
    words: 'did not answer within 2 s',
    isFinal: false,
    hadNoEffect: false,
  });
});

test('an error of etcd that is no deadline is an answer, and final', () => {
  expect(failed(2, 'etcdserver: mvcc is closed')).toMatchObject({ reason: 'unreachable', isFinal: true });
});

test.each([
  ['refused the connection', failed(14, 'ECONNREFUSED'), 'Check --etcd-endpoints.'],
  ['is silent', failed(4, 'Deadline'), "Check --etcd-endpoints, and whether a majority of etcd's members runs."],
])('whoever is told that etcd %s is told where to look', (_, failure, hint) => {
  expect(unavailable([failure]).hint).toBe(hint);
});

test.each([
  ['gRPC', 8, 'grpc: received message larger than max (10000259 vs. 2097152)'],
  ['etcd', 3, 'etcdserver: request is too large'],
])('a request that is too large for %s had no effect, and is not blamed on the connection', (_, code, details) => {
  expect(failed(code, details)).toMatchObject({ reason: 'malformed', hadNoEffect: true, isFinal: true });
});
