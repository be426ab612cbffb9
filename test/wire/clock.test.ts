import { expect, test } from "vitest";
import { systemChance, systemClock } from "../../proto/io/clock.js";

test("time is whole µs and never goes back", () => {
  const clock = systemClock();
  let before = clock.nowUs();
  for (let i = 0; i < 1_000; i++) {
    const now = clock.nowUs();
    expect(Number.isInteger(now)).toBe(true);
    expect(now).toBeGreaterThanOrEqual(before);
    before = now;
  }
});

test("an alarm acts once, never synchronously and never before its time", async () => {
  const clock = systemClock();
  for (const waitUs of [-5, 0, 1, 999, 1_000, 1_001, 3_500]) {
    const whenUs = clock.nowUs() + waitUs;
    let synchronous = true;
    const actedUs = await new Promise<number>((resolve) => {
      clock.at(whenUs, () => {
        expect(synchronous).toBe(false);
        resolve(clock.nowUs());
      });
      synchronous = false;
    });
    expect(actedUs).toBeGreaterThanOrEqual(whenUs);
  }
});

test("a cancelled alarm stays silent, and cancelling again is harmless", async () => {
  const clock = systemClock();
  let acted = 0;
  const alarm = clock.at(clock.nowUs() + 1_000, () => acted++);
  alarm.cancel();
  alarm.cancel();
  await new Promise<void>((resolve) => void setTimeout(() => setTimeout(resolve, 2), 2));
  expect(acted).toBe(0);
});

test("a wait beyond 2^31 ms does not turn into none", async () => {
  const clock = systemClock();
  let acted = 0;
  const alarm = clock.at(clock.nowUs() + 2 ** 45, () => acted++);
  await new Promise<void>((resolve) => void setTimeout(resolve, 5));
  expect(acted).toBe(0);
  alarm.cancel();
});

test("chance lies in [0, 1)", () => {
  const chance = systemChance();
  for (let i = 0; i < 1_000; i++) {
    const x = chance.next();
    expect(x >= 0 && x < 1).toBe(true);
  }
});
