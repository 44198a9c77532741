/**
 * The texts that subscriptions take: what they are answered is a stream, which these tests do not read. Where another
 * tenant's value is compared with nobody's stands beside each.
 */
export const STREAM_PROBES: Readonly<Record<string, string>> = {
  'Subscription.events.after': 'names a place in the log: test/events/streams.test.ts',
  'Subscription.events.tags': 'narrows down one’s own log: test/events/streams.test.ts',
  'Subscription.events.types': 'names what may happen to anybody',
  'Subscription.paymentOrderChanged.orderId': 'is null, and over, for both: test/payments/orderStreams.test.ts',
  'Subscription.paymentOrderChanged.paymentLinkId': 'tells of nothing for both: test/payments/orderStreams.test.ts',
  'Subscription.checkoutOrderChanged.token': 'is null, and over, for both: test/payments/orderStreams.test.ts',
};
