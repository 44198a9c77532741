/** The time that is left, as a clock shows it; null when there is none. */
export function showLeft(until: number, now: number): string | null {
  const seconds = Math.ceil((until - now) / 1000);
  if (seconds <= 0) return null;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts.map((part) => String(part).padStart(2, '0'));
  return (seconds >= 3600 ? shown : shown.slice(1)).join(':');
}

/** The same for a screen reader, that reads clocks badly. */
export function sayLeft(until: number, now: number): string {
  const minutes = Math.ceil((until - now) / 60_000);
  if (minutes <= 0) return 'no time left';
  const hours = Math.floor(minutes / 60);
  const say = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  if (hours === 0) return `${say(minutes, 'minute')} left`;
  return `${say(hours, 'hour')}${minutes % 60 > 0 ? ` and ${say(minutes % 60, 'minute')}` : ''} left`;
}
