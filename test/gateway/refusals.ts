import { describe, expect, it } from 'vitest';
import { type Answer, type Ask, ask, codesOf, type OpenHouse, query } from './openHouse.ts';

export const JSON_BODY = { 'content-type': 'application/json' };

/** A JSON body, as text or as the value it stands for. */
export function post(body: unknown, headers: Record<string, string> = JSON_BODY): Ask {
  return { headers, body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) };
}

export function get(search: string, headers: Record<string, string> = {}): Ask {
  return { method: 'GET', path: `/graphql?${search}`, headers };
}

export function document(text: string, rest: object = {}): Ask {
  return post({ query: text, ...rest });
}

/** A request; the status of its answer, and its code. */
export type Case = readonly [name: string, request: Ask, status: number, code: string];

/** The gateway answers a good request as if nothing had happened. */
export async function expectLife({ gateway }: OpenHouse): Promise<void> {
  const { status, text } = await query(gateway.port, '{ hello }');
  expect([status, text]).toEqual([200, '{"data":{"hello":"hello you"}}']);
}

/** A refusal that says what is wrong by its code, and nothing of how we found out. */
export function expectRefusal(answer: Answer, status: number, code: string): void {
  expect([answer.status, codesOf(answer)]).toEqual([status, [code]]);
  expect(answer.text).not.toMatch(/\n\s+at |node_modules|\.ts:\d|"data"/);
  expect(answer.text.length).toBeLessThan(12_000);
}

/** Tests that each request is refused, before the database has heard of it, and that the gateway lives on. */
export function describeRefusals(subject: string, cases: readonly Case[], open: () => OpenHouse): void {
  describe(`hostile ${subject}`, () => {
    it.each(cases)('refuses %s', async (_name, request, status, code) => {
      const house = open();
      house.scenes.length = 0;
      const answer = await ask(house.gateway.port, request);
      expectRefusal(answer, status, code);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(answer.headers['x-request-id']).toBeTruthy();
      expect(house.scenes).toEqual([]);
      await expectLife(house);
    });
  });
}
