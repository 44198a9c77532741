import { useEffect, useState } from 'preact/hooks';

/** The time, told again each second while somebody waits for it. */
export function useNow(waiting: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!waiting) return;
    const ticking = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(ticking);
  }, [waiting]);
  return now;
}
