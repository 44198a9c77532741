import { describe, expect, it } from 'vitest';
import { limitKeyOf } from '../../src/gateway/limitKey.ts';

describe('what a client is counted by', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['unknown', 'unknown'],
    ['::', '0:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:0002::6', '2001:db8:1:2::/64'],
    ['2001:db8:1::4:5:6:7', '2001:db8:1:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:ffff:ffff', '255.255.255.255'],
  ])('is, of %s, %s', (address, key) => {
    expect(limitKeyOf(address)).toBe(key);
  });

  it('is one for a whole network, and another for the next', () => {
    expect(limitKeyOf('2001:db8::1')).toBe(limitKeyOf('2001:db8:0:0:ffff:ffff:ffff:ffff'));
    expect(limitKeyOf('2001:db8::1')).not.toBe(limitKeyOf('2001:db8:0:1::1'));
  });
});
