const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const pad = (value: number, width = 2, fill = '0') => String(value).padStart(width, fill);

const directives: Readonly<Record<string, (time: Date) => string>> = {
  a: (time) => (days[time.getDay()] ?? '').slice(0, 3),
  A: (time) => days[time.getDay()] ?? '',
  b: (time) => (months[time.getMonth()] ?? '').slice(0, 3),
  B: (time) => months[time.getMonth()] ?? '',
  d: (time) => pad(time.getDate()),
  e: (time) => pad(time.getDate(), 2, ' '),
  F: (time) => `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`,
  H: (time) => pad(time.getHours()),
  I: (time) => pad(time.getHours() % 12 || 12),
  m: (time) => pad(time.getMonth() + 1),
  M: (time) => pad(time.getMinutes()),
  p: (time) => (time.getHours() < 12 ? 'AM' : 'PM'),
  S: (time) => pad(time.getSeconds()),
  T: (time) => `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`,
  y: (time) => pad(time.getFullYear() % 100),
  Y: (time) => pad(time.getFullYear(), 4),
  '%': () => '%',
};

/** C's `strftime` for the directives that chat templates use, in local time and English; others stay as they are. */
export function formatTime(time: Date, format: string): string {
  return format.replace(/%-?([a-zA-Z%])/g, (whole, letter: string) => {
    const text = directives[letter]?.(time);
    if (text === undefined) return whole;
    return whole[1] === '-' ? text.replace(/^0(?=.)/, '') : text;
  });
}
