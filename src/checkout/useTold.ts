import { useEffect, useRef } from 'preact/hooks';
import { type Asked, readAsked } from './asked.ts';

/**
 * Tells the other tabs that show the same payment what a wallet was asked for it, so that none offers to pay it again; a tab
 * that has just come asks the others.
 * @param asked what this tab knows
 * @param hear is told what another tab has asked a wallet for; null once that is known to have come to nothing
 */
export function useTold(
  token: string,
  asked: Asked | undefined,
  hear: (asked: Asked | null) => void,
): (asked: Asked | null) => void {
  const now = useRef({ asked, hear });
  now.current = { asked, hear };
  const channel = useRef<BroadcastChannel | null>(null);
  useEffect(() => {
    const opened = new BroadcastChannel(`tollhouse-payment ${token}`);
    opened.onmessage = ({ data }) => {
      if (data === 'ask') {
        if (now.current.asked) opened.postMessage(now.current.asked);
      } else if (data === null) now.current.hear(null);
      else {
        const told = readAsked(data);
        if (told) now.current.hear(told);
      }
    };
    opened.postMessage('ask');
    channel.current = opened;
    return () => opened.close();
  }, [token]);
  return (told) => channel.current?.postMessage(told);
}
